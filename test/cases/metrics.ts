import { DTypeError, GradusError, ShapeError } from "../../src/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import type { Input, OpCase, Reject } from "../support/op-case.ts";

const x = (...shape: number[]): Input => ({ shape });
const labels = (classes: number, n: number): Input => ({
  shape: [n],
  dtype: "i32",
  low: 0,
  high: classes,
});
const counts = (...shape: number[]): Input => ({ shape, low: 0, high: 9 });

// Rows are labels: three of class 0, two of class 1, none of class 2.
const CONFUSION = [
  [1, 0, 2],
  [0, 2, 0],
  [0, 0, 0],
];

const COUNTS = "counts have no slope";

const rejectsOf = (name: "precision" | "recall" | "f1"): Reject[] => [
  {
    run: (t) => metrics[name](t([[1, 2]])),
    says: `${name}: shape [1, 2]; expected a square [c, c]`,
  },
  {
    run: (t) => metrics[name](t([[1]]), { average: "most" as "macro" }),
    says: `${name}: average most; expected none, macro, micro`,
    error: GradusError,
  },
];

const rate = (
  name: "precision" | "recall" | "f1",
  each: number[],
  macro: number,
  micro: number,
): OpCase => ({
  calls: (["none", "macro", "micro"] as const).map((average) => ({
    inputs: [counts(4, 4)],
    run: (m) => metrics[name](m, { average }),
  })),
  golden: [
    {
      run: (t) => metrics[name](t(CONFUSION), { average: "none" }),
      is: each,
      by: "counted by hand; 0 where nothing is to be divided",
    },
    { run: (t) => metrics[name](t(CONFUSION)), is: macro, by: "mean over three classes" },
    {
      run: (t) => metrics[name](t(CONFUSION), { average: "micro" }),
      is: micro,
      by: "three of five are right",
    },
  ],
  rejects: rejectsOf(name),
  gradient: COUNTS,
});

const mismatch = (name: "binaryAccuracy" | "r2Score"): Reject => ({
  run: (t) => metrics[name](t([1, 2]), t([[1, 2]])),
  says: `${name}: outputs [2] with targets [1, 2]; expected equal shapes`,
});

