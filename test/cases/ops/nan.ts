import { GradusError, grad, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { axisReject, N, unaryRejects, x } from "../../support/op-calls.ts";
import type { Call, OpCases } from "../../support/op-case.ts";

const INF = Number.POSITIVE_INFINITY;

/** Some numbers made NaN, so that they count in neither value nor gradient. */
const withNaN = (a: Tensor) => ops.where(ops.greater(a, 0.5), N, a);

const calls = (f: (a: Tensor, options?: object) => Tensor): Call[] => [
  { inputs: [x(5, 70)], run: (a) => f(withNaN(a), { axis: 1 }) },
  { inputs: [x(6, 4, 5)], run: (a) => f(withNaN(a), { axis: [0, -1], keepDims: true }) },
  { inputs: [x(30)], run: (a) => f(withNaN(a)) },
];

const slopes = (f: (a: Tensor) => Tensor, a: Tensor) => grad(ops.sum(f(a)), [a])[0];

export const nanCases = {
  nanToNum: {
    calls: [{ inputs: [x(13, 5)], run: (a) => ops.nanToNum(withNaN(a), { nan: 3 }) }],
    golden: [
      {
        run: (t) => ops.nanToNum(t([N, 1, INF, -INF]), { nan: 2, posInf: 3, negInf: -4 }),
        is: [2, 1, 3, -4],
        by: "by hand",
      },
      {
        run: (t) => {
          const y = ops.nanToNum(t([INF, -INF, N]));
          return ops.logicalXor(ops.isFinite(y), ops.isFinite(ops.mul(y, 1.0001)));
        },
        is: [1, 1, 0],
        by: "the largest numbers, and 0",
      },
      { run: (t) => slopes(ops.nanToNum, t([N, 1, INF])), is: [0, 1, 0], by: "PyTorch" },
    ],
    rejects: [
      ...unaryRejects("nanToNum"),
      {
        run: (t) => ops.nanToNum(t([1]), { nan: "0" as never }),
        says: 'nanToNum: nan "0"; expected a number',
        error: GradusError,
      },
    ],
    gradient: true,
  },
  nanSum: {
    calls: calls(ops.nanSum),
    golden: [
      {
        run: (t) =>
          ops.nanSum(
            t([
              [1, N, 2],
              [N, N, N],
            ]),
            { axis: 1 },
          ),
        is: [3, 0],
        by: "NumPy",
      },
      { run: (t) => slopes(ops.nanSum, t([N, 1])), is: [0, 1], by: "PyTorch" },
    ],
    rejects: [axisReject("nanSum"), ...unaryRejects("nanSum")],
    gradient: true,
  },
  nanMean: {
    calls: calls(ops.nanMean),
    golden: [
      {
        run: (t) =>
          ops.nanMean(
            t([
              [1, N, 2],
              [N, N, N],
            ]),
            { axis: 1 },
          ),
        is: [1.5, N],
        by: "NumPy",
      },
      { run: (t) => slopes(ops.nanMean, t([N, 1, 3])), is: [0, 0.5, 0.5], by: "PyTorch" },
      { run: (t) => ops.nanMean(t([])), is: N, by: "of nothing" },
    ],
    rejects: [axisReject("nanMean"), ...unaryRejects("nanMean")],
    gradient: true,
  },
} satisfies OpCases;
