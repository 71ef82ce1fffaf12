import { DTypeError, GradusError, grad, ShapeError, type Tensor } from "../../src/index.ts";
import type { LossOptions } from "../../src/losses/index.ts";
import * as losses from "../../src/losses/index.ts";
import { logSoftmax, mul, square } from "../../src/ops/index.ts";
import type { Call, Golden, Input, Make, OpCase, Reject } from "../support/op-case.ts";

type Loss = (y: Tensor, target: Tensor, options?: LossOptions) => Tensor;
type Name = keyof typeof losses;

const x = (...shape: number[]): Input => ({ shape });
const wide = (...shape: number[]): Input => ({ shape, low: -4, high: 4 });
const share = (...shape: number[]): Input => ({ shape, low: 0.05, high: 0.95 });
const positive = (...shape: number[]): Input => ({ shape, low: 0.2, high: 3 });
const bits = (...shape: number[]): Input => ({ shape, dtype: "i32", low: 0, high: 2 });
const labels = (classes: number, n: number): Input => ({
  shape: [n],
  dtype: "i32",
  low: 0,
  high: classes,
});

/** Calls with outputs and targets of one shape: each reduction, weights of both shapes, an edge. */
function pairCalls(f: Loss, y = wide, target = y): Call[] {
  return [
    { inputs: [y(65, 3), target(65, 3)], run: (a, t) => f(a, t) },
    { inputs: [y(7, 2), target(7, 2)], run: (a, t) => f(a, t, { reduction: "none" }) },
    { inputs: [y(4, 3), target(4, 3)], run: (a, t) => f(a, t, { reduction: "sum" }), scale: 8 },
    { inputs: [y(5, 2), target(5, 2), x(5)], run: (a, t, weights) => f(a, t, { weights }) },
    { inputs: [y(5), target(5), x(5)], run: (a, t, weights) => f(a, t, { weights }) },
    { inputs: [y(0, 2), target(0, 2)], run: (a, t) => f(a, t, { reduction: "sum" }) },
  ];
}

/** Such calls for losses of rows: a vector alone has one loss, and none of its elements a weight. */
const rowCalls = (...given: Parameters<typeof pairCalls>): Call[] =>
  pairCalls(...given).filter(({ inputs: [y, , weights] }) => !weights || y.shape.length > 1);

/** Calls with scores of classes: labels, soft targets, weights, rows around a workgroup. */
function classCalls(f: Loss, y = x, soft = true): Call[] {
  const calls: Call[] = [
    { inputs: [y(5, 3), labels(3, 5)], run: (z, t) => f(z, t) },
    { inputs: [y(66, 4), labels(4, 66)], run: (z, t) => f(z, t, { reduction: "sum" }), scale: 99 },
    { inputs: [y(4, 70), labels(70, 4)], run: (z, t) => f(z, t, { reduction: "none" }), scale: 4 },
    { inputs: [y(5, 3), labels(3, 5), x(5)], run: (z, t, weights) => f(z, t, { weights }) },
  ];
  return soft ? [...calls, { inputs: [y(5, 3), share(5, 3)], run: (z, t) => f(z, t) }] : calls;
}

const shapeReject = (name: Name): Reject => ({
  run: (t) => (losses[name] as Loss)(t([1, 2]), t([[1, 2]])),
  says: `${name}: outputs [2] with targets [1, 2]; expected equal shapes`,
});

const pairRejects = (name: Name): Reject[] => [
  shapeReject(name),
  {
    run: (t) => (losses[name] as Loss)(t([1, 2], "i32"), t([1, 2])),
    says: `${name}: outputs have dtype i32; expected f32 or f64`,
  },
  {
    run: (t) => (losses[name] as Loss)(t([1, 2]), t([1, 2]), { weights: t([1, 2, 3]) }),
    says: `${name}: weights [3]; expected [2] or [n]`,
  },
  {
    run: (t) => (losses[name] as Loss)(t([1]), t([1]), { reduction: "max" as "mean" }),
    says: `${name}: reduction max; expected mean, sum, none`,
    error: GradusError,
  },
];

