import { grad, type Tensor } from "../../../src/index.ts";
import type { CumulativeOptions } from "../../../src/ops/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisReject, N, signed, unaryRejects, x } from "../../support/op-calls.ts";
import type { Call, Golden, Input, OpCases } from "../../support/op-case.ts";

const INF = Number.POSITIVE_INFINITY;
const [LOWEST, HIGHEST] = [-(2 ** 31), 2 ** 31 - 1];

type Cumulative = (x: Tensor, options?: CumulativeOptions) => Tensor;

/** All ways to go along an axis, at lengths around those at which rows are cut into runs. */
function cumulativeCalls(f: Cumulative, input = x): Call[] {
  return [
    { inputs: [input(5)], run: (a) => f(a) },
    { inputs: [input(1)], run: (a) => f(a, { exclusive: true }) },
    { inputs: [input(3, 4, 2)], run: (a) => f(a, { axis: 1, exclusive: true }) },
    { inputs: [input(4, 3)], run: (a) => f(ops.transpose(a), { axis: 0, reverse: true }) },
    { inputs: [input(2, 5)], run: (a) => f(a, { reverse: true, exclusive: true }) },
    { inputs: [input(0)], run: (a) => f(a) },
    { inputs: [input(2, 0)], run: (a) => f(a, { exclusive: true }) },
    { inputs: [input(0, 3)], run: (a) => f(a, { reverse: true }) },
    ...[64, 128, 129, 690].map((n) => ({
      inputs: [input(2, n)],
      run: (a: Tensor) => f(a, { reverse: n === 690 }),
      scale: Math.sqrt(n),
    })),
    { inputs: [input(71, 8)], run: (a) => f(a, { axis: 0 }), scale: 4 },
  ];
}

/** In place of infinities, which differences do not know, numbers. */
function limited(f: Cumulative): Cumulative {
  return (a, options) => ops.clip(f(a, options), -100, 100);
}

/** Slopes of a weighted sum of the results, which tells apart from where they come. */
function slopes(f: Cumulative, options?: CumulativeOptions): Golden["run"] {
  return (t) => {
    const a = t([2, 0, 4, 0, 3]);
    const weights = t([1, 10, 100, 1000, 10_000]);
    return grad(ops.sum(ops.mul(f(a, options), weights)), [a])[0];
  };
}

const near = (...shape: number[]): Input => ({ shape, low: 0.9, high: 1.1 });
const FLOATS = "f32, f64";
const NUMBERS = "f32, f64, i32, u32";

