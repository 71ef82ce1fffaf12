import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  argmax,
  argmin,
  cast,
  clip,
  concat,
  type Device,
  div,
  elu,
  equal,
  evaluate,
  exp,
  full,
  gelu,
  grad,
  isFinite,
  isNaN,
  leakyRelu,
  log,
  logSigmoid,
  logSoftmax,
  logSumExp,
  matmul,
  max,
  maximum,
  min,
  minimum,
  mul,
  notEqual,
  pow,
  relu,
  reshape,
  sigmoid,
  sign,
  silu,
  slice,
  softmax,
  softplus,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
} from "../../src/index.ts";
import { expectWithin } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { tolerance } from "../support/op-case.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const EXTREMES = [0, 1e-6, -1e-6, 5, -5, 20, -20, 87, -87, 89, -89, 120, -120, 1e4, -1e4];

function expectNear(actual: ArrayLike<number>, expected: readonly number[]): void {
  expectWithin(actual, expected, (y) => tolerance(y));
}

const sigma = (x: number) => (x >= 0 ? 1 / (1 + Math.exp(-x)) : Math.exp(x) / (1 + Math.exp(x)));
const GELU = 2 * Math.sqrt(2 / Math.PI);
const cubic = (x: number) => GELU * (x + 0.044715 * x ** 3);
const geluSlope = (x: number) => {
  const s = sigma(cubic(x));
  return s + x * s * sigma(-cubic(x)) * GELU * (1 + 3 * 0.044715 * x ** 2);
};
const plus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));

describe("values and slopes at extremes", () => {
  const functions: [string, (x: Tensor) => Tensor, (x: number) => number, (x: number) => number][] =
    [
      ["sigmoid", sigmoid, sigma, (x) => sigma(x) * sigma(-x)],
      ["tanh", tanh, Math.tanh, (x) => 1 - Math.tanh(x) ** 2],
      ["softplus", softplus, plus, sigma],
      ["logSigmoid", logSigmoid, (x) => -plus(-x), (x) => sigma(-x)],
      ["leakyRelu", leakyRelu, (x) => (x > 0 ? x : 0.01 * x), (x) => (x > 0 ? 1 : 0.01)],
      ["elu", elu, (x) => (x > 0 ? x : Math.expm1(x)), (x) => (x > 0 ? 1 : Math.exp(x))],
      ["silu", silu, (x) => x * sigma(x), (x) => sigma(x) + x * sigma(x) * sigma(-x)],
      [
        "gelu by tanh",
        (x) => gelu(x, { approximate: "tanh" }),
        (x) => x * sigma(cubic(x)),
        geluSlope,
      ],
    ];
  // Far out: [value, slope] at −∞, −1e38, −1e19, 1e19, 1e38 and ∞, where the formulas overflow.
  const FAR = [Number.NEGATIVE_INFINITY, -1e38, -1e19, 1e19, 1e38, Number.POSITIVE_INFINITY];
  const limits: Record<string, [below: number, above: number]> = {
    sigmoid: [0, 1],
    tanh: [-1, 1],
    elu: [-1, 1],
    softplus: [0, 1],
    logSigmoid: [1, 0],
    leakyRelu: [0.01, 1],
    silu: [0, 1],
    gelu: [0, 1],
    "gelu by tanh": [0, 1],
    relu: [0, 1],
  };
  const flat = ["sigmoid", "tanh"];
  for (const [name, op] of [
    ...functions,
    ["relu", relu] as const,
    ["gelu", (x: Tensor) => gelu(x)] as const,
  ]) {
    test(`${name} at ±1e19, ±1e38 and ±∞`, async () => {
      const [low, high] = limits[name];
      const bounded = (limit: number) => flat.includes(name) || (name === "elu" && limit < 0);
      const values = FAR.map((x) => {
        const limit = x < 0 ? low : high;
        return bounded(limit) ? limit : limit * x || 0;
      });
      const x = tensor(FAR);
      const y = op(x);
      const [dx] = grad(sum(y), [x]);
      evaluate(y, dx);
      expectNear(await y.data(), values);
      const slopes = FAR.map((v) => (bounded(v < 0 ? low : high) ? 0 : v < 0 ? low : high));
      expectNear(await dx.data(), slopes);
    });
  }

  for (const [name, op, value, slope] of functions) {
    test(name, async () => {
      const x = tensor(EXTREMES);
      const y = op(x);
      const [dx] = grad(sum(y), [x]);
      const exact = EXTREMES.map(Math.fround);
      expectNear(await dx.data(), exact.map(slope));
      expectNear(await op(tensor(EXTREMES)).data(), exact.map(value));
    });
  }

  test("exp and log", async () => {
    const big = [88, 89, 120, 1e4, -1e4, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY];
    const over = Number.POSITIVE_INFINITY;
    const [at88] = await exp(tensor([88])).data();
    expect(Math.abs(at88 / Math.exp(88) - 1)).toBeLessThan(1e-5);
    expectNear((await exp(tensor(big)).data()).slice(1), [over, over, over, 0, over, 0]);
    expectNear(await log(tensor([0, -1, 1e-30, over])).data(), [
      -over,
      Number.NaN,
      Math.log(1e-30),
      over,
    ]);
  });

  test("pow", async () => {
    const a = [10, -2, -2, 0, 0, 2, -8];
    const b = [2, 3, 0.5, 0, -1, -3, 2];
    const expected = a.map((x, i) => x ** b[i]);
    expectNear(await pow(tensor(a), tensor(b)).data(), expected);
  });
});