const classRejects = (name: Name): Reject[] => [
  {
    run: (t) => (losses[name] as Loss)(t([1, 2]), t([0, 1], "i32")),
    says: `${name}: logits [2] with i32 targets [2]; expected [n, c] with integers [n] or floats [n, c]`,
    error: ShapeError,
  },
  {
    run: (t) => (losses[name] as Loss)(t([[[1, 2]]]), t([0], "i32")),
    says: `${name}: logits [1, 1, 2] with i32 targets [1]; expected [n, c] with integers [n] or floats [n, c]`,
    error: ShapeError,
  },
  {
    run: (t) => (losses[name] as Loss)(t([1, 2]), t([0], "i32")),
    says: `${name}: logits [2] with i32 targets [1]; expected [n, c] with integers [n] or floats [n, c]`,
    error: ShapeError,
  },
  {
    run: (t) => (losses[name] as Loss)(t([[1, 2]]), t([true])),
    says: `${name}: logits [1, 2] with bool targets [1]; expected [n, c] with integers [n] or floats [n, c]`,
    error: DTypeError,
  },
  {
    run: (t) => (losses[name] as Loss)(t([[1, 2]]), t([0], "i32"), { reduction: "max" as "mean" }),
    says: `${name}: reduction max; expected mean, sum, none`,
    error: GradusError,
  },
];

const scalarReject = (name: Name): Reject => ({
  run: (t) => (losses[name] as Loss)(t(1), t(1)),
  says: `${name}: a scalar; expected examples along axis 0`,
});

const option = (run: Reject["run"], says: string): Reject => ({ run, says, error: GradusError });

/** The losses of single elements, by a formula in float64. */
function elements(f: Loss, y: number[], target: number[], is: number[], by: string): Golden {
  return { run: (t) => f(t(y), t(target), { reduction: "none" }), is, by };
}

const [Y, T] = [
  [1, -2, 0.5, 3, 0],
  [1, 2, -0.25, 1, 0.5],
];
const D = Y.map((y, i) => y - T[i]);
const on = (f: (d: number) => number) => D.map(f);
const softplus = (z: number) => Math.max(z, 0) + Math.log1p(Math.exp(-Math.abs(z)));
const sigmoid = (z: number) => 1 / (1 + Math.exp(-z));
const huge = (t: Make) => t([89, -89, 120, -120, 1e4, -1e4]);
const HUGE = [89, 89, 120, 120, 1e4, 1e4];

