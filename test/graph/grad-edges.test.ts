import { beforeAll, describe, expect, test } from "vitest";
import {
  abs,
  acos,
  acosh,
  argmax,
  asin,
  asinh,
  atan,
  atan2,
  atanh,
  cast,
  cbrt,
  clip,
  digamma,
  elu,
  equal,
  erf,
  erfc,
  erfInv,
  evaluate,
  expandDims,
  floor,
  GradusError,
  gather,
  gelu,
  grad,
  greater,
  hypot,
  isNaN,
  l2Normalize,
  leakyRelu,
  lgamma,
  log1p,
  logicalNot,
  max,
  maximum,
  mean,
  min,
  minimum,
  mul,
  type NestedArray,
  normalCdf,
  oneHot,
  pow,
  reciprocal,
  relu,
  rsqrt,
  sigmoid,
  sign,
  silu,
  softplus,
  sqrt,
  square,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  where,
  zeros,
} from "../../src/index.ts";
import { binaryCrossEntropy, crossEntropy, l2Loss } from "../../src/losses/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

/** A function, where it is differentiated, and its first derivative, its second and so on. */
interface Edge {
  f(x: Tensor): Tensor;
  at: number[];
  slopes: number[][];
}

const [INF, TINY] = [Number.POSITIVE_INFINITY, 1e-30];
/** γ, and ζ(3). */
const [EULER, APERY] = [0.5772156649015329, 1.2020569031595942];
const SQRT_2PI = Math.sqrt(2 * Math.PI);

/** What −0 counts as: 0. */
const plain = (x: NestedArray): NestedArray => (Array.isArray(x) ? x.map(plain) : x + 0);

