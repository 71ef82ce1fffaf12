import { beforeAll, describe, expect, test } from "vitest";
import {
  compile,
  type Device,
  GradusError,
  grad,
  type Parameter,
  randomNormal,
  ShapeError,
  square,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import { parseSafetensors } from "../../src/io/safetensors.ts";
import {
  Conv2d,
  ConvTranspose2d,
  Linear,
  loadState,
  Module,
  removeParametrization,
  Sequential,
  spectralNorm,
  weightNorm,
} from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import cases from "../fixtures/parametrizations.json" with { type: "json" };
import { inBrowser, testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const dtype = inBrowser ? "f32" : "f64";
const LIMIT = inBrowser ? 2e-5 : 1e-12;

interface Data {
  readonly shape: number[];
  readonly values: number[];
}
const made = ({ values, shape }: Data) => tensor(values, { shape, dtype });

async function expectNear(x: Tensor, { values, shape }: Data): Promise<void> {
  expect(x.shape).toEqual(shape);
  const size = Math.max(1, ...values.map(Math.abs));
  for (const [i, y] of [...(await x.data())].entries()) {
    expect(Math.abs(Number(y) - values[i])).toBeLessThan(LIMIT * size);
  }
}

const LAYERS: Record<string, () => Linear | Conv2d | ConvTranspose2d> = {
  linear: () => new Linear(5, 3, { dtype }),
  conv: () => new Conv2d(2, 3, 2, { dtype }),
  transposed: () => new ConvTranspose2d(2, 3, 2, { dtype }),
};

const wrapped = (name: string) => {
  const [kind, layer] = name.split(/,? /);
  const make = LAYERS[layer]();
  if (kind === "weightNorm") return weightNorm(make, name.includes("one") ? { axis: null } : {});
  return spectralNorm(make, name.includes("two") ? { powerIterations: 2 } : {});
};

describe.each(Object.entries(cases))("as PyTorch: %s", (name, given) => {
  test("values, gradients and states, from its files", async () => {
    using layer = wrapped(name);
    const before = new Map(Object.entries(given.before).map(([key, x]) => [key, made(x)]));
    loadState(layer, before, { from: "pytorch" });
    const x = made(given.x);
    layer.train();
    const outputs = given.outputs.map(() => layer.call(x)); // none of which is read before the next
    for (const [i, y] of outputs.entries()) await expectNear(y, given.outputs[i]);

    const names = [...layer.namedParameters().keys()];
    const last = outputs[outputs.length - 1];
    const targets = [...layer.parameters(), x];
    const gradients = grad(sum(square(last)), targets);
    const theirs = new Map<string, Data>(Object.entries(given.gradients));
    expect(theirs.size).toBe(targets.length);
    for (const [i, p] of targets.entries()) {
      const form = (p as Partial<Parameter>).pytorch;
      const g = form?.axes ? gradients[i].transpose() : gradients[i];
      await expectNear(g, theirs.get(i < names.length ? (form?.name ?? names[i]) : "x") as Data);
    }

    const file = parseSafetensors("test", await saveSafetensors(layer, {}, { to: "pytorch" }));
    const after = Object.entries<Data>(given.after);
    expect([...file.tensors.keys()].sort()).toEqual(after.map(([key]) => key).sort());
    for (const [key, { shape }] of after) expect(file.tensors.get(key)?.shape).toEqual(shape);
    await expectNear(layer.eval().call(x), given.evaluated);
    removeParametrization(layer);
    expect([...layer.state().keys()].sort()).toEqual(["bias", "weight"]);
    await expectNear(layer.call(x), given.evaluated);
  });
});

test("weights begin as they were, and are computed once in a call", async () => {
  using layer = new Linear(4, 3, { seed: 1 });
  const x = randomNormal([2, 4], { seed: 2 });
  const before = [...(await layer.call(x).data())];
  weightNorm(layer);
  for (const [i, y] of [...(await layer.call(x).data())].entries()) {
    expect(y).toBeCloseTo(before[i], 5);
  }
  expect([...layer.state().keys()]).toEqual(["bias", "weightG", "weightV"]);
  expect(layer.parameters()).toHaveLength(3);
  expect(layer.freeze().parameters()).toHaveLength(0);
});

test("one that is frozen stays so", () => {
  using frozen = new Linear(4, 3).freeze();
  expect(spectralNorm(frozen).parameters()).toEqual([]);
  using other = new Linear(4, 3).freeze();
  expect(weightNorm(other).parameters()).toEqual([]);
  for (const wrap of [weightNorm, spectralNorm]) {
    using layer = removeParametrization(wrap(new Linear(4, 3).freeze()));
    expect(layer.parameters()).toEqual([]);
    using free = removeParametrization(wrap(new Linear(4, 3).freeze()).unfreeze());
    expect(free.parameters()).toHaveLength(2);
  }
});

test("the largest singular value of a divided weight is near 1, and stays so in training", async () => {
  using model = new Sequential(spectralNorm(new Linear(6, 5, { seed: 1 }), { seed: 2 }));
  const [layer] = model.layers as [Linear];
  const x = randomNormal([32, 6], { seed: 3 });
  const step = trainStep({
    model,
    optimizer: new SGD(model.parameters(), { learningRate: 0.05 }),
    loss: (m: typeof model, { x }: { x: Tensor }) => sum(square(m.call(x).sub(3))).div(32),
  });
  for (let i = 0; i < 30; i++) await step({ x });
  const [w, rows, columns] = [[...(await layer.weight.data())] as number[], 6, 5];
  // The largest eigenvalue of WᵀW by power iteration in float64.
  let v = Array.from({ length: columns }, (_, i) => 1 + i / 7);
  let sigma = 0;
  for (let i = 0; i < 500; i++) {
    const u = Array.from({ length: rows }, (_, r) =>
      v.reduce((t, c, k) => t + w[r * columns + k] * c, 0),
    );
    const next = v.map((_, k) => u.reduce((t, c, r) => t + w[r * columns + k] * c, 0));
    sigma = Math.sqrt(Math.hypot(...next));
    v = next.map((c) => c / Math.hypot(...next));
  }
  expect(Math.abs(sigma - 1)).toBeLessThan(0.02);
  const original = model.state().get("0.weightOriginal") as Parameter;
  expect(await sum(square(original)).item()).toBeGreaterThan(
    2 * (await sum(square(layer.weight)).item()),
  );
  step.dispose();
});

test("what a parametrisation makes is freed with it", async () => {
  const before = held(device);
  const layer = new Linear(4, 3, { seed: 1 });
  await layer.call(randomNormal([1, 4])).data();
  removeParametrization(weightNorm(layer));
  removeParametrization(spectralNorm(layer));
  layer.dispose();
  expect(held(device)).toBeLessThanOrEqual(before + 2); // the inputs, until they are collected
});

test("refuses what is no parameter, axis or option", () => {
  const any = (x: unknown) => x as never;
  const refused = (fn: () => unknown, message: string, Kind = GradusError) =>
    expect(fn).toThrow(new Kind(message));
  class Net extends Module {
    hidden = new Linear(2, 2);
    override forward(x: Tensor): Tensor {
      return this.hidden.call(x);
    }
  }
  for (const fn of [weightNorm, spectralNorm]) {
    const op = fn.name;
    refused(() => fn(any(null)), `${op}: module is null; expected a module`);
    refused(
      () => fn(new Net()),
      `${op}: "weight" of Net; expected the name of a parameter of it: none`,
    );
    refused(
      () => fn(new Linear(2, 2), { name: "kernel" }),
      `${op}: "kernel" of Linear; expected the name of a parameter of it: weight, bias`,
    );
    refused(
      () => fn(new Linear(2, 2), { axis: 2 }),
      `${op}: axis 2; expected an integer in [-2, 1]`,
      ShapeError,
    );
    refused(
      () => weightNorm(fn(new Linear(2, 2))),
      'weightNorm: "weight" of Linear; expected the name of a parameter of it: bias',
    );
    using normed = weightNorm(new Linear(2, 2));
    refused(
      () => fn(normed, { name: "weightV" }),
      `${op}: "weightV" of Linear; expected the name of a parameter of it: bias`,
    );
    using tied = Object.assign(new Net(), { weight: new Linear(2, 2).weight });
    Object.assign(tied.hidden, { weight: tied.weight });
    refused(
      () => fn(tied),
      `${op}: "weight" of Net lies in it 2 times; expected a parameter of its own, since its memory is freed`,
    );
  }
  refused(
    () => spectralNorm(new Linear(2, 2), { name: "bias" }),
    "spectralNorm: bias [2]; expected two axes or more",
    ShapeError,
  );
  refused(
    () => spectralNorm(new Linear(2, 2), { powerIterations: 0 }),
    "spectralNorm: powerIterations 0; expected an integer from 1",
  );
  refused(
    () => spectralNorm(new Linear(2, 2), { epsilon: 0 }),
    "spectralNorm: epsilon 0; expected a finite number above 0",
  );
  refused(
    () => removeParametrization(new Linear(2, 2)),
    'removeParametrization: "weight"; expected what is computed: none',
  );
});

test("a compiled function that is given the module notices weights that come and go", async () => {
  const layer = new Linear(3, 2, { seed: 1 });
  const run = compile((module: Linear, x: Tensor) => module.call(x));
  const x = tensor([[1, 2, 3]]);
  const wanted = [...(await layer.call(x).data())];
  for (let i = 0; i < 2; i++) {
    for (const change of [weightNorm, removeParametrization]) {
      change(layer);
      const found = [...(await (await run(layer, x)).data())];
      for (const [k, y] of found.entries()) expect(y).toBeCloseTo(wanted[k], 5);
    }
  }
  run.dispose();
  layer.dispose();
});