export const lossCases = {
  crossEntropy: {
    calls: [
      ...classCalls(losses.crossEntropy),
      ...classCalls(losses.crossEntropy, wide),
      ...classCalls((z, t, o) => losses.crossEntropy(z, t, { ...o, labelSmoothing: 0.1 })),
      {
        inputs: [wide(6, 4), labels(4, 6)],
        run: (z, t) => losses.crossEntropy(z, t, { ignoreIndex: 1 }),
      },
      {
        inputs: [wide(6, 4), labels(4, 6), positive(4)],
        run: (z, t, classWeights) =>
          losses.crossEntropy(z, t, { classWeights, labelSmoothing: 0.2, ignoreIndex: 2 }),
      },
      {
        inputs: [wide(6, 4), share(6, 4), positive(4)],
        run: (z, t, classWeights) =>
          losses.crossEntropy(z, t, { classWeights, labelSmoothing: 0.2 }),
        scale: 8,
      },
    ],
    golden: [
      {
        run: (t) => losses.crossEntropy(t([[0, 0]]), t([1], "i32")),
        is: Math.LN2,
        by: "closed form",
      },
      {
        run: (t) =>
          losses.crossEntropy(
            t([
              [0, 0],
              [0, 0],
            ]),
            t([1, 0], "i32"),
            { weights: t([3, 1], "i32") },
          ),
        is: 2 * Math.LN2,
        by: "(3 + 1) ln 2 over 2 losses",
      },
      {
        run: (t) =>
          losses.crossEntropy(
            t([
              [0, 0],
              [0, 0],
              [5, 0],
            ]),
            t([0, 1, 2], "i32"),
            { classWeights: t([1, 3]), ignoreIndex: 2 },
          ),
        is: Math.LN2,
        by: "(1 + 3) ln 2 / (1 + 3)",
      },
      {
        run: (t) =>
          losses.crossEntropy(
            t([
              [0, 1],
              [7, 0],
            ]),
            t([1, -100], "i32"),
            { ignoreIndex: -100 },
          ),
        is: softplus(-1),
        by: "the mean leaves the ignored one out",
      },
      {
        run: (t) => losses.crossEntropy(t([[0, 1]]), t([1], "i32"), { labelSmoothing: 0.5 }),
        is: 0.75 * softplus(-1) + 0.25 * softplus(1),
        by: "targets ¼ and ¾",
      },
      ...[{}, { labelSmoothing: 0.1 }].flatMap((more) =>
        [false, true].map((asSlope) => ({
          run: (t: Make) => {
            const z = t([[0, 1]]);
            const loss = losses.crossEntropy(z, t([1], "i32"), { ignoreIndex: 1, ...more });
            return asSlope ? grad(loss, [z])[0] : loss;
          },
          is: asSlope ? [[0, 0]] : 0,
          by: "nothing counts",
        })),
      ),
      {
        run: (t) => {
          const z = t([[0, 1]]);
          const loss = losses.crossEntropy(z, t([1], "i32"), { classWeights: t([1, 0]) });
          return grad(loss, [z])[0];
        },
        is: [[0, 0]],
        by: "a class that weighs nothing",
      },
    ],
    rejects: [
      ...classRejects("crossEntropy"),
      option(
        (t) => losses.crossEntropy(t([[1, 2]]), t([[1, 0]]), { ignoreIndex: 1 }),
        "crossEntropy: ignoreIndex with probabilities; expected labels",
      ),
      option(
        (t) => losses.crossEntropy(t([[1, 2]]), t([1], "i32"), { ignoreIndex: 0.5 }),
        "crossEntropy: ignoreIndex 0.5; expected an integer",
      ),
      option(
        (t) => losses.crossEntropy(t([[1, 2]]), t([[1, 0]]), { labelSmoothing: 2 }),
        "crossEntropy: labelSmoothing 2; expected 0 to 1",
      ),
      {
        run: (t) => losses.crossEntropy(t([[1, 2]]), t([[1, 0]]), { classWeights: t([1]) }),
        says: "crossEntropy: classWeights [1]; expected [2]",
      },
    ],
    gradient: true,
  },
  smoothLabels: {
    calls: [
      { inputs: [labels(4, 5)], run: (t) => losses.smoothLabels(t, 4, 0.1) },
      { inputs: [share(5, 4)], run: (t) => losses.smoothLabels(t, 4, 0.1) },
    ],
    golden: [
      {
        run: (t) => losses.smoothLabels(t([1, 2], "i32"), 2, 0.5),
        is: [
          [0.25, 0.75],
          [0, 0],
        ],
        by: "definition; a label outside has no target",
      },
      {
        run: (t) => losses.smoothLabels(t(1, "i32"), 2, 0.5),
        is: [0.25, 0.75],
        by: "definition, one label alone",
      },
      {
        run: (t) => losses.smoothLabels(t([[0, 1]], "i32"), 2, 0.5),
        is: [
          [
            [0.75, 0.25],
            [0.25, 0.75],
          ],
        ],
        by: "definition, labels along two axes",
      },
      {
        run: (t) => losses.smoothLabels(t([[[1, 0]]]), 2, 0.5),
        is: [[[0.75, 0.25]]],
        by: "definition, probabilities along the last of three axes",
      },
    ],
    rejects: [
      {
        run: (t) => losses.smoothLabels(t([[1, 0]]), 3, 0.1),
        says: "smoothLabels: targets [1, 2]; expected 3 classes last",
      },
      {
        run: (t) => losses.smoothLabels(t([1], "i32"), 0, 0.1),
        says: "smoothLabels: classes 0; expected a positive integer",
      },
      option(
        (t) => losses.smoothLabels(t([[1, 0]]), 2, -1),
        "smoothLabels: epsilon -1; expected 0 to 1",
      ),
    ],
    gradient: true,
  },
  negativeLogLikelihood: {
    calls: classCalls((z, t, o) => losses.negativeLogLikelihood(logSoftmax(z), t, o)),
    golden: [
      {
        run: (t) => losses.negativeLogLikelihood(t([[-1, -2]]), t([1], "u32")),
        is: 2,
        by: "definition",
      },
      {
        run: (t) => losses.negativeLogLikelihood(t([[-1, Number.NEGATIVE_INFINITY]]), t([[1, 0]])),
        is: 1,
        by: "0 · ∞ counts as 0",
      },
    ],
    rejects: classRejects("negativeLogLikelihood"),
    gradient: true,
  },
  categoricalCrossEntropy: {
    calls: classCalls(losses.categoricalCrossEntropy, share),
    golden: [
      {
        run: (t) =>
          losses.categoricalCrossEntropy(t([[0.25, 0.75]]), t([[1, 0]]), { reduction: "none" }),
        is: [-Math.log(0.25 + 1e-7)],
        by: "formula",
      },
      {
        run: (t) => losses.categoricalCrossEntropy(t([[0, 1]]), t([0], "i32")),
        is: -Math.log(1e-7),
        by: "formula at p = 0",
      },
    ],
    rejects: classRejects("categoricalCrossEntropy"),
    gradient: true,
  },
  binaryCrossEntropy: {
    calls: [
      ...pairCalls(losses.binaryCrossEntropy, share),
      ...pairCalls(losses.binaryCrossEntropy, share, bits),
    ],
    golden: [
      elements(
        losses.binaryCrossEntropy,
        [0.25, 0.75, 0, 1, 0],
        [1, 0.5, 0, 0, 1],
        [-Math.log(0.25), -0.5 * Math.log(0.75) - 0.5 * Math.log(0.25), 0, 100, 100],
        "formula, logarithms from −100",
      ),
    ],
    rejects: pairRejects("binaryCrossEntropy"),
    gradient: true,
  },
  binaryCrossEntropyWithLogits: {
    calls: [
      ...pairCalls(losses.binaryCrossEntropyWithLogits, wide, share),
      ...pairCalls(losses.binaryCrossEntropyWithLogits, wide, bits),
      {
        inputs: [wide(5, 3), bits(5, 3), positive(3)],
        run: (z, t, posWeight) => losses.binaryCrossEntropyWithLogits(z, t, { posWeight }),
      },
    ],
    golden: [
      elements(
        (z, t, o) => losses.binaryCrossEntropyWithLogits(z, t, { ...o, posWeight: 3 }),
        [0, 2, -2, 20],
        [1, 0, 1, 1],
        [3 * Math.LN2, softplus(2), 3 * softplus(2), 3 * softplus(-20)],
        "formula",
      ),
      {
        run: (t) =>
          losses.binaryCrossEntropyWithLogits(huge(t), t([0, 1, 0, 1, 0, 1]), {
            reduction: "none",
          }),
        is: HUGE,
        by: "softplus(z) → z",
      },
      ...[3, [3, 3], [[3, 3]]].map((weight) => ({
        run: (t: Make) =>
          losses.binaryCrossEntropyWithLogits(t([[0, 2]]), t([[1, 0]]), {
            posWeight: t(weight),
            reduction: "none",
          }),
        is: [[3 * Math.LN2, softplus(2)]],
        by: "formula, the weight along none, one and all of the axes",
      })),
    ],
    rejects: [
      ...pairRejects("binaryCrossEntropyWithLogits"),
      ...(
        [
          [[1], "1"],
          [[[1, 2]], "1, 2"],
        ] as [number[], string][]
      ).map(
        ([weight, shape]): Reject => ({
          run: (t) =>
            losses.binaryCrossEntropyWithLogits(t([1, 2]), t([0, 1]), { posWeight: t(weight) }),
          says:
            `binaryCrossEntropyWithLogits: posWeight [${shape}] with logits [2]; ` +
            "expected a number or the sizes of the last axes",
        }),
      ),
      option(
        (t) => losses.binaryCrossEntropyWithLogits(t([1]), t([0]), { posWeight: -1 }),
        "binaryCrossEntropyWithLogits: posWeight -1; expected a finite number from 0",
      ),
    ],
    gradient: true,
  },
  meanSquaredError: {
    calls: pairCalls(losses.meanSquaredError),
    golden: [
      elements(
        losses.meanSquaredError,
        Y,
        T,
        on((d) => d * d),
        "definition",
      ),
    ],
    rejects: pairRejects("meanSquaredError"),
    gradient: true,
  },
  quadratic: {
    calls: pairCalls(losses.quadratic),
    golden: [
      { run: (t) => losses.quadratic(t([[1, 2]]), t([[0, 5]])), is: 5, by: "½ (1 + 9)" },
      elements(
        losses.quadratic,
        Y,
        T,
        on((d) => (d * d) / 2),
        "definition",
      ),
    ],
    rejects: [...pairRejects("quadratic"), scalarReject("quadratic")],
    gradient: true,
  },
  sumOfSquares: {
    calls: pairCalls(losses.sumOfSquares).map((call) => ({ ...call, scale: 400 })),
    golden: [
      {
        run: (t) =>
          losses.sumOfSquares(
            t([
              [1, 2],
              [0, 0],
            ]),
            t([
              [0, 5],
              [2, 0],
            ]),
          ),
        is: 7,
        by: "½ (1 + 9 + 4)",
      },
    ],
    rejects: [...pairRejects("sumOfSquares"), scalarReject("sumOfSquares")],
    gradient: true,
  },
  l2Loss: {
    calls: pairCalls(losses.l2Loss),
    golden: [
      {
        run: (t) =>
          losses.l2Loss(
            t([
              [3, 4],
              [1, 1],
            ]),
            t([
              [0, 0],
              [1, 1],
            ]),
            { reduction: "none" },
          ),
        is: [5, 0],
        by: "Pythagoras",
      },
    ],
    rejects: [...pairRejects("l2Loss"), scalarReject("l2Loss")],
    gradient: true,
  },
  meanSquaredLogarithmicError: {
    calls: pairCalls(losses.meanSquaredLogarithmicError, positive),
    golden: [
      elements(
        losses.meanSquaredLogarithmicError,
        [0, 3, -1],
        [Math.E - 1, 1, 0],
        [1, Math.LN2 ** 2, 0],
        "closed form; −1 counts as 0",
      ),
    ],
    rejects: pairRejects("meanSquaredLogarithmicError"),
    gradient: true,
  },
  meanAbsoluteError: {
    calls: pairCalls(losses.meanAbsoluteError),
    golden: [elements(losses.meanAbsoluteError, Y, T, on(Math.abs), "definition")],
    rejects: pairRejects("meanAbsoluteError"),
    gradient: true,
  },
  meanAbsolutePercentageError: {
    calls: pairCalls(losses.meanAbsolutePercentageError, positive).map((call) => ({
      ...call,
      scale: 99,
    })),
    golden: [
      elements(
        losses.meanAbsolutePercentageError,
        [2, 3, 1e-7],
        [4, -2, 0],
        [50, 250, 100],
        "definition",
      ),
    ],
    rejects: pairRejects("meanAbsolutePercentageError"),
    gradient: true,
  },
  huber: {
    calls: pairCalls((y, t, o) => losses.huber(y, t, { ...o, delta: 1.5 })),
    golden: [
      elements(
        losses.huber,
        Y,
        T,
        on((d) => (Math.abs(d) <= 1 ? (d * d) / 2 : Math.abs(d) - 0.5)),
        "definition",
      ),
    ],
    rejects: [
      ...pairRejects("huber"),
      option(
        (t) => losses.huber(t([1]), t([1]), { delta: 0 }),
        "huber: delta 0; expected a finite number above 0",
      ),
    ],
    gradient: true,
  },
  smoothL1: {
    calls: [
      ...pairCalls((y, t, o) => losses.smoothL1(y, t, { ...o, beta: 0.5 })),
      ...pairCalls((y, t, o) => losses.smoothL1(y, t, { ...o, beta: 0 })),
    ],
    golden: [
      elements(
        (y, t, o) => losses.smoothL1(y, t, { ...o, beta: 2 }),
        Y,
        T,
        on((d) => (Math.abs(d) < 2 ? (d * d) / 4 : Math.abs(d) - 1)),
        "definition",
      ),
    ],
    rejects: [
      ...pairRejects("smoothL1"),
      option(
        (t) => losses.smoothL1(t([1]), t([1]), { beta: -1 }),
        "smoothL1: beta -1; expected a finite number from 0",
      ),
    ],
    gradient: true,
  },
  logCosh: {
    calls: pairCalls(losses.logCosh),
    golden: [
      elements(
        losses.logCosh,
        Y,
        T,
        on((d) => Math.log(Math.cosh(d))),
        "definition",
      ),
      {
        run: (t) => losses.logCosh(huge(t), t([0, 0, 0, 0, 0, 0]), { reduction: "none" }),
        is: HUGE.map((d) => d - Math.LN2),
        by: "|d| − ln 2",
      },
      {
        run: (t) => mul(losses.logCosh(t([1e-6, 1e-3]), t([0, 0]), { reduction: "none" }), 1e12),
        is: [0.5 - 1e-12 / 12, 1e12 * (5e-7 - 1e-12 / 12 + 1e-18 / 45)],
        by: "Taylor series: no digits lost",
      },
    ],
    rejects: pairRejects("logCosh"),
    gradient: true,
  },
  pinball: {
    calls: pairCalls((y, t, o) => losses.pinball(y, t, { ...o, q: 0.8 })),
    golden: [
      elements(
        (y, t, o) => losses.pinball(y, t, { ...o, q: 0.75 }),
        Y,
        T,
        on((d) => (d > 0 ? 0.25 * d : -0.75 * d)),
        "definition",
      ),
    ],
    rejects: [
      ...pairRejects("pinball"),
      option((t) => losses.pinball(t([1]), t([1]), { q: 1.5 }), "pinball: q 1.5; expected 0 to 1"),
    ],
    gradient: true,
  },
  poissonNLL: {
    calls: [
      ...pairCalls(losses.poissonNLL, x, positive),
      ...pairCalls(
        (y, t, o) => losses.poissonNLL(y, t, { ...o, logInput: false, full: true }),
        positive,
      ),
    ],
    golden: [
      elements(losses.poissonNLL, [0, 1], [2, 3], [1, Math.E - 3], "definition"),
      elements(
        (y, t, o) => losses.poissonNLL(y, t, { ...o, logInput: false, full: true, epsilon: 0 }),
        [2, 2],
        [1, 3],
        [2 - Math.LN2, 2 - 3 * Math.LN2 + 3 * Math.log(3) - 3 + 0.5 * Math.log(6 * Math.PI)],
        "definition with Stirling's formula",
      ),
    ],
    rejects: [
      ...pairRejects("poissonNLL"),
      option(
        (t) => losses.poissonNLL(t([1]), t([1]), { epsilon: -1 }),
        "poissonNLL: epsilon -1; expected a finite number from 0",
      ),
    ],
    gradient: true,
  },
  gaussianNLL: {
    calls: [
      ...pairCalls((y, t, o) => losses.gaussianNLL(y, t, square(t), o), x, positive),
      {
        inputs: [x(5, 2), x(5, 2), positive(5, 2)],
        run: (y, t, v) => losses.gaussianNLL(y, t, v, { full: true }),
      },
    ],
    golden: [
      {
        run: (t) =>
          losses.gaussianNLL(t([1, 0]), t([3, 0]), t([4, 0]), { reduction: "none", full: true }),
        is: [
          0.5 * (Math.log(4) + 1 + Math.log(2 * Math.PI)),
          0.5 * (Math.log(1e-6) + Math.log(2 * Math.PI)),
        ],
        by: "the density; a variance of 0 counts as 1e-6",
      },
    ],
    rejects: [
      {
        run: (t) => losses.gaussianNLL(t([1]), t([1]), t([[1]])),
        says: "gaussianNLL: variance [1, 1] with outputs [1]; expected equal shapes",
      },
      option(
        (t) => losses.gaussianNLL(t([1]), t([1]), t([1]), { epsilon: 0 }),
        "gaussianNLL: epsilon 0; expected a finite number above 0",
      ),
    ],
    gradient: true,
  },
  klDivergence: {
    calls: [
      ...rowCalls(losses.klDivergence, x, share),
      ...rowCalls((y, t, o) => losses.klDivergence(y, t, { ...o, logInput: false }), share),
      ...rowCalls((y, t, o) => losses.klDivergence(y, t, { ...o, logTarget: true }), x),
    ],
    golden: [
      {
        run: (t) =>
          losses.klDivergence(
            t([
              [0.25, 0.75],
              [1, 0],
            ]),
            t([
              [0.5, 0.5],
              [1, 0],
            ]),
            {
              reduction: "none",
              logInput: false,
            },
          ),
        is: [0.5 * Math.log(2) + 0.5 * Math.log(2 / 3), 0],
        by: "definition",
      },
      {
        run: (t) => losses.klDivergence(t([[0, Number.NEGATIVE_INFINITY]]), t([[1, 0]]), {}),
        is: 0,
        by: "0 · ∞ counts as 0",
      },
    ],
    rejects: [
      ...pairRejects("klDivergence").slice(0, 2),
      {
        run: (t) => losses.klDivergence(t(1), t(1)),
        says: "klDivergence: a scalar; expected at least one axis",
      },
    ],
    gradient: true,
  },
  cosineSimilarity: {
    calls: [
      { inputs: [x(5, 3), x(5, 3)], run: (a, b) => losses.cosineSimilarity(a, b) },
      { inputs: [x(5, 3), x(5, 3)], run: (a, b) => losses.cosineSimilarity(a, b, { axis: 0 }) },
    ],
    golden: [
      {
        run: (t) =>
          losses.cosineSimilarity(
            t([
              [3, 4],
              [0, 0],
            ]),
            t([
              [4, 3],
              [1, 2],
            ]),
          ),
        is: [24 / 25, 0],
        by: "definition; 0 for zeros",
      },
      {
        run: (t) => {
          const lengths = [3e30, 1, 1e-20, 1e-30];
          const [a, b] = [
            [3, 4],
            [4, 3],
          ].map((v) => t(lengths.map((length) => v.map((x) => x * length))));
          return losses.cosineSimilarity(a, b, { epsilon: 1e-36 });
        },
        is: [24 / 25, 24 / 25, 24 / 25, 24 / 25],
        by: "lengths whose squares overflow or vanish in f32",
      },
    ],
    rejects: [
      shapeReject("cosineSimilarity"),
      {
        run: (t) => losses.cosineSimilarity(t([1]), t([1]), { epsilon: 0 }),
        says: "cosineSimilarity: epsilon 0; expected a finite number from 1e-36",
        error: GradusError,
      },
      {
        run: (t) => losses.cosineSimilarity(t([1]), t([1]), { axis: 1 }),
        says: "cosineSimilarity: axis 1; expected an integer in [-1, 0] for rank 1",
      },
    ],
    gradient: true,
  },
  cosineDistance: {
    calls: rowCalls(losses.cosineDistance),
    golden: [
      {
        run: (t) =>
          losses.cosineDistance(
            t([
              [3, 4],
              [1, 0],
            ]),
            t([
              [4, 3],
              [-5, 0],
            ]),
          ),
        is: (1 / 25 + 2) / 2,
        by: "definition",
      },
    ],
    rejects: pairRejects("cosineDistance").slice(0, 2),
    gradient: true,
  },
  hinge: {
    calls: pairCalls(losses.hinge),
    golden: [elements(losses.hinge, [0.5, 2, 2, 0], [1, 1, -1, -1], [0.5, 0, 3, 1], "definition")],
    rejects: pairRejects("hinge"),
    gradient: true,
  },
  squaredHinge: {
    calls: pairCalls(losses.squaredHinge).map((call) => ({ ...call, scale: 99 })),
    golden: [
      elements(losses.squaredHinge, [0.5, 2, 2, 0], [1, 1, -1, -1], [0.25, 0, 9, 1], "definition"),
    ],
    rejects: pairRejects("squaredHinge"),
    gradient: true,
  },
  categoricalHinge: {
    calls: classCalls(losses.categoricalHinge),
    golden: [
      {
        run: (t) =>
          losses.categoricalHinge(
            t([
              [-1, -2],
              [3, 1],
            ]),
            t([0, 1], "i32"),
            { reduction: "none" },
          ),
        is: [2, 3],
        by: "max(0, 1 + max(0, −2) + 1), max(0, 1 + 3 − 1)",
      },
    ],
    rejects: classRejects("categoricalHinge"),
    gradient: true,
  },
  multiclassHinge: {
    calls: classCalls(losses.multiclassHinge, wide, false),
    golden: [
      {
        run: (t) =>
          losses.multiclassHinge(
            t([
              [-1, -2],
              [3, 1],
              [5, 0],
            ]),
            t([0, 1, 0], "i32"),
            {
              reduction: "none",
            },
          ),
        is: [0, 3, 0],
        by: "definition",
      },
    ],
    rejects: [
      ...classRejects("multiclassHinge").slice(0, 1),
      {
        run: (t) => losses.multiclassHinge(t([[1, 2]]), t([[1, 0]])),
        says: "multiclassHinge: labels have dtype FLOAT; expected i32, u32, u8, i8, u16 or i16",
      },
    ],
    gradient: true,
  },
  multiMargin: {
    calls: [
      ...classCalls(losses.multiMargin, wide, false),
      ...classCalls((y, t, o) => losses.multiMargin(y, t, { ...o, p: 2, margin: 0.5 }), x, false),
    ],
    golden: [
      {
        run: (t) => losses.multiMargin(t([[0.1, 0.2, 0.4, 0.8]]), t([3], "i32")),
        is: (0.3 + 0.4 + 0.6) / 4,
        by: "definition",
      },
      {
        run: (t) => losses.multiMargin(t([[1, 0, 2]]), t([0], "i32"), { p: 2, margin: 2 }),
        is: (1 + 9) / 3,
        by: "definition",
      },
    ],
    rejects: [
      ...classRejects("multiMargin").slice(0, 1),
      option(
        (t) => losses.multiMargin(t([[1, 2]]), t([0], "i32"), { margin: -1 }),
        "multiMargin: margin -1; expected a finite number from 0",
      ),
      option(
        (t) => losses.multiMargin(t([[1, 2]]), t([0], "i32"), { p: 3 as 2 }),
        "multiMargin: p 3; expected 1 or 2",
      ),
    ],
    gradient: true,
  },
  focal: {
    calls: [
      ...classCalls(losses.focal, wide),
      {
        inputs: [x(5, 3), labels(3, 5), positive(3)],
        run: (z, t, alpha) => losses.focal(z, t, { alpha, gamma: 0.5 }),
      },
    ],
    golden: [
      {
        run: (t) => losses.focal(t([[0, 1]]), t([1], "i32"), { alpha: 0.25 }),
        is: 0.25 * sigmoid(-1) ** 2 * softplus(-1),
        by: "formula",
      },
      {
        run: (t) => losses.focal(t([[0, 1, 3]]), t([1], "i32"), { gamma: 0 }),
        is: Math.log(1 + Math.E + Math.E ** 3) - 1,
        by: "cross-entropy",
      },
    ],
    rejects: [
      ...classRejects("focal"),
      option(
        (t) => losses.focal(t([[1, 2]]), t([0], "i32"), { gamma: -1 }),
        "focal: gamma -1; expected a finite number from 0",
      ),
      {
        run: (t) => losses.focal(t([[1, 2]]), t([0], "i32"), { alpha: t([1]) }),
        says: "focal: alpha [1]; expected [2]",
      },
    ],
    gradient: true,
  },
  binaryFocal: {
    calls: [
      ...pairCalls(losses.binaryFocal, wide, share),
      ...pairCalls(
        (z, t, o) => losses.binaryFocal(z, t, { ...o, alpha: 0.3, gamma: 1.5 }),
        x,
        bits,
      ),
    ],
    golden: [
      elements(
        (z, t, o) => losses.binaryFocal(z, t, { ...o, alpha: 0.25 }),
        [0, 1, 2],
        [1, 0, 1],
        [
          0.0625 * Math.LN2,
          0.75 * sigmoid(1) ** 2 * softplus(1),
          0.25 * sigmoid(-2) ** 2 * softplus(-2),
        ],
        "formula",
      ),
    ],
    rejects: [
      ...pairRejects("binaryFocal"),
      option(
        (t) => losses.binaryFocal(t([1]), t([1]), { alpha: 2 }),
        "binaryFocal: alpha 2; expected 0 to 1",
      ),
    ],
    gradient: true,
  },
} satisfies Partial<Record<Name, OpCase>>;