describe("rows of extreme logits", () => {
  const rows = [
    [89, -89, 0],
    [1e4, 1e4 - 1, -1e4],
    [-120, -121, -119],
    [Number.NEGATIVE_INFINITY, 1, 2],
  ];
  const reference = (row: number[]) => {
    const top = Math.max(...row);
    const total = row.reduce((t, v) => t + Math.exp(v - top), 0);
    return { top, total };
  };

  for (const length of [3, 200]) {
    const padded = rows.map((row) => [
      ...row,
      ...new Array(length - 3).fill(Number.NEGATIVE_INFINITY),
    ]);
    test(`softmax, logSoftmax, logSumExp over ${length}`, async () => {
      const x = tensor(padded);
      const probabilities = padded.flatMap((row) => {
        const { top, total } = reference(row);
        return row.map((v) => Math.exp(v - top) / total);
      });
      expectNear(await softmax(x).data(), probabilities);
      const logs = padded.flatMap((row) => {
        const { top, total } = reference(row);
        return row.map((v) => v - top - Math.log(total));
      });
      expectNear(await logSoftmax(x).data(), logs);
      const sums = padded.map((row) => reference(row).top + Math.log(reference(row).total));
      expectNear(await logSumExp(x, { axis: 1 }).data(), sums);
    });
  }

  test("the slope of logSumExp is the softmax", async () => {
    const x = tensor(rows);
    const [dx] = grad(sum(logSumExp(x, { axis: 1 })), [x]);
    expectNear(await dx.data(), [...(await softmax(tensor(rows)).data())]);
  });

  test("a row that is all masked", async () => {
    const x = full([2, 5], Number.NEGATIVE_INFINITY);
    expectNear(await softmax(x).data(), new Array(10).fill(Number.NaN));
    expectNear(await logSumExp(x, { axis: 1 }).data(), new Array(2).fill(Number.NEGATIVE_INFINITY));
  });
});

