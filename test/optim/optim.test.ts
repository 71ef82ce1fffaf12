import { beforeAll, expect, test } from "vitest";
import {
  type Device,
  DTypeError,
  evaluate,
  GradusError,
  Parameter,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { type Assignment, Optimizer, SGD, type SGDOptions } from "../../src/optim/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const CURVATURE = [1, 4];

type NumberRate = SGDOptions & { learningRate: number };

/** The formula of `SGD` on f(p) = ½ Σ cᵢ pᵢ², in float64. */
function reference(start: readonly number[], options: NumberRate, steps: number): number[] {
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  return start.map((first, i) => {
    let p = first;
    let v = 0;
    for (let step = 0; step < steps; step++) {
      const g = CURVATURE[i] * p + weightDecay * p;
      v = momentum * v + g;
      p -= learningRate * (nesterov ? g + momentum * v : v);
    }
    return p;
  });
}

test.each<NumberRate>([
  { learningRate: 0.1 },
  { learningRate: 0.1, momentum: 0.9 },
  { learningRate: 0.05, momentum: 0.8, nesterov: true },
  { learningRate: 0.1, momentum: 0.5, weightDecay: 0.3 },
])("SGD follows its formula over several steps: %o", async (options) => {
  const start = [3, -2];
  using p = new Parameter(tensor(start), { name: "p" });
  using optimizer = new SGD([p], options);
  for (let step = 1; step <= 6; step++) {
    using c = tensor(CURVATURE);
    using loss = sum(square(p).mul(c)).mul(0.5);
    optimizer.step(loss);
    expectClose(await p.data(), reference(start, options, step));
  }
  expect(p.version).toBe(6);
});

test("step evaluates the loss from before the change, and what else is asked for", async () => {
  using p = new Parameter(tensor([3]), { name: "p" });
  using optimizer = new SGD(new Map([["p", p]]), { learningRate: 0.5 });
  using loss = sum(square(p));
  using twice = loss.mul(2);
  optimizer.step(loss, [twice]);
  expect([await loss.item(), await twice.item(), await p.item()]).toEqual([9, 18, 0]);
});

test("the learning rate can be set at any time", async () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: 0.5 });
  optimizer.apply([tensor([1])]);
  optimizer.learningRate = 0.25;
  expect(optimizer.learningRate).toBe(0.25);
  optimizer.apply([tensor([1])]);
  expect(await p.item()).toBe(0.25);
  expect(() => {
    optimizer.learningRate = Number.NaN;
  }).toThrow("SGD: learningRate NaN; expected a finite number from 0");
});

test("a rate set between steps holds from the next one, and the plan stays", async () => {
  using p = new Parameter(tensor([0]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: 1 });
  using g = tensor([1]);
  optimizer.apply([g]);
  const { pipelines } = device.counters.now;
  for (const [i, rate] of [0.5, 0.25, 0, 2].entries()) {
    optimizer.learningRate = rate;
    expect(await optimizer.rate.item()).toBe(rate);
    optimizer.apply([g]);
    expect(await p.item()).toBe([-1.5, -1.75, -1.75, -3.75][i]);
  }
  expect(device.counters.now.pipelines).toBe(pipelines);
});

test("the counter holds the number of finished steps", async () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: 0.5 });
  expect([optimizer.counter.dtype, optimizer.counter.shape]).toEqual(["u32", []]);
  for (let step = 0; step < 3; step++) {
    expect(await optimizer.counter.item()).toBe(step);
    optimizer.step(sum(square(p)));
  }
  expect(() => optimizer.apply([])).toThrow("SGD: 0 gradients; expected 1");
  expect(await optimizer.state().get("step")?.item()).toBe(3);
});

test("states have names, and dispose frees them but not the parameters", () => {
  using p = new Parameter(tensor([1, 2]), { name: "hidden.weight" });
  using g = tensor([3, 4]);
  evaluate(p, g);
  const before = held(device);
  const optimizer = new SGD([p], { learningRate: 0.1, momentum: 0.9 });
  expect([...optimizer.state().keys()]).toEqual(["step", "hidden.weight.momentum"]);
  optimizer.apply([g]);
  optimizer.dispose();
  expect(held(device)).toBe(before);
  expect(p.disposed).toBe(false);
});

test("parameters of one name have slots of two names, and a block's end frees them", () => {
  const made = [1, 2].map((x) => new Parameter(tensor([x]), { name: "w" }));
  evaluate(...made);
  const before = held(device);
  {
    using optimizer = new SGD(made, { learningRate: 0.1, momentum: 0.9 });
    expect([...optimizer.state().keys()]).toEqual(["step", "w.momentum", "w.1.momentum"]);
  }
  expect(held(device)).toBe(before);
});

test("an optimizer of one's own is called Optimizer unless it says more", async () => {
  class Plain extends Optimizer {
    protected override update(gradients: readonly Tensor[]): readonly Assignment[] {
      return this.parameters.map((p, i) => [p, p.sub(gradients[i].mul(this.rate))]);
    }
  }
  using p = new Parameter(tensor([1]), { name: "p" });
  expect(() => new Plain([], { learningRate: 1 })).toThrow("Optimizer: no parameters; expected");
  using optimizer = new Plain([p], { learningRate: 0.5 });
  expect(optimizer.kind).toBe("Optimizer");
  optimizer.step(sum(p));
  expect(await p.item()).toBe(0.5);
});

test("bad arguments are rejected", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using q = new Parameter(tensor([1]), { name: "q" });
  const make = (options: SGDOptions, parameters = [p]) => new SGD(parameters, options);
  const learningRate = 1;
  const rejected: [() => unknown, string][] = [
    [
      () => make({ learningRate }, []),
      "SGD: no parameters; expected at least one. Modules list what lies in public fields, " +
        "arrays, objects, Maps and Sets and is not frozen; private #fields cannot be searched",
    ],
    [() => make({ learningRate }, [p, p]), 'SGD: "p" is given twice; expected each once'],
    [() => make({ learningRate: -1 }), "SGD: learningRate -1; expected a finite number from 0"],
    [
      () => make({ learningRate, momentum: -1 }),
      "SGD: momentum -1; expected a finite number from 0",
    ],
    [
      () => make({ learningRate, weightDecay: Number.NaN }),
      "SGD: weightDecay NaN; expected a finite number from 0",
    ],
    [
      () => make({ learningRate, nesterov: true }),
      "SGD: nesterov with momentum 0; expected a momentum above 0",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
  using n = new Parameter(tensor([1], { dtype: "i32" }), { name: "n" });
  expect(() => make({ learningRate }, [p, n])).toThrow(
    new DTypeError('SGD: "n" has dtype i32; expected f32 or f64'),
  );
  using optimizer = new SGD([p, q], { learningRate });
  expect(() => optimizer.apply([tensor([1])])).toThrow("SGD: 1 gradients; expected 2");
  expect(() => optimizer.step(sum(square(p)))).toThrow('SGD: loss does not depend on "q"');
  expect(() => optimizer.step(square(q).add(p))).not.toThrow();
  using vector = new Parameter(tensor([1, 2]), { name: "vector" });
  using other = new SGD([vector], { learningRate });
  expect(() => other.step(square(vector))).toThrow(
    "SGD: loss has shape [2]; expected a scalar. Reduce it, say with sum",
  );
  expect(() => other.step(undefined as never)).toThrow(
    new GradusError(
      "SGD: loss undefined; expected a tensor, a scalar. Its gradients are taken here",
    ),
  );
});
