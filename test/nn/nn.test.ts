import { beforeAll, expect, test } from "vitest";
import {
  type Device,
  Parameter,
  State,
  sigmoid,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  constant,
  ELU,
  Flatten,
  GELU,
  heNormal,
  heUniform,
  Identity,
  type Initializer,
  L2Normalize,
  LeakyReLU,
  Linear,
  LogSigmoid,
  LogSoftmax,
  loadState,
  Module,
  normal,
  ReLU,
  Sequential,
  Sigmoid,
  SiLU,
  Softmax,
  Softplus,
  Tanh,
  xavierNormal,
  xavierUniform,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

class Net extends Module {
  readonly hidden = new Linear(2, 3, { seed: 1 });
  readonly blocks = [new Linear(3, 3, { seed: 2, bias: false }), new Linear(3, 3, { seed: 3 })];
  readonly steps = new State(tensor(0), { name: "steps" });
  readonly scale = new Parameter(tensor([2]));
  readonly tied = this.hidden;

  override forward(x: Tensor): Tensor {
    return sigmoid(this.hidden.call(x)).mul(this.scale);
  }
}

test("a module finds states in properties, modules and arrays, each once, in order", () => {
  using net = new Net();
  expect([...net.state().keys()]).toEqual([
    "hidden.weight",
    "hidden.bias",
    "blocks.0.weight",
    "blocks.1.weight",
    "blocks.1.bias",
    "steps",
    "scale",
  ]);
  expect([...net.namedParameters().keys()]).not.toContain("steps");
  expect(net.parameters()).toHaveLength(6);
  expect(net.hidden.weight.name).toBe("hidden.weight");
  net.hidden.state();
  expect(net.hidden.weight.name).toBe("hidden.weight");
});

test("Linear computes x·W + b", async () => {
  using layer = new Linear(2, 3, { weightInit: constant(2), biasInit: constant(1) });
  using y = layer.call(
    tensor([
      [1, 2],
      [3, 4],
    ]),
  );
  expect(await y.toArray()).toEqual([
    [7, 7, 7],
    [15, 15, 15],
  ]);
  expect(layer.weight.shape).toEqual([2, 3]);
});

test("Linear without bias has none, and rejects other sizes", () => {
  using layer = new Linear(2, 3, { bias: false });
  expect(layer.bias).toBeNull();
  expect(layer.parameters()).toHaveLength(1);
  expect(() => layer.call(zeros([5, 4]))).toThrow("Linear: input [5, 4]; expected […, 2]");
  expect(() => new Linear(0, 3)).toThrow("Linear: inFeatures 0; expected a positive integer");
});

test("the same seed gives the same weights, another seed others", async () => {
  using a = new Linear(4, 5, { seed: 7 });
  using b = new Linear(4, 5, { seed: 7 });
  using c = new Linear(4, 5, { seed: 8 });
  const values = await a.weight.data();
  expect(await b.weight.data()).toEqual(values);
  expect(await c.weight.data()).not.toEqual(values);
});

test("Sequential applies modules and functions and names them by position or key", async () => {
  using listed = new Sequential(new Linear(2, 2), sigmoid, new Linear(2, 1));
  expect([...listed.state().keys()]).toEqual(["0.weight", "0.bias", "2.weight", "2.bias"]);
  using named = new Sequential({ hidden: new Linear(2, 2), sigmoid, output: new Linear(2, 1) });
  expect(named.parameters().map((p) => p.name)).toEqual([
    "hidden.weight",
    "hidden.bias",
    "output.weight",
    "output.bias",
  ]);
  using y = new Sequential(
    (x: Tensor) => x.mul(2),
    (x: Tensor) => x.add(1),
  ).call(tensor([1, 2]));
  expect(await y.toArray()).toEqual([3, 5]);
  expect(() => new Sequential(3 as never)).toThrow("Sequential: layer 0 is 3");
});

test("activation modules compute their functions", async () => {
  const sigma = (x: number) => 1 / (1 + Math.exp(-x));
  const cube = (x: number) => Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3);
  // 1/2 + ∫ of the density, by the trapezoidal rule
  const density = (x: number) => Math.exp((-x * x) / 2) / Math.sqrt(2 * Math.PI);
  const exactCdf = (x: number) => {
    let sum = (density(0) + density(x)) / 2;
    for (let i = 1; i < 1e4; i++) sum += density((x * i) / 1e4);
    return 0.5 + (sum * x) / 1e4;
  };
  const cases: [Module, (x: number) => number][] = [
    [new Sigmoid(), sigma],
    [new LogSigmoid(), (x) => Math.log(sigma(x))],
    [new ReLU(), (x) => Math.max(x, 0)],
    [new LeakyReLU(), (x) => (x > 0 ? x : 0.01 * x)],
    [new LeakyReLU(0.5), (x) => (x > 0 ? x : 0.5 * x)],
    [new ELU(), (x) => (x > 0 ? x : Math.exp(x) - 1)],
    [new ELU(2), (x) => (x > 0 ? x : 2 * (Math.exp(x) - 1))],
    [new GELU(), (x) => x * exactCdf(x)],
    [new GELU({ approximate: "tanh" }), (x) => (x / 2) * (1 + Math.tanh(cube(x)))],
    [new SiLU(), (x) => x * sigma(x)],
    [new Tanh(), Math.tanh],
    [new Softplus(), (x) => Math.log1p(Math.exp(x))],
    [new Identity(), (x) => x],
  ];
  for (const [module, formula] of cases) {
    using y = module.call(tensor([-1.5, 0, 2]));
    expectClose(await y.data(), [-1.5, 0, 2].map(formula));
  }
});