const EDGES: Record<string, Edge> = {
  "x⁰": { f: (x) => pow(x, 0), at: [0, 2, -3, TINY], slopes: [Z(4), Z(4), Z(4)] },
  "x¹": { f: (x) => pow(x, 1), at: [0, 2, -3, TINY], slopes: [[1, 1, 1, 1], Z(4), Z(4), Z(4)] },
  "x²": { f: (x) => pow(x, 2), at: [0, 2, -3], slopes: [[0, 4, -6], [2, 2, 2], Z(3), Z(3), Z(3)] },
  "x³": {
    f: (x) => pow(x, 3),
    at: [0, 2, -1],
    slopes: [[0, 12, 3], [0, 12, -6], [6, 6, 6], Z(3), Z(3), Z(3)],
  },
  "x⁻¹": {
    f: (x) => pow(x, -1),
    at: [1, -1],
    slopes: [
      [-1, -1],
      [2, -2],
      [-6, -6],
    ],
  },
  "√ by pow": { f: (x) => pow(x, 0.5), at: [0, 4], slopes: [[INF, 0.25]] },
  "0ᵇ": { f: (b) => pow(0, b), at: [0, 1, 2, -1], slopes: [Z(4), Z(4)] },
  "1ᵇ": { f: (b) => pow(1, b), at: [0, 1, -2], slopes: [Z(3), Z(3)] },
  abs: { f: abs, at: [-2, 0, 3], slopes: [[-1, 0, 1], Z(3), Z(3)] },
  sign: { f: sign, at: [-2, 0, 3], slopes: [Z(3), Z(3)] },
  floor: { f: floor, at: [-2.5, 0, 3], slopes: [Z(3), Z(3)] },
  relu: { f: relu, at: [-2, 0, 3], slopes: [[0, 0, 1], Z(3)] },
  "√ relu": { f: (x) => sqrt(relu(x)), at: [-2, 4], slopes: [[0, 0.25]] },
  leakyRelu: { f: (x) => leakyRelu(x, 0.5), at: [-2, 0, 3], slopes: [[0.5, 0.5, 1], Z(3)] },
  "maximum with 0": { f: (x) => maximum(x, 0), at: [-2, 0, 3], slopes: [[0, 0.5, 1], Z(3)] },
  "√ maximum": { f: (x) => sqrt(maximum(x, 0)), at: [-2, 4], slopes: [[0, 0.25]] },
  "minimum with 0": { f: (x) => minimum(x, 0), at: [-2, 0, 3], slopes: [[1, 0.5, 0], Z(3)] },
  "maximum with itself": { f: (x) => maximum(x, x), at: [-2, 0], slopes: [[1, 1]] },
  clip: { f: (x) => clip(x, -1, 1), at: [-2, -1, 0, 1, 2], slopes: [[0, 1, 1, 1, 0], Z(5)] },
  "max, tied": { f: (x) => max(x), at: [3, 1, 3, 2], slopes: [[0.5, 0, 0.5, 0], Z(4)] },
  "min, tied": { f: (x) => min(x), at: [3, 1, 1, 1], slopes: [[0, 1 / 3, 1 / 3, 1 / 3], Z(4)] },
  "max, all equal": { f: (x) => max(x), at: [0, 0, 0, 0], slopes: [[0.25, 0.25, 0.25, 0.25]] },
  "√ max": { f: (x) => sqrt(max(x)), at: [-1, 4], slopes: [[0, 0.25]] },
  "max of rows, tied": {
    f: (x) => mul(max(expandDims(x, 0), { axis: 0 }), 2),
    at: [1, 1],
    slopes: [[2, 2]],
  },
  reciprocal: {
    f: reciprocal,
    at: [2, -0.5],
    slopes: [
      [-0.25, -4],
      [0.25, -16],
    ],
  },
  "√": { f: sqrt, at: [0, 4], slopes: [[INF, 0.25]] },
  lgamma: {
    f: lgamma,
    at: [1, 0, 2, -1],
    slopes: [
      [-EULER, -INF, 1 - EULER, Number.NaN],
      [Math.PI ** 2 / 6, INF, Math.PI ** 2 / 6 - 1, INF],
      [-2 * APERY, -INF, 2 - 2 * APERY, Number.NaN],
    ],
  },
  digamma: { f: digamma, at: [INF, -0.5], slopes: [[0, Math.PI ** 2 / 2 + 4]] },
  erf: { f: erf, at: [-INF, 0, 1e30], slopes: [[0, 2 / Math.sqrt(Math.PI), 0], Z(3)] },
  erfInv: {
    f: erfInv,
    at: [-1, 0, 1],
    slopes: [
      [INF, Math.sqrt(Math.PI) / 2, INF],
      [-INF, 0, INF],
    ],
  },
  erfc: { f: erfc, at: [-INF, 0, 1e30], slopes: [[0, -2 / Math.sqrt(Math.PI), 0], Z(3)] },
  normalCdf: { f: normalCdf, at: [-INF, 0, 1e30], slopes: [[0, 1 / SQRT_2PI, 0], Z(3)] },
  rsqrt: {
    f: rsqrt,
    at: [0, 4, INF],
    slopes: [
      [-INF, -1 / 16, 0],
      [INF, 3 / 128, 0],
    ],
  },
  cbrt: { f: cbrt, at: [0, 8, -1], slopes: [[INF, 1 / 12, 1 / 3]] },
  asin: {
    f: asin,
    at: [-1, 0, 1],
    slopes: [
      [INF, 1, INF],
      [-INF, 0, INF],
    ],
  },
  acos: {
    f: acos,
    at: [-1, 0, 1],
    slopes: [
      [-INF, -1, -INF],
      [INF, 0, -INF],
    ],
  },
  atan: { f: atan, at: [-1e30, 0, 1e30], slopes: [[0, 1, 0], Z(3), [0, -2, 0]] },
  asinh: { f: asinh, at: [-1e30, 0, 1e30], slopes: [[0, 1, 0], Z(3), [0, -1, 0]] },
  acosh: {
    f: acosh,
    at: [1, 1e30, 5 / 4],
    slopes: [
      [INF, 0, 4 / 3],
      [-INF, 0, -80 / 27],
    ],
  },
  atanh: {
    f: atanh,
    at: [-1, 0, 1],
    slopes: [
      [INF, 1, INF],
      [-INF, 0, INF],
    ],
  },
  "hypot with 0": { f: (x) => hypot(x, 0), at: [-2, 0, 1e30], slopes: [[-1, 0, 1]] },
  "hypot with 1": {
    f: (x) => hypot(x, 1),
    at: [-1e30, 0, 1e30],
    slopes: [
      [-1, 0, 1],
      [0, 1, 0],
    ],
  },
  "atan2 with 0": { f: (y) => atan2(y, 0), at: [-1, 0, 1e30], slopes: [Z(3)] },
  "atan2 with 1": {
    f: (y) => atan2(y, 1),
    at: [-1e30, 0, 1],
    slopes: [
      [0, 1, 0.5],
      [0, 0, -0.5],
    ],
  },
  "atan2 of 1": {
    f: (x) => atan2(1, x),
    at: [-1e30, 0, 1],
    slopes: [
      [0, -1, -0.5],
      [0, 0, 0.5],
    ],
  },
  log1p: {
    f: log1p,
    at: [0, 1],
    slopes: [
      [1, 0.5],
      [-1, -0.25],
      [2, 0.25],
    ],
  },
  "gelu by tanh": {
    f: (x) => gelu(x, { approximate: "tanh" }),
    at: [-1e30, 0, 1e30, INF],
    slopes: [
      [0, 0.5, 1, 1],
      [0, 2 / SQRT_2PI, 0, 0],
    ],
  },
  gelu: {
    f: (x) => gelu(x),
    at: [-1e30, 0, 1e30, INF],
    slopes: [
      [0, 0.5, 1, 1],
      [0, 2 / SQRT_2PI, 0, 0],
    ],
  },
  silu: { f: silu, at: [-1e30, 0, 1e30, INF], slopes: [[0, 0.5, 1, 1], [0, 0.5, 0, 0], Z(4)] },
  elu: {
    f: (x) => elu(x),
    at: [-1e30, 0, 2],
    slopes: [
      [0, 1, 1],
      [0, 1, 0],
      [0, 1, 0],
    ],
  },
  softplus: { f: softplus, at: [-1e30, 0, 1e30], slopes: [[0, 0.5, 1], [0, 0.25, 0], Z(3)] },
  tanh: { f: tanh, at: [-1e30, 0, INF], slopes: [[0, 1, 0], Z(3), [0, -2, 0]] },
  sigmoid: { f: sigmoid, at: [-1e30, 0, INF], slopes: [[0, 0.25, 0], Z(3), [0, -0.125, 0]] },
  "cross-entropy of a masked class, by its target": {
    f: (t) => crossEntropy(masked(), expandDims(t, 0)),
    at: [1, 0, 0],
    slopes: [[Math.LN2, 0, Math.LN2]],
  },
  "cross-entropy of a masked class": {
    f: (z) => crossEntropy(expandDims(z, 0), tensor([[1, 0, 0]])),
    at: [0, -INF, 0],
    slopes: [[-0.5, 0, 0.5], Z(3)],
  },
  "binary cross-entropy by its target": {
    f: (t) => binaryCrossEntropy(tensor([0, 1, 0.5]), t, { reduction: "sum" }),
    at: [0, 1, 0.5],
    slopes: [[100, -100, 0]],
  },
  "l2Loss at its target": {
    f: (x) => l2Loss(expandDims(x, 0), zeros([1, 3])),
    at: [0, 0, 0],
    slopes: [Z(3), Z(3), Z(3)],
  },
  "l2Loss in one dimension": {
    f: (x) => l2Loss(x, zeros([3]), { reduction: "sum" }),
    at: [-2, 0, 1e30],
    slopes: [[-1, 0, 1]],
  },
  "l2Normalize of zeros": { f: l2Normalize, at: [0, 0, 0], slopes: [Z(3), Z(3)] },
  "l2Normalize, large": {
    f: (x) => mul(l2Normalize(x), tensor([1, 0])),
    at: [3e30, 4e30],
    slopes: [[0, 0]],
  },
};

