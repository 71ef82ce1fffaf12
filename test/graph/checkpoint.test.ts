import { beforeAll, expect, test } from "vitest";
import {
  add,
  checkpoint,
  compile,
  concat,
  customGrad,
  type Device,
  evaluate,
  exp,
  floor,
  GradusError,
  grad,
  hessian,
  jacobian,
  keyFromSeed,
  matmul,
  max,
  mean,
  moments,
  mul,
  Parameter,
  State,
  scan,
  sigmoid,
  softmax,
  sort,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  uniformAt,
  vmap,
} from "../../src/index.ts";
import { meanSquaredError } from "../../src/losses/index.ts";
import { Linear, Module } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { wave } from "../support/random-choice.ts";

type Wrap = typeof checkpoint;
const asIs: Wrap = (fn) => fn;

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

async function valuesOf(tensors: readonly Tensor[]) {
  evaluate(...tensors);
  return Promise.all(tensors.map((x) => x.data()));
}

/** What a function of `checkpoint` gives with it and without. */
async function both(fn: (wrap: Wrap) => Tensor[]) {
  return { with: await valuesOf(fn(checkpoint)), without: await valuesOf(fn(asIs)) };
}

async function expectSame(fn: (wrap: Wrap) => Tensor[]): Promise<void> {
  const results = await both(fn);
  expect(results.with).toEqual(results.without);
}

const LAYERS = 20;
const [ROWS, WIDTH] = [64, 32];

/** The loss of a deep net, of which so many layers each are checkpointed, and its gradients. */
function deep(wrap: Wrap, layers: number) {
  const weights = Array.from({ length: LAYERS }, (_, i) => {
    return new Parameter(mul(wave([WIDTH, WIDTH], i, device, "f32"), 0.4), { name: `w${i}` });
  });
  return (x: Tensor): Tensor[] => {
    let h = x;
    for (let from = 0; from < LAYERS; from += layers) {
      const own = weights.slice(from, from + layers);
      h = wrap((v: Tensor) => own.reduce((u, w) => tanh(matmul(u, w)), v))(h);
    }
    const loss = mean(square(h));
    return [loss, ...grad(loss, [x, ...weights])];
  };
}

async function statsOf(wrap: Wrap, layers: number) {
  const step = compile(deep(wrap, layers));
  const values = await valuesOf(await step(wave([ROWS, WIDTH], 9, device, "f32")));
  const [plan] = step.plans;
  const { peakBytes, kernels } = await plan.stats();
  step.dispose();
  return { values, activations: peakBytes / (4 * ROWS * WIDTH), kernels: kernels.length };
}

test("20 layers keep a value of each, checkpointed ones those between segments", async () => {
  const without = await statsOf(asIs, 1);
  const fours = await statsOf(checkpoint, 4);
  const fives = await statsOf(checkpoint, 5);
  // On WebGPU both gradients of a layer are one dispatch; on the CPU the loss is one of its own.
  const kernels = inBrowser ? 2 * LAYERS : 3 * LAYERS + 1;
  expect(without.kernels).toBe(kernels);
  expect([fours.kernels, fives.kernels]).toEqual([kernels + LAYERS, kernels + LAYERS]);
  // What is kept between segments, the values of one, and cotangents.
  expect(Math.floor(without.activations)).toBe(LAYERS + (inBrowser ? 2 : 1));
  expect(Math.floor(fours.activations)).toBe(inBrowser ? 5 + 4 : 10);
  expect(Math.floor(fives.activations)).toBe(inBrowser ? 4 + 5 : 10);
  expect(fours.values).toEqual(without.values);
  expect(fives.values).toEqual(without.values);
});

test("what is evaluated at once has the same bits, too", async () => {
  const x = wave([ROWS, WIDTH], 9, device, "f32");
  await expectSame((wrap) => deep(wrap, 5)(x));
});

test("terms are added up in the same order: residuals, several results, calls in calls", async () => {
  const [x, w, v] = [0, 1, 2].map((phase) => wave([8, 8], phase, device, "f32"));
  await expectSame((wrap) => {
    const block = wrap((a: Tensor, rest: { b: Tensor; scale: number }) => {
      const inner = wrap(
        (c: Tensor) => [tanh(matmul(c, w)), { other: mul(c, rest.scale) }] as const,
      );
      const [left, { other }] = inner(add(a, rest.b));
      return { sums: [add(left, a), mul(other, rest.b)], nothing: null };
    });
    const { sums } = block(x, { b: v, scale: 3 });
    const second = block(sums[0], { b: x, scale: 2 }).sums;
    const y = add(add(sum(mul(second[0], x)), sum(second[1])), mean(mul(sums[1], w)));
    return [y, ...grad(y, [x, w, v, sums[0]])];
  });
});

test("gradients of any order, of gradients inside and outside", async () => {
  const [x, w] = [0, 1].map((phase) => wave([5], phase, device, "f32"));
  await expectSame((wrap) => {
    const f = wrap((a: Tensor) => exp(mul(sigmoid(mul(a, w)), a)));
    const y = sum(mul(f(x), w));
    const [dx, dw] = grad(y, [x, w]);
    // A penalty on the gradient: its own gradient meets that of y at every value of f.
    const penalty = add(y, sum(square(dx)));
    const second = grad(penalty, [x, w]);
    const third = grad(sum(square(second[0])), [x, w]);
    const slope = wrap((a: Tensor) => grad(sum(f(a)), [a])[0]);
    const inside = grad(sum(square(slope(x))), [x, w]);
    return [y, dx, dw, ...second, ...third, ...inside];
  });
});