export const metricCases = {
  correct: {
    calls: [{ inputs: [x(70, 5), labels(5, 70)], run: (z, t) => metrics.correct(z, t) }],
    golden: [
      {
        run: (t) =>
          metrics.correct(
            t([
              [1, 2],
              [3, 3],
              [0, 1],
            ]),
            t([1, 0, 0], "i32"),
          ),
        is: [1, 1, 0],
        by: "definition; the first of equal ones",
      },
    ],
    rejects: [
      {
        run: (t) => metrics.correct(t([[1, 2]]), t([0, 1], "i32")),
        says:
          "correct: logits [1, 2] with i32 labels [2]; " +
          "expected [n, c] with integers [n] or floats [n, c]",
        error: ShapeError,
      },
    ],
    gradient: "a bool",
  },
  accuracy: {
    calls: [
      { inputs: [x(70, 5), labels(5, 70)], run: (z, t) => metrics.accuracy(z, t) },
      { inputs: [x(7, 5), x(7, 5)], run: (z, t) => metrics.accuracy(z, t) },
    ],
    golden: [
      {
        run: (t) =>
          metrics.accuracy(
            t([
              [1, 2],
              [3, 3],
              [0, 1],
              [0, 1],
            ]),
            t([1, 0, 0, 1], "i32"),
          ),
        is: 0.75,
        by: "definition",
      },
    ],
    rejects: [],
    gradient: COUNTS,
  },
  topKAccuracy: {
    calls: [1, 2, 5].map((k) => ({
      inputs: [x(70, 5), labels(5, 70)],
      run: (z, t) => metrics.topKAccuracy(z, t, k),
    })),
    golden: [
      {
        run: (t) =>
          metrics.topKAccuracy(
            t([
              [3, 2, 1],
              [3, 2, 1],
              [3, 2, 1],
              [1, 1, 1],
              [3, 2, 1],
              [0, Number.NaN, 0],
            ]),
            t([0, 1, 2, 2, 3, 1], "i32"),
            2,
          ),
        is: 0.5,
        by: "definition; a tie is right, a label outside and NaN are wrong",
      },
    ],
    rejects: [
      {
        run: (t) => metrics.topKAccuracy(t([1, 2]), t([0], "i32"), 1),
        says: "topKAccuracy: logits [2] with labels [1]; expected [n, c] with [n]",
      },
      {
        run: (t) => metrics.topKAccuracy(t([[1, 2]]), t([0], "i32"), 0),
        says: "topKAccuracy: k 0; expected an integer from 1",
        error: GradusError,
      },
    ],
    gradient: COUNTS,
  },
  confusionMatrix: {
    calls: [
      {
        inputs: [labels(6, 200), labels(6, 200)],
        run: (p, t) => metrics.confusionMatrix(p, t, 5),
      },
      { inputs: [x(70, 5), labels(5, 70)], run: (z, t) => metrics.confusionMatrix(z, t, 5) },
    ],
    golden: [
      {
        run: (t) =>
          metrics.confusionMatrix(t([0, 2, 2, 1, 1, 0], "i32"), t([0, 0, 0, 1, 1, 7], "u32"), 3),
        is: CONFUSION,
        by: "counted by hand; the label 7 is none",
      },
      {
        run: (t) =>
          metrics.confusionMatrix(
            t([
              [2, 1],
              [1, 2],
            ]),
            t([1, 1], "i32"),
            2,
          ),
        is: [
          [0, 0],
          [1, 1],
        ],
        by: "the largest score",
      },
    ],
    rejects: [
      {
        run: (t) => metrics.confusionMatrix(t([[2, 1]]), t([1], "i32"), 1.5),
        says: "confusionMatrix: classes 1.5; expected a positive integer",
      },
      {
        run: (t) => metrics.confusionMatrix(t([[2, 1]]), t([1], "i32"), 3),
        says:
          "confusionMatrix: predictions [1, 2] with labels [1]; " +
          "expected integers [n] or scores [n, 3], labels [n]",
      },
      {
        run: (t) => metrics.confusionMatrix(t([1], "i32"), t([1]), 3),
        says:
          "confusionMatrix: predictions have dtype i32, labels FLOAT; " +
          "expected i32, u32, u8, i8, u16 or i16 labels",
        error: DTypeError,
      },
    ],
    gradient: COUNTS,
  },
  precision: rate("precision", [1, 1, 0], 2 / 3, 0.6),
  recall: rate("recall", [1 / 3, 1, 0], 4 / 9, 0.6),
  f1: rate("f1", [0.5, 1, 0], 0.5, 0.6),
  binaryAccuracy: {
    calls: [
      { inputs: [x(70), labels(2, 70)], run: (y, t) => metrics.binaryAccuracy(y, t) },
      {
        inputs: [x(7, 3), x(7, 3)],
        run: (y, t) => metrics.binaryAccuracy(y, t, { threshold: 0 }),
      },
    ],
    golden: [
      {
        run: (t) => metrics.binaryAccuracy(t([0.4, 0.6, 0.5, 0.9]), t([0, 1, 0, 0], "i32")),
        is: 0.75,
        by: "definition; ½ itself counts as 0",
      },
      {
        run: (t) => metrics.binaryAccuracy(t([-1, 0.1]), t([true, true]), { threshold: 0 }),
        is: 0.5,
        by: "definition",
      },
    ],
    rejects: [mismatch("binaryAccuracy")],
    gradient: COUNTS,
  },
  r2Score: {
    calls: [
      { inputs: [x(70), x(70)], run: metrics.r2Score, scale: 4 },
      { inputs: [x(5, 3), x(5, 3)], run: metrics.r2Score, scale: 8 },
    ],
    golden: [
      {
        run: (t) => metrics.r2Score(t([2.5, 0, 2, 8]), t([3, -0.5, 2, 7])),
        is: 1 - 1.5 / 29.1875,
        by: "definition",
      },
      { run: (t) => metrics.r2Score(t([1, 1]), t([1, 1])), is: 1, by: "equal targets, hit" },
      { run: (t) => metrics.r2Score(t([1, 2]), t([1, 1])), is: 0, by: "equal targets, missed" },
    ],
    rejects: [
      mismatch("r2Score"),
      {
        run: (t) => metrics.r2Score(t([1], "i32"), t([1])),
        says: "r2Score: outputs have dtype i32; expected f32 or f64",
      },
    ],
    gradient: true,
  },
} satisfies Partial<Record<keyof typeof metrics, OpCase>>;