test("modules of rows take an axis, the last when left out", async () => {
  const x = tensor([0, Math.log(3), Math.log(2), 0], { shape: [2, 2] });
  expectClose(await new Softmax().call(x).data(), [1 / 4, 3 / 4, 2 / 3, 1 / 3]);
  expectClose(await new Softmax(0).call(x).data(), [1 / 3, 3 / 4, 2 / 3, 1 / 4]);
  const logs = [1 / 4, 3 / 4, 2 / 3, 1 / 3].map(Math.log);
  expectClose(await new LogSoftmax().call(x).data(), logs);
  const first = [1 / 3, 3 / 4, 2 / 3, 1 / 4].map(Math.log);
  expectClose(await new LogSoftmax(0).call(x).data(), first);
  const y = tensor([3, 4, 0, 5], { shape: [2, 2] });
  expectClose(await new L2Normalize().call(y).data(), [0.6, 0.8, 0, 1]);
  expectClose(await new L2Normalize(0).call(y).data(), [
    1,
    4 / Math.sqrt(41),
    0,
    5 / Math.sqrt(41),
  ]);
});

test("Flatten keeps the first axis", async () => {
  const x = tensor([1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12], { shape: [2, 3, 2] });
  using y = new Flatten().call(x);
  expect(y.shape).toEqual([2, 6]);
  expect(await y.data()).toEqual(await x.data());
  expect(new Flatten().call(zeros([3])).shape).toEqual([3, 1]);
  expect(new Flatten().call(zeros([0, 2, 4])).shape).toEqual([0, 8]);
  expect(() => new Flatten().call(tensor(1))).toThrow("Flatten: input []; expected [n, …]");
});

test("train and eval set the mode of all parts", () => {
  using net = new Net();
  const modes = () => net.modules().map((part) => part.training);
  expect(net.modules()).toEqual([net, net.hidden, ...net.blocks]);
  expect(modes()).toEqual([false, false, false, false]);
  expect(net.train()).toBe(net);
  expect(modes()).toEqual([true, true, true, true]);
  net.blocks[0].eval();
  expect(modes()).toEqual([true, true, false, true]);
  expect(net.eval()).toBe(net);
  expect(modes()).toEqual([false, false, false, false]);
});

test("frozen parameters are kept from optimizers, not from state and gradients", async () => {
  using net = new Sequential({
    first: new Linear(2, 2, { seed: 1 }),
    frozen: new Linear(2, 2, { seed: 2 }).freeze(),
  });
  expect([...net.namedParameters().keys()]).toEqual(["first.weight", "first.bias"]);
  expect([...net.state().keys()]).toHaveLength(4);
  const { weight } = net.layers[1] as Linear;
  const before = await weight.data();
  using optimizer = new SGD(net.namedParameters(), { learningRate: 1 });
  const x = tensor([1, 2], { shape: [1, 2] });
  const [first] = net.parameters();
  const start = await first.data();
  optimizer.step(sum(net.call(x)));
  expect(await weight.data()).toEqual(before);
  expect(await first.data()).not.toEqual(start);
  expect(net.unfreeze().parameters()).toHaveLength(4);
  expect(net.freeze().parameters()).toHaveLength(0);
});

test("initialisers have the variance and bounds of their formulas", async () => {
  const fans = { fanIn: 200, fanOut: 100 };
  const cases: [Initializer, number, number][] = [
    [normal(0.5), 0.25, Number.POSITIVE_INFINITY],
    [xavierUniform(), 2 / 300, Math.sqrt(6 / 300)],
    [xavierNormal(), 2 / 300, Number.POSITIVE_INFINITY],
    [heUniform(), 2 / 200, Math.sqrt(6 / 200)],
    [heNormal(), 2 / 200, Number.POSITIVE_INFINITY],
  ];
  for (const [init, variance, bound] of cases) {
    using w = init([200, 100], { ...fans, key: [1, 2] });
    const values = [...(await w.data())];
    const mean = values.reduce((a, b) => a + b) / values.length;
    const square = values.reduce((a, b) => a + b * b, 0) / values.length;
    // 20,000 draws: the standard error of the variance is at most √(2 / 20,000), that is 1 %
    expect(Math.abs(square / variance - 1)).toBeLessThan(0.05);
    expect(Math.abs(mean)).toBeLessThan(5 * Math.sqrt(variance / values.length));
    expect(Math.max(...values.map(Math.abs))).toBeLessThanOrEqual(bound * (1 + 1e-6));
  }
});

test("loadState assigns by name, all or nothing", async () => {
  using a = new Sequential(new Linear(2, 2, { seed: 1 }));
  using b = new Sequential(new Linear(2, 2, { seed: 2 }));
  loadState(b, a.state());
  expect(await b.parameters()[0].data()).toEqual(await a.parameters()[0].data());
  expect(() =>
    loadState(
      b,
      new Map([
        ["0.weight", zeros([2, 2])],
        ["1.bias", zeros([2])],
      ]),
    ),
  ).toThrow(
    "loadState: missing [0.bias], unknown [1.bias]; expected exactly the names of the states",
  );
  expect(() =>
    loadState(
      b,
      new Map([
        ["0.weight", zeros([2, 3])],
        ["0.bias", zeros([2])],
      ]),
    ),
  ).toThrow('assign: "0.weight" has shape [2, 2], the value [2, 3]');
  expect(await b.parameters()[0].data()).toEqual(await a.parameters()[0].data());
});

test("dispose frees all states", () => {
  const before = held(device);
  const net = new Net();
  net.dispose();
  expect(net.hidden.weight.disposed).toBe(true);
  expect(held(device)).toBe(before);
});