test("rules of one's own, ops with several results, steps, and draws by a key", async () => {
  const x = wave([6, 8], 3, device, "f32");
  const key = keyFromSeed(7);
  await expectSame((wrap) => {
    const straight = customGrad(
      (v: Tensor) => floor(exp(v)),
      (g, y, v) => [mul(g, add(y, v))],
    );
    const f = wrap((v: Tensor) => {
      const drawn = uniformAt(tensor(3, { dtype: "u32" }), v.shape, { key });
      const { mean: center, variance } = moments(mul(v, drawn), { axis: 1, keepDims: true });
      const { values } = sort(mul(sub(v, center), variance));
      return concat([straight(values), max(v, { axis: 0, keepDims: true }), stopGradient(v)]);
    });
    const y = sum(square(softmax(f(f(x)))));
    const [dx] = grad(y, [x]);
    return [y, dx, ...grad(sum(square(dx)), [x])];
  });
});

class Net extends Module {
  readonly layers = [new Linear(3, 8, { seed: 1 }), new Linear(8, 8, { seed: 2 })];
  readonly last = new Linear(8, 1, { seed: 3 });
  readonly calls = new State(tensor(0), { name: "calls" });

  constructor(readonly wrap: Wrap) {
    super();
  }

  forward(x: Tensor): Tensor {
    const hidden = this.wrap((v: Tensor) => {
      this.calls.assign(add(this.calls, 1));
      return this.layers.reduce((h, layer) => tanh(layer.call(h)), v);
    });
    return this.last.call(hidden(x));
  }
}

test("a step of training changes parameters to the same bits, and other states once", async () => {
  const train = async (wrap: Wrap) => {
    const model = new Net(wrap);
    const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
    const step = trainStep({
      model,
      optimizer,
      loss: (m, { x }: { x: Tensor }) =>
        meanSquaredError(m.call(x), sum(x, { axis: 1, keepDims: true })),
    });
    for (let i = 0; i < 4; i++) await step({ x: wave([4, 3], i, device, "f32") });
    return [...model.state().values()].map((x) => x.data());
  };
  const [own, without] = await Promise.all([await train(checkpoint), await train(asIs)]);
  expect(await Promise.all(own)).toEqual(await Promise.all(without));
});

test("the function is called once, and its result is given as it is", async () => {
  let calls = 0;
  const x = tensor([1, 2]);
  const result = { y: x, n: 3, none: undefined };
  const f = checkpoint((v: Tensor) => {
    calls++;
    return Object.assign(result, { y: exp(v) });
  });
  expect(f(x)).toBe(result);
  const [dx] = grad(sum(square(result.y)), [x]);
  await dx.data();
  expect(calls).toBe(1);
});

const cubed = checkpoint((v: Tensor) => mul(v, square(v)));
const products = checkpoint((v: Tensor) => {
  const turn = (c: Tensor, r: Tensor): [Tensor, Tensor] => {
    const next = mul(c, r);
    return [next, next];
  };
  return scan(turn, tensor(1), v)[1];
});
const own = customGrad(
  (v: Tensor) => mul(v, v),
  (g, _, v) => [mul(mul(g, v), 3)],
);

test.each<[string, (x: Tensor) => Tensor, (a: number, b: number) => number[]]>([
  [
    "a gradient of all elements",
    (x) => jacobian(square(cubed(x)), [x])[0],
    (a, b) => [30 * a ** 4, 30 * b ** 4],
  ],
  [
    "gradients of each element",
    (x) => vmap((v: Tensor) => grad(square(cubed(v)), [v])[0])(x),
    (a, b) => [30 * a ** 4, 30 * b ** 4],
  ],
  ["a second gradient", (x) => hessian(sum(cubed(x)), x), () => [6, 6]],
  [
    "a loop", // a and a b
    (x) => jacobian(square(products(x)), [x])[0],
    (a, b) => [2 + 2 * b * b + 4 * a * b, 4 * a * b + 2 * a * a],
  ],
  [
    "a rule of one's own", // v² with slope 3 v: that of its square is 6 v³
    (x) => vmap((v: Tensor) => grad(square(checkpoint(own)(v)), [v])[0])(x),
    (a, b) => [24 * a ** 2, 24 * b ** 2],
  ],
])(
  "what maps calls maps those in a checkpoint too, with a gradient: %s",
  async (_, all, slopes) => {
    const x = tensor([1.5, 2]);
    const [dx] = grad(sum(all(x)), [x]);
    const values = [...(await dx.data())];
    slopes(1.5, 2).forEach((slope, i) => {
      expect(values[i]).toBeCloseTo(slope, 3);
    });
  },
);

test("a gradient that does not exist is the same error, and other calls are refused", () => {
  const x = tensor([1, 2]);
  const y = checkpoint((v: Tensor) => sum(mul(stopGradient(v), 2)))(x);
  expect(() => grad(y, [x])).toThrow(
    "grad: y does not depend on target 0 of shape [2]; expected targets that it was computed from",
  );
  expect(() => checkpoint(3 as never)).toThrow(
    new GradusError("checkpoint: fn is 3; expected a function"),
  );
  expect(() => checkpoint(asIs, { every: 2 } as never)).toThrow(
    new GradusError("checkpoint: an object too much; expected checkpoint(fn)"),
  );
  expect(() => checkpoint(async () => x)()).toThrow(
    new GradusError("checkpoint: fn returned a promise; expected a synchronous function"),
  );
  // A function that throws leaves nothing open.
  const failing = checkpoint(() => {
    throw new RangeError("its own");
  });
  expect(() => failing()).toThrow(new RangeError("its own"));
  const [dx] = grad(sum(checkpoint((v: Tensor) => mul(v, v))(x)), [x]);
  expect(dx.shape).toEqual([2]);
});