/** Logits whose second class is masked. */
function masked(): Tensor {
  return tensor([[0, -INF, 0]]);
}

/** n zeros. */
function Z(n: number): number[] {
  return new Array(n).fill(0);
}

/** The function's derivatives in turn, each of the sum of the one before. */
function derivatives({ f, at, slopes }: Edge): Tensor[] {
  const x = tensor(at);
  let y = f(x);
  return slopes.map(() => {
    [y] = grad(sum(y), [x]);
    return y;
  });
}

describe("derivatives at the edge", () => {
  const all = new Map<string, Tensor[]>();
  beforeAll(() => {
    for (const [name, edge] of Object.entries(EDGES)) all.set(name, derivatives(edge));
    evaluate(...[...all.values()].flat());
  });
  for (const [name, { slopes }] of Object.entries(EDGES)) {
    test(name, async () => {
      const found = await Promise.all((all.get(name) as Tensor[]).map((d) => d.toArray()));
      for (const [order, row] of slopes.entries()) {
        for (const [i, value] of (plain(found[order]) as number[]).entries()) {
          if (Number.isFinite(row[i])) expect(value, `order ${order + 1}`).toBeCloseTo(row[i], 5);
          else expect(value).toBe(row[i]);
        }
      }
    });
  }
});

test("mixed slopes of binary cross-entropy at 0 and 1 are finite", async () => {
  const [p, t] = [tensor([0, 1, 0.5]), tensor([0, 1, 1])];
  const [dt] = grad(binaryCrossEntropy(p, t, { reduction: "sum" }), [t]);
  const [mixed] = grad(sum(dt), [p]);
  expect(await mixed.toArray()).toEqual([-1, -1, -4]); // −1/p − 1/(1 − p), where each has a slope
});

