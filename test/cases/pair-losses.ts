import { DTypeError, GradusError } from "../../src/index.ts";
import * as losses from "../../src/losses/index.ts";
import type { Input, OpCase } from "../support/op-case.ts";

const x = (...shape: number[]): Input => ({ shape });
const share = (...shape: number[]): Input => ({ shape, low: 0 });
const signs = (n: number): Input => ({ shape: [n], dtype: "i32", low: -1, high: 2 });
const classes = (n: number, high = 3): Input => ({ shape: [n], dtype: "i32", low: 0, high });

/** Three points of unit length, of classes 0, 0 and 1: cosines 0.6, 0 and 0.8. */
const POINTS = [
  [1, 0],
  [0.6, 0.8],
  [0, 1],
];
const LABELS = [0, 0, 1];
const COSINES = [
  [1, 0.6, 0],
  [0.6, 1, 0.8],
  [0, 0.8, 1],
];

const { exp, log, log1p } = Math;
const lse = (...terms: number[]) => log(terms.reduce((sum, term) => sum + exp(term), 0));
const softplus = (value: number) => log1p(exp(value));

export const pairLossCases = {
  marginRanking: {
    calls: [
      { inputs: [x(65), x(65), signs(65)], run: (a, b, t) => losses.marginRanking(a, b, t) },
      {
        inputs: [x(5, 7), x(5, 7), { ...signs(0), shape: [5, 7] }],
        run: (a, b, t) => losses.marginRanking(a, b, t, { margin: 0.5, reduction: "none" }),
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.marginRanking(t([1, 2, 3, 5]), t([2, 1, 3, 0]), t([1, 1, -1, -1], "i32"), {
            margin: 0.5,
            reduction: "none",
          }),
        is: [1.5, 0, 0.5, 5.5],
        by: "max(0, −t (a − b) + 0.5)",
      },
    ],
    rejects: [
      {
        run: (t) => losses.marginRanking(t([1]), t([1, 2]), t([1])),
        says: "marginRanking: outputs [1] with targets [2]; expected equal shapes",
      },
      {
        run: (t) => losses.marginRanking(t([1]), t([1]), t([1]), { margin: -1 }),
        says: "marginRanking: margin -1; expected a finite number from 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  dice: {
    calls: [
      { inputs: [share(5, 65), share(5, 65)], run: (p, t) => losses.dice(p, t) },
      {
        inputs: [share(3, 4, 5), share(3, 4, 5)],
        run: (p, t) => losses.dice(p, t, { squared: true, smooth: 0.1, reduction: "none" }),
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.dice(
            t([
              [1, 0, 0.5],
              [0, 0, 0],
            ]),
            t([
              [1, 1, 0],
              [0, 0, 0],
            ]),
            { reduction: "none" },
          ),
        is: [1 - 3 / 4.5, 0],
        by: "1 − (2 · 1 + 1) / (1.5 + 2 + 1), and nothing where nothing is",
      },
      {
        run: (t) => losses.dice(t([[0.5, 0.5]]), t([[1, 0]]), { squared: true, smooth: 0.5 }),
        is: 1 - 1.5 / 2,
        by: "1 − (2 · 0.5 + 0.5) / (0.5 + 1 + 0.5)",
      },
    ],
    rejects: [
      {
        run: (t) => losses.dice(t([[1]]), t([1])),
        says: "dice: outputs [1, 1] with targets [1]; expected equal shapes",
      },
      {
        run: (t) => losses.dice(t([[1]]), t([[1]]), { smooth: 0 }),
        says: "dice: smooth 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  infoNCE: {
    calls: [
      { inputs: [x(17, 5), x(17, 5)], run: (a, b) => losses.infoNCE(a, b), scale: 10 },
      {
        inputs: [x(6, 70), x(6, 70)],
        run: (a, b) =>
          losses.infoNCE(a, b, {
            symmetric: true,
            normalize: false,
            temperature: 2,
            reduction: "none",
          }),
        scale: 40,
      },
    ],
    golden: [
      {
        run: (t) => losses.infoNCE(t(POINTS), t(POINTS), { temperature: 0.5, reduction: "none" }),
        is: COSINES.map((row) => lse(...row.map((s) => s / 0.5)) - 2),
        by: "log Σⱼ e^(sᵢⱼ / τ) − sᵢᵢ / τ",
      },
      {
        run: (t) =>
          losses.infoNCE(
            t([
              [2, 0],
              [0, 1],
            ]),
            t([
              [1, 0],
              [1, 1],
            ]),
            {
              temperature: 1,
              normalize: false,
              symmetric: true,
              reduction: "none",
            },
          ),
        is: [(lse(2, 2) - 2 + lse(2, 0) - 2) / 2, (lse(0, 1) - 1 + lse(2, 1) - 1) / 2],
        by: "rows and columns of [[2, 2], [0, 1]]",
      },
    ],
    rejects: [
      {
        run: (t) => losses.infoNCE(t([[1]]), t([[1, 2]])),
        says: "infoNCE: embeddings [1, 1], [1, 2]; expected equal shapes",
      },
      {
        run: (t) => losses.infoNCE(t([[1]]), t([[1]]), { temperature: 0 }),
        says: "infoNCE: temperature 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  ntXent: {
    calls: [
      { inputs: [x(9, 5), x(9, 5)], run: (a, b) => losses.ntXent(a, b), scale: 4 },
      {
        inputs: [x(3, 70), x(3, 70)],
        run: (a, b) => losses.ntXent(a, b, { temperature: 0.1, reduction: "none" }),
        scale: 10,
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.ntXent(t([[1, 0]]), t([[0.6, 0.8]]), { temperature: 0.5, reduction: "none" }),
        is: [0],
        by: "there is but one other",
      },
      {
        run: (t) =>
          losses.ntXent(
            t([
              [1, 0],
              [0, 1],
            ]),
            t([
              [0, 1],
              [-1, 0],
            ]),
            {
              temperature: 1,
              reduction: "none",
            },
          ),
        // Views 1, i, i, −1: those of the first example are the first and the third.
        is: [(lse(0, 0, -1) + lse(0, 1, 0)) / 2, (lse(0, 1, 0) + lse(-1, 0, 0)) / 2],
        by: "cosines with all views but the own",
      },
    ],
    rejects: [
      {
        run: (t) => losses.ntXent(t([1]), t([1])),
        says: "ntXent: embeddings [1]; expected [n, features]",
      },
      {
        run: (t) => losses.ntXent(t([]).reshape([0, 2]), t([]).reshape([0, 2])),
        says: "ntXent: embeddings [0, 2]; expected at least one row",
      },
    ],
    gradient: true,
  },
  supervisedContrastive: {
    calls: [
      {
        inputs: [x(17, 5), classes(17)],
        run: (e, labels) => losses.supervisedContrastive(e, labels),
        scale: 16,
      },
      {
        inputs: [x(6, 70), classes(6, 2)],
        run: (e, labels) =>
          losses.supervisedContrastive(e, labels, { temperature: 0.5, reduction: "none" }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.supervisedContrastive(t(POINTS), t(LABELS, "i32"), {
            temperature: 1,
            reduction: "none",
          }),
        is: [lse(0.6, 0) - 0.6, lse(0.6, 0.8) - 0.6, 0],
        by: "of pairs of class 0; nothing of the one that is alone",
      },
      {
        run: (t) => losses.supervisedContrastive(t(POINTS), t(LABELS, "i32"), { temperature: 1 }),
        is: (lse(0.6, 0) - 0.6 + lse(0.6, 0.8) - 0.6) / 2,
        by: "the mean of both that have a pair",
      },
      {
        run: (t) => losses.supervisedContrastive(t(POINTS), t([0, 1, 2], "i32")),
        is: 0,
        by: "nobody has a pair",
      },
    ],
    rejects: [
      {
        run: (t) => losses.supervisedContrastive(t(POINTS), t([0, 1], "i32")),
        says: "supervisedContrastive: labels [2]; expected [3], one for each example",
      },
    ],
    gradient: true,
  },
  multiSimilarity: {
    calls: [
      {
        inputs: [x(17, 5), classes(17)],
        run: (e, labels) => losses.multiSimilarity(e, labels, { epsilon: 3 }),
        scale: 8,
      },
      {
        inputs: [x(6, 70), classes(6, 2)],
        run: (e, labels) =>
          losses.multiSimilarity(e, labels, {
            ...{ alpha: 1, beta: 3, base: 0, epsilon: 3, reduction: "none" },
          }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.multiSimilarity(t(POINTS), t(LABELS, "i32"), {
            ...{ alpha: 2, beta: 10, base: 0.5, epsilon: 1, reduction: "none" },
          }),
        is: [
          softplus(-0.2) / 2 + softplus(-5) / 10,
          softplus(-0.2) / 2 + softplus(3) / 10,
          0, // it has no pair of its class, so that no other pair is hard
        ],
        by: "the formula",
      },
      {
        run: (t) =>
          losses.multiSimilarity(t(POINTS), t(LABELS, "i32"), { beta: 10, reduction: "none" }),
        is: [0, softplus(-0.2) / 2 + softplus(3) / 10, 0],
        by: "pairs that are easy do not count: 0.6 is above 0 + 0.1",
      },
    ],
    rejects: [
      {
        run: (t) => losses.multiSimilarity(t(POINTS), t(LABELS, "i32"), { base: 2 }),
        says: "multiSimilarity: base 2; expected -1 to 1",
        error: GradusError,
      },
      {
        run: (t) => losses.multiSimilarity(t(POINTS), t(LABELS, "i32"), { beta: 0 }),
        says: "multiSimilarity: beta 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: true,
  },
  circle: {
    calls: [
      {
        inputs: [x(17, 5), classes(17)],
        run: (e, labels) => losses.circle(e, labels, { scale: 8 }),
        scale: 16,
      },
      {
        inputs: [x(6, 70), classes(6, 2)],
        run: (e, labels) => losses.circle(e, labels, { margin: 0.4, reduction: "none" }),
        scale: 300,
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.circle(t(POINTS), t(LABELS, "i32"), { margin: 0.25, scale: 4, reduction: "none" }),
        is: [
          softplus(4 * 0.25 * (0 - 0.25) - 4 * 0.65 * (0.6 - 0.75)),
          softplus(4 * 1.05 * (0.8 - 0.25) - 4 * 0.65 * (0.6 - 0.75)),
          0,
        ],
        by: "weights 0.25 and 1.05 of others, 0.65 of the own",
      },
    ],
    rejects: [
      {
        run: (t) => losses.circle(t(POINTS), t(LABELS, "i32"), { margin: 2 }),
        says: "circle: margin 2; expected 0 to 1",
        error: GradusError,
      },
      {
        run: (t) => losses.circle(t(POINTS), t(LABELS, "i32"), { scale: 0 }),
        says: "circle: scale 0; expected a finite number above 0",
        error: GradusError,
      },
    ],
    gradient: "its weights count as constants",
  },
  ctc: {
    calls: [
      {
        inputs: [
          x(3, 6, 5),
          { shape: [3, 2], dtype: "i32", low: 1, high: 5 },
          { shape: [3], dtype: "i32", low: 6, high: 7 },
          classes(3),
        ],
        run: (y, targets, times, lengths) =>
          losses.ctc(y, targets, times, lengths, { zeroInfinity: true }),
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.ctc(
            t([
              [
                [log(0.5), log(0.3), log(0.2)],
                [log(0.6), log(0.1), log(0.3)],
              ],
            ]),
            t([[1]], "i32"),
            t([2], "i32"),
            t([1], "i32"),
            { reduction: "none" },
          ),
        is: [-log(0.5 * 0.1 + 0.3 * 0.6 + 0.3 * 0.1)],
        by: "the paths _1, 1_ and 11",
      },
      {
        run: (t) =>
          losses.ctc(
            t([
              [
                [-1, -2, -3],
                [-1, -2, -3],
              ],
              [
                [-1, -2, -3],
                [-1, -2, -3],
              ],
            ]),
            t(
              [
                [2, 1],
                [2, 2],
              ],
              "i32",
            ),
            t([2, 2], "i32"),
            t([2, 2], "i32"),
            { weights: t([1, 2]), zeroInfinity: true },
          ),
        is: (3 + 2) / 2 / 2,
        by: "the path 21, by its two labels and two examples; none gives 22",
      },
    ],
    rejects: [
      {
        run: (t) => losses.ctc(t([[1]]), t([[1]], "i32"), t([1], "i32"), t([1], "i32")),
        says: "ctc: logProbs [1, 1]; expected [n, time, classes]",
      },
      {
        run: (t) => losses.ctc(t([[[1]]]), t([1], "i32"), t([1], "i32"), t([1], "i32")),
        says: "ctc: targets [1]; expected [1, length]",
      },
      {
        run: (t) => losses.ctc(t([[[1]]]), t([[1]]), t([1], "i32"), t([1], "i32")),
        says: "ctc: targets have dtype f32; expected i32 or u32",
        error: DTypeError,
      },
      {
        run: (t) => losses.ctc(t([[[1]]]), t([[1]], "i32"), t([1, 1], "i32"), t([1], "i32")),
        says: "ctc: inputLengths [2]; expected [1]",
      },
      {
        run: (t) => losses.ctc(t([[[1]]]), t([[1]], "i32"), t([1], "i32"), t([1])),
        says: "ctc: targetLengths have dtype f32; expected i32 or u32",
        error: DTypeError,
      },
      {
        run: (t) =>
          losses.ctc(t([[[1, 2]]]), t([[1]], "i32"), t([1], "i32"), t([1], "i32"), { blank: 2 }),
        says: "ctc: blank 2; expected an integer from 0 to 1",
        error: GradusError,
      },
    ],
    gradient: true,
  },
} satisfies Record<string, OpCase>;
