import { beforeAll, expect, test } from "vitest";
import { type Device, evaluate, Parameter, square, sum, tensor } from "../src/index.ts";
import { SGD, type SGDOptions } from "../src/optim/index.ts";
import { expectClose } from "./support/close.ts";
import { testDevice } from "./support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const CURVATURE = [1, 4];

/** The formula of `SGD` on f(p) = ½ Σ cᵢ pᵢ², in float64. */
function reference(start: readonly number[], options: SGDOptions, steps: number): number[] {
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

test.each<SGDOptions>([
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
  }).toThrow("optimizer: learningRate NaN; expected a finite number from 0");
});

test("slots have names, and dispose frees them but not the parameters", () => {
  using p = new Parameter(tensor([1, 2]), { name: "hidden.weight" });
  evaluate(p);
  const before = device.memory().tensors;
  const optimizer = new SGD([p], { learningRate: 0.1, momentum: 0.9 });
  expect([...optimizer.state().keys()]).toEqual(["hidden.weight.momentum"]);
  optimizer.dispose();
  expect(device.memory().tensors).toBe(before);
  expect(p.disposed).toBe(false);
});

test("bad arguments are rejected", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using q = new Parameter(tensor([1]), { name: "q" });
  expect(() => new SGD([], { learningRate: 1 })).toThrow("optimizer: no parameters");
  expect(() => new SGD([p, p], { learningRate: 1 })).toThrow('optimizer: "p" is given twice');
  expect(() => new SGD([p], { learningRate: -1 })).toThrow("optimizer: learningRate -1");
  expect(() => new SGD([p], { learningRate: 1, momentum: -1 })).toThrow("SGD: momentum -1");
  expect(() => new SGD([p], { learningRate: 1, nesterov: true })).toThrow("SGD: nesterov");
  using optimizer = new SGD([p, q], { learningRate: 1 });
  expect(() => optimizer.apply([tensor([1])])).toThrow("optimizer: 1 gradients; expected 2");
  expect(() => optimizer.step(sum(square(p)))).toThrow('grad: y does not depend on "q"');
});
