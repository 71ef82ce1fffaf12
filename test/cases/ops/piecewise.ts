import { GradusError } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { around, valueAndSlope } from "../../support/activation-case.ts";
import { N, unaryRejects, x } from "../../support/op-calls.ts";
import type { OpCases } from "../../support/op-case.ts";

const within = (low: number, high: number) => (v: number) => Math.min(high, Math.max(low, v));
const inside = (low: number, high: number) => (v: number) => (v > low && v < high ? 1 : 0);
const sixth = (v: number) => within(0, 6)(v + 3) / 6;

export const piecewiseCases = {
  relu6: {
    calls: around(ops.relu6),
    golden: [
      valueAndSlope(ops.relu6, within(0, 6), inside(0, 6)),
      { run: (t) => ops.relu6(t([-2, 3, 9], "i32")), is: [0, 3, 6], by: "definition" },
    ],
    rejects: unaryRejects("relu6", "f32, f64, i32"),
    gradient: true,
  },
  hardTanh: {
    calls: around((a) => ops.hardTanh(a, -2, 0.5)),
    golden: [
      valueAndSlope(ops.hardTanh, within(-1, 1), inside(-1, 1)),
      { run: (t) => ops.hardTanh(t([-1, 1, 3]), 2, 2), is: [2, 2, 2], by: "equal limits" },
    ],
    rejects: [
      ...unaryRejects("hardTanh"),
      {
        run: (t) => ops.hardTanh(t([1]), 1, 0),
        says: "hardTanh: low 1, high 0; expected low ≤ high",
        error: GradusError,
      },
      {
        run: (t) => ops.hardTanh(t([1]), Number.NEGATIVE_INFINITY),
        says: "hardTanh: low -Infinity; expected a finite number",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  hardSigmoid: {
    calls: around(ops.hardSigmoid),
    golden: [valueAndSlope(ops.hardSigmoid, sixth, (v) => inside(-3, 3)(v) / 6)],
    rejects: unaryRejects("hardSigmoid"),
    gradient: true,
  },
  hardSwish: {
    calls: around(ops.hardSwish),
    golden: [
      valueAndSlope(
        ops.hardSwish,
        (v) => (v <= -3 ? 0 : v >= 3 ? v : v * sixth(v)),
        (v) => (v <= -3 || Number.isNaN(v) ? 0 : v >= 3 ? 1 : v / 3 + 0.5),
      ),
    ],
    rejects: unaryRejects("hardSwish"),
    gradient: true,
  },
  prelu: {
    calls: [
      { inputs: [{ shape: [13, 5], low: -7, high: 8 }, x(5)], run: (a, b) => ops.prelu(a, b) },
    ],
    golden: [
      {
        run: (t) =>
          ops.prelu(
            t([
              [-2, 0, 3],
              [-4, N, -1],
            ]),
            t([0.5, 1, -2]),
          ),
        is: [
          [-1, 0, 3],
          [-2, N, 2],
        ],
        by: "definition",
      },
      valueAndSlope(
        (a) => ops.prelu(a, ops.mul(ops.sign(ops.add(ops.square(ops.clip(a, -1, 1)), 1)), 0.25)),
        (v) => (v > 0 ? v : v / 4),
        (v) => (v > 0 ? 1 : 0.25),
        [-1e38, -2, 0, 2, 1e38],
      ),
    ],
    rejects: [
      ...unaryRejects("prelu").map((reject) => ({
        ...reject,
        run: (t: Parameters<typeof reject.run>[0]) => ops.prelu(t([true]), t([true])),
      })),
      {
        run: (t) => ops.prelu(t([1]), t([1], "i32")),
        says: "prelu: dtypes FLOAT and i32 differ; expected one dtype. cast one of them",
      },
    ],
    gradient: true,
  },
  softShrink: {
    calls: around((a) => ops.softShrink(a, 2)),
    golden: [
      valueAndSlope(
        ops.softShrink,
        (v) => v - within(-0.5, 0.5)(v),
        (v) => (Math.abs(v) <= 0.5 ? 0 : 1),
      ),
    ],
    rejects: [
      ...unaryRejects("softShrink"),
      {
        run: (t) => ops.softShrink(t([1]), -1),
        says: "softShrink: lambda -1; expected a finite number from 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  hardShrink: {
    calls: around((a) => ops.hardShrink(a, 2)),
    golden: [
      valueAndSlope(
        ops.hardShrink,
        (v) => (Math.abs(v) <= 0.5 ? 0 : v),
        (v) => (Math.abs(v) <= 0.5 ? 0 : 1),
      ),
    ],
    rejects: [
      ...unaryRejects("hardShrink"),
      {
        run: (t) => ops.hardShrink(t([1]), N),
        says: "hardShrink: lambda NaN; expected a finite number from 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  threshold: {
    calls: around((a) => ops.threshold(a, 1, -3)),
    golden: [
      valueAndSlope(
        (a) => ops.threshold(a, 0.5, 7),
        (v) => (v <= 0.5 ? 7 : v),
        (v) => (v <= 0.5 ? 0 : 1),
      ),
    ],
    rejects: [
      ...unaryRejects("threshold").map((reject) => ({
        ...reject,
        run: (t: Parameters<typeof reject.run>[0]) => ops.threshold(t([true]), 0, 0),
      })),
      {
        run: (t) => ops.threshold(t([1]), 0, N),
        says: "threshold: value NaN; expected a finite number",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies OpCases;