export const cumulativeCases = {
  cumSum: {
    calls: [
      ...cumulativeCalls(ops.cumSum),
      { inputs: [signed(3, 700)], run: (a) => ops.cumSum(a, { exclusive: true }) },
    ],
    golden: [
      { run: (t) => ops.cumSum(t([1, 2, 3, 4])), is: [1, 3, 6, 10], by: "by hand" },
      {
        run: (t) => ops.cumSum(t([1, 2, 3, 4]), { exclusive: true }),
        is: [0, 1, 3, 6],
        by: "by hand",
      },
      {
        run: (t) => ops.cumSum(t([1, 2, 3, 4]), { reverse: true }),
        is: [10, 9, 7, 4],
        by: "by hand",
      },
      {
        run: (t) => ops.cumSum(t([1, 2, 3, 4]), { exclusive: true, reverse: true }),
        is: [9, 7, 4, 0],
        by: "by hand",
      },
      {
        run: (t) => ops.cumSum(t([HIGHEST, 1, HIGHEST], "i32")),
        is: [HIGHEST, LOWEST, -1],
        by: "modulo 2³²",
      },
      {
        run: (t) => ops.cumSum(t([1, INF, -INF, 1])),
        is: [1, INF, N, N],
        by: "infinities of both signs have no sum",
      },
      { run: slopes(ops.cumSum), is: [11111, 11110, 11100, 11000, 10000], by: "by hand" },
      {
        run: slopes(ops.cumSum, { exclusive: true, reverse: true }),
        is: [0, 1, 11, 111, 1111],
        by: "by hand",
      },
    ],
    rejects: [axisReject("cumSum"), ...unaryRejects("cumSum", NUMBERS)],
    gradient: true,
  },
  cumProd: {
    calls: [
      ...cumulativeCalls(ops.cumProd, near),
      { inputs: [x(2, 6)], run: (a) => ops.cumProd(ops.where(ops.less(ops.abs(a), 0.4), 0, a)) },
      { inputs: [signed(3, 200)], run: (a) => ops.cumProd(a) },
    ],
    golden: [
      { run: (t) => ops.cumProd(t([1, 2, 3, 4])), is: [1, 2, 6, 24], by: "by hand" },
      {
        run: (t) => ops.cumProd(t([1, 2, 3, 4]), { exclusive: true, reverse: true }),
        is: [24, 12, 4, 1],
        by: "by hand",
      },
      {
        run: (t) => ops.cumProd(t([65537, 65537, 3], "i32")),
        is: [65537, 131073, 393219],
        by: "modulo 2³²",
      },
      { run: (t) => ops.cumProd(t([2, 0, INF, 1])), is: [2, 0, N, N], by: "0 · ∞ is no number" },
      // 2, 2b, 2bc, …: of b 2 · 10 + 2 · 4 · 100, of the others no more than b leaves.
      { run: slopes(ops.cumProd), is: [1, 820, 0, 0, 0], by: "by hand, with zeros" },
      {
        run: (t) => {
          const a = t([2, 0, 4]);
          const [first] = grad(ops.sum(ops.cumProd(a)), [a]) as [Tensor];
          return grad(ops.sum(ops.mul(first, t([1, 10, 100]))), [a])[0];
        },
        // y = a + ab + abc; ∂a = 1 + b + bc, ∂b = a + ac, ∂c = ab.
        is: [50, 1 + 4 + 100 * 2, 10 * 2],
        by: "second slopes by hand",
      },
    ],
    rejects: [axisReject("cumProd"), ...unaryRejects("cumProd", NUMBERS)],
    gradient: true,
  },
  cumMax: {
    calls: [
      ...cumulativeCalls(limited(ops.cumMax)),
      { inputs: [signed(3, 200)], run: (a) => ops.cumMax(a, { exclusive: true }) },
    ],
    golden: [
      { run: (t) => ops.cumMax(t([1, 3, 2, 5, 4])), is: [1, 3, 3, 5, 5], by: "by hand" },
      {
        run: (t) => ops.cumMax(t([1, 3, 2]), { exclusive: true }),
        is: [-INF, 1, 3],
        by: "of nothing",
      },
      {
        run: (t) => ops.cumMax(t([1, 3, 2], "i32"), { exclusive: true }),
        is: [LOWEST, 1, 3],
        by: "of nothing",
      },
      { run: (t) => ops.cumMax(t([-INF, N, 2])), is: [-INF, N, N], by: "NaN stays" },
      { run: slopes(ops.cumMax), is: [11, 0, 11100, 0, 0], by: "by hand" },
      {
        run: (t) => {
          const a = t([1, 2, 2, N, 5]);
          const y = ops.mul(ops.cumMax(a), t([1, 10, 100, 1000, 10_000]));
          return grad(ops.sum(y), [a])[0];
        },
        is: [1, 110, 0, 11_000, 0],
        by: "the first of equal ones, and the first NaN",
      },
    ],
    rejects: [axisReject("cumMax"), ...unaryRejects("cumMax", NUMBERS)],
    gradient: true,
  },
  cumMin: {
    calls: [
      ...cumulativeCalls(limited(ops.cumMin)),
      { inputs: [signed(3, 200)], run: (a) => ops.cumMin(a, { exclusive: true }) },
    ],
    golden: [
      {
        run: (t) => ops.cumMin(t([4, 3, 5, 1, 2]), { reverse: true }),
        is: [1, 1, 1, 1, 2],
        by: "by hand",
      },
      {
        run: (t) => ops.cumMin(t([1, 3, 2], "i32"), { exclusive: true }),
        is: [HIGHEST, 1, 1],
        by: "of nothing",
      },
      { run: (t) => ops.cumMin(t([INF, N, 2])), is: [INF, N, N], by: "NaN stays" },
      { run: slopes(ops.cumMin), is: [1, 11110, 0, 0, 0], by: "by hand" },
    ],
    rejects: [axisReject("cumMin"), ...unaryRejects("cumMin", NUMBERS)],
    gradient: true,
  },
  cumLogSumExp: {
    calls: [
      ...cumulativeCalls(limited(ops.cumLogSumExp)),
      {
        inputs: [{ shape: [2, 150], low: -80, high: 80 }],
        run: (a) => ops.cumLogSumExp(a),
        scale: 100,
      },
    ],
    golden: [
      {
        run: (t) => ops.cumLogSumExp(t([1000, 1000, -1000, 1000 + Math.LN2])),
        is: [1000, 1000 + Math.LN2, 1000 + Math.LN2, 1000 + Math.log(4)],
        by: "closed form",
      },
      {
        run: (t) => ops.cumLogSumExp(t([-INF, -INF, 2, -INF, INF, 1, N])),
        is: [-INF, -INF, 2, 2, INF, INF, N],
        by: "closed form",
      },
      {
        run: (t) => ops.cumLogSumExp(t([3, 1]), { exclusive: true }),
        is: [-INF, 3],
        by: "of nothing",
      },
      {
        run: (t) => {
          const a = t([-INF, 0, -INF, 0, Math.LN2]);
          const y = ops.mul(ops.cumLogSumExp(a), t([1, 1, 1, 2, 4]));
          return grad(ops.sum(ops.where(ops.isFinite(y), y, 0)), [a])[0];
        },
        is: [0, 4, 0, 2, 2],
        by: "shares of each sum by hand; what is masked has none",
      },
      {
        run: (t) => {
          const a = t([0, 200, -200, 400]);
          return grad(ops.sum(ops.cumLogSumExp(a)), [a])[0];
        },
        is: [1, 2, 0, 1],
        by: "shares of each sum, whose exponentials would overflow",
      },
    ],
    rejects: [axisReject("cumLogSumExp"), ...unaryRejects("cumLogSumExp", FLOATS)],
    gradient: true,
  },
} satisfies OpCases;