test("slopes of pow by both arguments, in any order, are the formulas", async () => {
  const [a, b] = [tensor([2, 3, 0.5]), tensor([0, 1, 2])];
  const [da, db] = grad(sum(pow(a, b)), [a, b]);
  const [dba] = grad(sum(db), [a]);
  const [dab] = grad(sum(da), [b]);
  const [dabb] = grad(sum(dab), [b]);
  // ∂a∂b aᵇ = aᵇ⁻¹ (1 + b ln a), ∂a∂b² aᵇ = aᵇ⁻¹ ln a (2 + b ln a)
  const [x, y] = [await a.data(), await b.data()];
  const [mixed, twice] = [await dab.data(), await dabb.data()];
  const other = await dba.data();
  for (let i = 0; i < 3; i++) {
    const [slope, log] = [x[i] ** (y[i] - 1), Math.log(x[i])];
    expect(mixed[i]).toBeCloseTo(slope * (1 + y[i] * log), 5);
    expect(other[i]).toBeCloseTo(slope * (1 + y[i] * log), 5);
    expect(twice[i]).toBeCloseTo(slope * log * (2 + y[i] * log), 5);
  }
});

/** Ways by which a result depends on x without a slope. */
const STEPS: Record<string, (x: Tensor) => Tensor> = {
  floor,
  sign,
  "a comparison": (x) => cast(greater(x, 0), "f32"),
  equality: (x) => cast(equal(x, 1), "f32"),
  "a bool's opposite": (x) => cast(logicalNot(greater(x, 0)), "f32"),
  "a condition": (x) => where(greater(x, 0), tensor([1, 2, 3]), 0),
  isNaN: (x) => cast(isNaN(x), "f32"),
  argmax: (x) => cast(argmax(x), "f32"),
  "a cast to whole numbers": (x) => cast(cast(x, "i32"), "f32"),
  oneHot: (x) => oneHot(cast(x, "i32"), 3),
  "an index": (x) => gather(tensor([5, 6, 7]), cast(x, "u32")),
};

describe("what depends by steps has a gradient of zeros", () => {
  for (const [name, f] of Object.entries(STEPS)) {
    test(name, async () => {
      const x = tensor([2, -1.5, 0]);
      const [dx] = grad(sum(f(x)), [x]);
      expect(dx.shape).toEqual([3]);
      expect(await dx.toArray()).toEqual([0, 0, 0]);
      // … and adds nothing to the slope of another way.
      const [both] = grad(withSlope3(f(x), x), [x]);
      expect(await both.toArray()).toEqual([3, 3, 3]);
    });
  }
});

/** Σ f + 3 Σ x. */
function withSlope3(f: Tensor, x: Tensor): Tensor {
  return sub(sum(f), mul(sum(x), -3));
}

test("there is no gradient where there is no path", async () => {
  const x = tensor([1, 2]);
  const none = /^grad: y does not depend on target 0 of shape \[2\]; expected targets/;
  expect(() => grad(sum(square(tensor([1, 2]))), [x])).toThrow(none);
  expect(() => grad(sum(stopGradient(x)), [x])).toThrow(none);
  expect(() => grad(sum(square(stopGradient(floor(x)))), [x])).toThrow(none);
  expect(() => grad(mean(mul(stopGradient(x), stopGradient(square(x)))), [x])).toThrow(GradusError);
  const [dx] = grad(sum(mul(stopGradient(x), x)), [x]);
  expect(await dx.toArray()).toEqual([1, 2]);
});
