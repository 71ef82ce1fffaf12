import { beforeAll, describe, expect, test } from "vitest";
import { debug } from "../../src/debug.ts";
import {
  add,
  compile,
  type Device,
  GradusError,
  grad,
  log,
  mean,
  mul,
  ones,
  sum,
  type Tensor,
  tanh,
  tensor,
  zeros,
} from "../../src/index.ts";
import { Linear, Module, ModuleDict, ModuleList, ReLU } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { fit, trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** One step of h′ = tanh(W x + U h), which gives its state beside the output. */
class Cell extends Module<[x: Tensor, h?: Tensor], [y: Tensor, h: Tensor]> {
  readonly input = new Linear(3, 2, { seed: 1 });
  readonly hidden = new Linear(2, 2, { seed: 2 });

  override forward(x: Tensor, h?: Tensor): [y: Tensor, h: Tensor] {
    const next = tanh(h ? add(this.input.call(x), this.hidden.call(h)) : this.input.call(x));
    return [mul(next, 2), next];
  }
}

class Two extends Module<[x: Tensor, gate: Tensor], Tensor> {
  readonly cell = new Cell();

  override forward(x: Tensor, gate: Tensor): Tensor {
    const [y, h] = this.cell.call(x);
    return mul(this.cell.call(x, h)[0], add(y, gate));
  }
}

class Parts extends Module<Tensor[]> {
  override forward(...parts: Tensor[]): Tensor {
    return parts.reduce((a, b) => add(a, b));
  }
}

class Named extends Module<[inputs: { left: Tensor; right: Tensor[] }, scale: number]> {
  override forward({ left, right }: { left: Tensor; right: Tensor[] }, scale: number): Tensor {
    return mul(
      right.reduce((a, b) => add(a, b), left),
      scale,
    );
  }
}

class Logged extends Cell {
  override forward(x: Tensor): [y: Tensor, h: Tensor] {
    const [y, h] = super.forward(x);
    return [y, log(h)];
  }
}

class Outer extends Module {
  readonly inner = new Logged();

  override forward(x: Tensor): Tensor {
    return this.inner.call(x)[1];
  }
}

function expectNear(values: ArrayLike<number>, expected: readonly number[]): void {
  expect(values.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, 5);
}

const x = () => tensor([[1, -2, 0.5]]);
const cycle: unknown[] = [];
cycle.push(cycle, [cycle]);

describe("a module of several inputs and results", () => {
  test("gives what its forward gives, with its gradients", async () => {
    using cell = new Cell();
    const [y, h] = cell.call(x());
    const [y2] = cell.call(x(), h);
    const u = await cell.hidden.weight.toArray();
    const w = await cell.input.weight.toArray();
    const value = (h0: number[]) =>
      [0, 1].map((j) => {
        const wx = [1, -2, 0.5].reduce((s, v, i) => s + v * (w as number[][])[i][j], 0);
        return Math.tanh(h0.reduce((s, v, i) => s + v * (u as number[][])[i][j], wx));
      });
    const first = value([0, 0]);
    const second = value(first).map((v) => 2 * v);
    expectNear(await y2.data(), second);
    expect(y.shape).toEqual([1, 2]);
    const [g] = grad(sum(y2), [cell.hidden.weight]);
    const slope = second.map((v) => 2 * (1 - (v / 2) ** 2));
    expectNear(
      await g.data(),
      slope.map((d) => first[0] * d).concat(slope.map((d) => first[1] * d)),
    );
  });

  test("takes any number where forward names none, trees of tensors, and other values beside", async () => {
    const one = ones([2]);
    expect(await new Parts().call(one, one, one).toArray()).toEqual([3, 3]);
    const named = new Named().call({ left: one, right: [one, one] }, 4);
    expect(await named.toArray()).toEqual([12, 12]);
  });

  test.each<[string, () => unknown, string]>([
    [
      "more inputs than forward names",
      () => new Cell().call(...([x(), zeros([1, 2]), 3] as unknown as [Tensor])),
      "Cell: call with 3 inputs; expected 2. Name further ones in forward, without default values",
    ],
    [
      "no input",
      () => new Cell().call(...([] as unknown as [Tensor])),
      "Cell: input 0 is undefined; expected a tensor. Use tensor(value)",
    ],
    [
      "a tree without a tensor",
      () => new Named().call({ left: 1, right: [2] } as never, 1),
      "Named: input 0 is an object; expected a tensor. Use tensor(value)",
    ],
    [
      "a list that holds itself",
      () => new Cell().call(...([cycle] as unknown as [Tensor])),
      "Cell: input 0 is an array; expected a tensor. Use tensor(value)",
    ],
    [
      "a call of a list",
      () => (new ModuleList([new ReLU()]) as unknown as Module).call(x()),
      "ModuleList: a call; expected a call of a module in it. Use Sequential for a chain",
    ],
    [
      "a list of other things",
      () => new ModuleList([new ReLU(), ReLU] as never),
      "ModuleList: 1 is a function; expected a module. Did you mean new ReLU()?",
    ],
    ["no list", () => new ModuleList(7 as never), "ModuleList: 7; expected modules"],
    [
      "a place outside",
      () => new ModuleList([new ReLU()]).at(1),
      "ModuleList: at 1; expected an integer from -1 to 0",
    ],
    [
      "a place in a list of none",
      () => new ModuleList().at(0),
      "ModuleList: at 0; expected a list that holds modules",
    ],
    [
      "a place to insert at",
      () => new ModuleList().insert(1, new ReLU()),
      "ModuleList: insert at 1; expected an integer from 0 to 0",
    ],
    [
      "a name that is not there",
      () => new ModuleDict({ head: new ReLU() }).get("haed"),
      'ModuleDict: name "haed"; expected one of head. Did you mean "head"?',
    ],
    [
      "a value that is no module",
      () => new ModuleDict({ head: 3 as never }),
      "ModuleDict: head is 3; expected a module",
    ],
    [
      "a name that is no text",
      () => new ModuleDict([[1, new ReLU()]] as never),
      "ModuleDict: name 1; expected a string",
    ],
  ])("%s is refused", (_, run, message) => {
    expect(run).toThrow(new GradusError(message));
  });

  test("is summarized with its inputs, a row for each part", async () => {
    using two = new Two();
    const inputs = [zeros([5, 3]), zeros([5, 2])];
    const summary = await two.summary({ inputs, print: null });
    expect(summary.layers).toEqual([
      { name: "cell", type: "Cell", outputShapes: [[5, 2]], parameters: 0 },
      { name: "cell.input", type: "Linear", outputShapes: [[5, 2]], parameters: 8 },
      { name: "cell.hidden", type: "Linear", outputShapes: [[5, 2]], parameters: 6 },
    ]);
    await expect(two.summary({ inputs, inputShape: [1], print: null })).rejects.toThrow(
      new GradusError(
        "summary: inputs beside inputShape; expected inputShape, or inputs in an array",
      ),
    );
    await expect(two.summary({ inputs: 3 as never, print: null })).rejects.toThrow(
      new GradusError("summary: inputs 3; expected inputShape, or inputs in an array"),
    );
  });

  test("is compiled, trained and fitted", async () => {
    const model = new Two();
    const run = compile((a: Tensor, gate: Tensor) => model.call(a, gate));
    const gate = tensor([[0.5, 2]]);
    const y = await run(x(), gate);
    expect(await y.toArray()).toEqual(await model.call(x(), gate).toArray());
    const options = {
      model,
      optimizer: new SGD(model.parameters(), { learningRate: 0.1 }),
      loss: (net: Two, batch: { x: Tensor; gate: Tensor }) => mean(net.call(batch.x, batch.gate)),
    };
    const step = trainStep(options);
    for (let i = 0; i < 3; i++) await step({ x: x(), gate });
    const losses = (await step.read()).map(({ loss }) => loss);
    step.dispose();
    expect(losses[2]).toBeLessThan(losses[0]);
    const { history } = await fit({ ...options, loader: [{ x: x(), gate }], epochs: 2 });
    expect(history).toHaveLength(2);
  });

  test("tells the place of a NaN within it", async () => {
    using model = new Outer();
    await expect(debug(() => model.call(mul(x(), -1)).data())).rejects.toThrow(
      /^data: NaN made by inner\.log in /,
    );
  });
});

describe("containers", () => {
  test("name what they hold, in order", () => {
    using list = new ModuleList([new Linear(1, 1), new Linear(1, 2)]);
    list
      .append(new Linear(1, 3))
      .insert(0, new Linear(1, 4))
      .extend([new Linear(1, 5)]);
    expect([...list].map((layer) => layer.outFeatures)).toEqual([4, 1, 2, 3, 5]);
    expect([list.length, list.at(-1).outFeatures, list.at(0).outFeatures]).toEqual([5, 5, 4]);
    expect([...list.state().keys()].slice(0, 3)).toEqual(["0.weight", "0.bias", "1.weight"]);
    using dict = new ModuleDict({ a: new Linear(1, 1) });
    dict.set("b", new Linear(1, 2)).set("a", new Linear(1, 3));
    expect([...dict].map(([name, layer]) => [name, layer.outFeatures])).toEqual([
      ["a", 3],
      ["b", 2],
    ]);
    expect([[...dict.keys()], [...dict.values()].length, dict.size, dict.has("c")]).toEqual([
      ["a", "b"],
      2,
      2,
      false,
    ]);
    expect([dict.delete("a"), dict.delete("a"), dict.size]).toEqual([true, false, 1]);
    expect([...dict.state().keys()]).toEqual(["b.weight", "b.bias"]);
    using fromEntries = new ModuleDict(new Map([["m", new Linear(1, 1)]]));
    expect(fromEntries.train().get("m").training).toBe(true);
  });

  test("add all modules or none", () => {
    const list = new ModuleList([new ReLU()]);
    expect(() => list.extend([new ReLU(), 3 as never])).toThrow(GradusError);
    expect(list.length).toBe(1);
    expect(device.kind).toBe("cpu");
  });
});