describe("NaN, infinities and zeros of both signs", () => {
  const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
  const pairs = () => [tensor([nan, 1, -0, 0, inf]), tensor([1, nan, 0, -0, -inf])] as const;
  const rows: [string, () => Tensor, number[]][] = [
    ["relu", () => relu(tensor([nan, -0, -2, inf, -inf])), [nan, 0, 0, inf, 0]],
    ["sign", () => sign(tensor([nan, -0, 0, inf, -inf])), [nan, -0, 0, 1, -1]],
    ["clip", () => clip(tensor([nan, inf, -inf]), -1, 1), [nan, 1, -1]],
    ["maximum", () => maximum(...pairs()), [nan, nan, 0, 0, inf]],
    ["minimum", () => minimum(...pairs()), [nan, nan, -0, -0, -inf]],
    ["notEqual", () => notEqual(...pairs()), [1, 1, 0, 0, 1]],
    ["equal", () => equal(tensor([nan]), nan), [0]],
    ["x · 0", () => mul(tensor([nan, inf, -3, 3]), 0), [nan, nan, -0, 0]],
    ["0 / x", () => div(0, tensor([nan, inf, 0, -3])), [nan, 0, nan, -0]],
    ["x + 0", () => add(tensor([-0, nan]), 0), [0, nan]],
    ["0 − x", () => sub(0, tensor([0, nan])), [0, nan]],
    ["x − (−0)", () => sub(tensor([-0, 1]), -0), [0, 1]],
    ["max", () => max(tensor([1, nan, 2])), [nan]],
    ["min, NaN last", () => min(tensor([1, 2, nan])), [nan]],
    ["max of zeros", () => max(tensor([-0, 0, -0])), [0]],
    ["min of zeros", () => min(tensor([0, -0, 0])), [-0]],
    ["argmax", () => argmax(tensor([1, nan, inf, nan])), [1]],
    ["argmin", () => argmin(tensor([1, 0, nan, -inf])), [2]],
    ["argmax, NaN first", () => argmax(tensor([nan, 3])), [0]],
    ["logSumExp", () => logSumExp(tensor([inf, 0])), [inf]],
    ["logSumExp of two infinities", () => logSumExp(tensor([inf, -inf, inf])), [inf]],
    ["logSumExp of a NaN", () => logSumExp(tensor([inf, nan])), [nan]],
    ["softmax of an infinity", () => softmax(tensor([inf, 0])), [nan, nan]],
    ["empty / empty", () => div(sum(tensor([])), sum(tensor([]))), [nan]],
    ["a diverged layer", () => relu(matmul(tensor([[nan, 1]]), tensor([[1], [0]]))), [nan]],
    ["as whole numbers", () => cast(tensor([nan, inf, -inf]), "i32"), [0, 2 ** 31 - 1, -(2 ** 31)]],
    ["as bools", () => cast(tensor([nan, inf, -0, 0.1]), "bool"), [1, 1, 0, 1]],
  ];
  for (const [name, run, expected] of rows) {
    test(name, async () => {
      expect([...(await run().data())]).toEqual(expected);
    });
  }

  // The same rows within an argmax of a workgroup each.
  test("argmax of the first NaN of a long row", async () => {
    const x = Float32Array.from({ length: 3 * 700 }, (_, i) => Math.sin(i));
    x[400] = nan;
    x[650] = nan;
    x[700 + 699] = nan;
    const y = argmax(tensor(x, { shape: [3, 700] }), { axis: 1 });
    const third = x.subarray(1400).indexOf(Math.max(...x.subarray(1400)));
    expect([...(await y.data())]).toEqual([400, 699, third]);
  });
});

test("NaN and infinities are seen by their bits", async () => {
  const x = tensor([Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 3e38, 0]);
  expect(await isNaN(x).toArray()).toEqual([1, 0, 0, 0, 0]);
  expect(await isFinite(x).toArray()).toEqual([0, 0, 0, 1, 1]);
});

test("a sum of a million numbers is accurate", async () => {
  const n = 1_000_000;
  const values = Float32Array.from({ length: n }, (_, i) => 0.1 + (i % 7) * 1e-3);
  const exact = values.reduce((total, v) => total + v, 0);
  expect(Math.abs((await sum(tensor(values)).item()) / exact - 1)).toBeLessThan(1e-6);
});

test("views of views are read in place", async () => {
  const x = reshape(tensor(Float32Array.from({ length: 24 }, (_, i) => i)), [2, 3, 4]);
  const y = slice(transpose(x, [2, 0, 1]), [{ start: 1, step: 2 }, { start: 1 }, { end: 2 }]);
  const z = concat([reshape(y, [4]), reshape(transpose(y), [4])]);
  expect(await z.toArray()).toEqual([13, 17, 15, 19, 13, 17, 15, 19]);
});

test("the device is still well", () => {
  expect(() => device.check("test")).not.toThrow();
});
