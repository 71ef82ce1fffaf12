/** Every loss of `gradus/losses` at a place that moves: what it costs there, and whose idea it was. */

import type { Tensor } from "gradus";
import { concat, cos, full, log, mul, neg, reshape, sin, stack, sub, tensor } from "gradus";
import * as losses from "gradus/losses";

/** What moves, from where to where. */
export type Axis = readonly [name: string, from: number, to: number];

/** A number of a loss that may be chosen. */
export interface Choice {
  readonly name: string;
  readonly symbol: string;
  readonly initial: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
}

/** A loss as the page shows it. */
export interface Entry {
  readonly group: Group;
  /** What it is called, where that is not its name. */
  readonly title?: string;
  readonly paper: string;
  readonly text: string;
  readonly x: Axis;
  /** The second thing that moves, of a surface. */
  readonly y?: Axis;
  readonly choice?: Choice;
  /** Where the dot begins, as shares of the axes. */
  readonly start?: readonly [x: number, y: number];
  /** Places to be named in the picture. */
  readonly marks?: readonly (readonly [x: number, y: number, name: string])[];
  /** The loss, a scalar, at a place: scalars, and the number that was chosen. */
  at(x: Tensor, y: Tensor, chosen: number): Tensor;
}

export const GROUPS = {
  regression: "Regression",
  two: "Two classes",
  many: "Many classes",
  embeddings: "Margins and embeddings",
} as const;
export type Group = keyof typeof GROUPS;

const error: Axis = ["y − t", -3, 3];
const logit: Axis = ["z", -6, 6];
const score: Axis = ["t y", -2, 3];
/** Slopes along it are told for a radian, which is `RADIAN` degrees. */
export const angle: Axis = ["angle of the moving example, in degrees", -180, 180];
export const RADIAN = 180 / Math.PI;
const choose = (
  name: string,
  symbol: string,
  initial: number,
  [min, max, step]: readonly [number, number, number],
): Choice => ({ name, symbol, initial, min, max, step });

const zero = () => tensor(0);
const one = () => tensor(1);
/** The label of the first of some classes, for one example. */
const first = () => tensor([0], { dtype: "i32" });
/** One example's scores `[1, 3]`, of which the third is 0. */
const three = (x: Tensor, y: Tensor) => reshape(stack([x, y, full([], 0)]), [1, 3]);
const right: Axis = ["z of the right class", -4, 4];
const wrong: Axis = ["z of a wrong class", -4, 4];
const plane = { x: ["x", -2, 2], y: ["y", -2, 2] } as const;
/** Points `[1, 2]` of the plane. */
const point = (x: Tensor, y: Tensor) => reshape(stack([x, y]), [1, 2]);
const place = (x: number, y: number) => tensor([[x, y]]);
/** A point of the unit circle, `[1, 2]`. */
const onCircle = (degrees: Tensor) => {
  const turn = mul(degrees, Math.PI / 180);
  return reshape(stack([cos(turn), sin(turn)]), [1, 2]);
};
const fixed = (degrees: readonly number[]) =>
  tensor(degrees.map((d) => [Math.cos((d * Math.PI) / 180), Math.sin((d * Math.PI) / 180)]));
/** The moving example is of class 0, with one at 40°; two of class 1 are at 120° and −140°. */
const batch = (degrees: Tensor) => concat([onCircle(degrees), fixed([40, 120, -140])]);
const labels = () => tensor([0, 0, 1, 1], { dtype: "i32" });
/** Cosines `[1, 2]` with the weights of two classes, at 0° and at 90°: the right one is at 0°. */
const cosines = (degrees: Tensor) => onCircle(degrees);
const batchText =
  "One example of class 0 goes round the circle. Another one of its class is at 40°; two of class 1 are at 120° and −140°.";
const headText =
  "The weights of two classes point to 0°, the right one, and to 90°; the scale is 8.";

/** All losses, in the order of the page. */
export const CATALOGUE = {
  meanSquaredError: {
    group: "regression",
    paper: "Bishop, 2006, “Pattern Recognition and Machine Learning”, eq. 1.2, without its ½",
    text: "Twice as far costs four times as much, and pulls twice as hard: one wild value can rule them all.",
    x: error,
    at: (y) => losses.meanSquaredError(y, zero()),
  },
  quadratic: {
    group: "regression",
    paper: "Nielsen, 2015, “Neural Networks and Deep Learning”, eq. 6",
    text: "Half the squared distance, so that its gradient is the error itself. The mean is that of examples.",
    x: error,
    at: (y) => losses.quadratic(reshape(y, [1, 1]), tensor([[0]])),
  },
  sumOfSquares: {
    group: "regression",
    paper: "Saito, 2016, “Deep Learning from Scratch”, eq. 4.1",
    text: "The quadratic cost, summed: its gradient grows with the number of examples.",
    x: error,
    at: (y) => losses.sumOfSquares(reshape(y, [1, 1]), tensor([[0]])),
  },
  l2Loss: {
    group: "regression",
    paper: "Euclid’s distance, without its square",
    text: "The distance of an output with two elements from its target in the middle: the pull is equally strong from everywhere.",
    ...plane,
    marks: [[0, 0, "t"]],
    at: (x, y) => losses.l2Loss(point(x, y), place(0, 0)),
  },
  meanAbsoluteError: {
    group: "regression",
    paper: "Boscovich, 1757; Laplace, 1774",
    text: "The pull does not grow with the error, so that wild values count no more than others. Its least is the median.",
    x: error,
    at: (y) => losses.meanAbsoluteError(y, zero()),
  },
  meanAbsolutePercentageError: {
    group: "regression",
    paper: "Makridakis, 1993, “Accuracy measures: theoretical and practical concerns”",
    text: "Percent of the target, which is 2 here: being 1 off costs 50.",
    x: ["y", 0, 5],
    at: (y) => losses.meanAbsolutePercentageError(y, tensor(2)),
  },
  meanSquaredLogarithmicError: {
    group: "regression",
    paper: "A squared error of logarithms",
    text: "For values that grow by factors. The target is 3 here: too little by half costs more than too much by half.",
    x: ["y", 0, 12],
    at: (y) => losses.meanSquaredLogarithmicError(y, tensor(3)),
  },
  huber: {
    group: "regression",
    paper: "Huber, 1964, “Robust Estimation of a Location Parameter”",
    text: "A parabola near the target and straight lines beyond δ: exact where it is close, calm where it is far.",
    x: error,
    choice: choose("delta", "δ", 1, [0.1, 3, 0.1]),
    at: (y, _, delta) => losses.huber(y, zero(), { delta }),
  },
  smoothL1: {
    group: "regression",
    paper: "Girshick, 2015, “Fast R-CNN”, eq. 3",
    text: "Huber’s loss over β: the slope far away is 1, whatever β is.",
    x: error,
    choice: choose("beta", "β", 1, [0, 3, 0.1]),
    at: (y, _, beta) => losses.smoothL1(y, zero(), { beta }),
  },
  logCosh: {
    group: "regression",
    paper: "Green, 1990, “Bayesian reconstructions from emission tomography data”",
    text: "Like Huber’s loss, but smooth everywhere: its gradient is tanh.",
    x: error,
    at: (y) => losses.logCosh(y, zero()),
  },
  pinball: {
    group: "regression",
    paper: "Koenker, Bassett, 1978, “Regression Quantiles”",
    text: "Too low costs q, too high 1 − q: its least is the q-quantile. With q = 0.9 an output learns what nine in ten stay below.",
    x: error,
    choice: choose("q", "q", 0.8, [0.05, 0.95, 0.05]),
    at: (y, _, q) => losses.pinball(y, zero(), { q }),
  },
  gaussianNLL: {
    group: "regression",
    paper:
      "Nix, Weigend, 1994, “Estimating the Mean and Variance of the Target Probability Distribution”",
    text: "The net tells how sure it is. The target is 0: far from it a small variance costs much, close to it a large one does.",
    x: ["mean y", -2, 2],
    y: ["variance v", 0.15, 3],
    at: (mean, variance) => losses.gaussianNLL(mean, zero(), variance),
  },
  poissonNLL: {
    group: "regression",
    paper:
      "Poisson, 1837; as a loss of counts: Nelder, Wedderburn, 1972, “Generalized Linear Models”",
    text: "For counts: y is the logarithm of the rate. The count is 3 here, so that the least is at ln 3.",
    x: ["y, the log of the rate", -2, 3],
    at: (y) => losses.poissonNLL(y, tensor(3)),
  },
  binaryCrossEntropy: {
    group: "two",
    paper: "Bishop, 2006, “Pattern Recognition and Machine Learning”, eq. 4.90",
    text: "The surprise at what happened, in nats, when its probability was said to be p. To be sure and wrong costs without end.",
    x: ["p, where t = 1", 0.01, 0.99],
    at: (p) => losses.binaryCrossEntropy(p, one()),
  },
  binaryCrossEntropyWithLogits: {
    group: "two",
    paper: "Bishop, 2006, eq. 4.90, of p = σ(z)",
    text: "The same from the logit: its gradient is p − t, which does not fade where the net is wrong. A weight w makes positives count more.",
    x: ["z, where t = 1", logit[1], logit[2]],
    choice: choose("posWeight", "w", 1, [0.5, 4, 0.5]),
    at: (z, _, posWeight) => losses.binaryCrossEntropyWithLogits(z, one(), { posWeight }),
  },
  binaryFocal: {
    group: "two",
    paper: "Lin, Goyal, Girshick, He, Dollár, 2017, “Focal Loss for Dense Object Detection”, eq. 5",
    text: "Cross-entropy that lets go of what is known already: the larger γ, the less easy examples count.",
    x: ["z, where t = 1", logit[1], logit[2]],
    choice: choose("gamma", "γ", 2, [0, 5, 0.5]),
    at: (z, _, gamma) => losses.binaryFocal(z, one(), { gamma }),
  },
  hinge: {
    group: "two",
    paper: "Cortes, Vapnik, 1995, “Support-Vector Networks”; Bishop, 2006, eq. 7.45",
    text: "Targets are −1 and 1. Who is right by a margin of 1 costs nothing and pulls no more.",
    x: score,
    at: (y) => losses.hinge(y, one()),
  },
  squaredHinge: {
    group: "two",
    paper: "Tang, 2013, “Deep Learning using Linear Support Vector Machines”",
    text: "The hinge, squared: without the corner at the margin, harder on what is far behind it.",
    x: score,
    at: (y) => losses.squaredHinge(y, one()),
  },
  dice: {
    group: "two",
    paper: "Milletari, Navab, Ahmadi, 2016, “V-Net”, eq. 5; Sudre et al., 2017",
    text: "How little what was found overlaps with what is there: a picture of two pixels, of which the first is part of the thing.",
    x: ["p of the pixel within", 0, 1],
    y: ["p of the pixel without", 0, 1],
    choice: choose("smooth", "s", 1, [0.1, 2, 0.1]),
    at: (x, y, smooth) => losses.dice(point(x, y), place(1, 0), { smooth }),
  },
  crossEntropy: {
    group: "many",
    paper:
      "Bishop, 2006, eq. 4.108; smoothing: Szegedy et al., 2016, “Rethinking the Inception Architecture”, section 7",
    text: "Three classes, of which the third has the logit 0. The gradient is softmax(z) − t. With smoothed labels there is a best place: no one is to be too sure.",
    x: right,
    y: wrong,
    choice: choose("labelSmoothing", "ε", 0, [0, 0.5, 0.05]),
    at: (x, y, labelSmoothing) => losses.crossEntropy(three(x, y), first(), { labelSmoothing }),
  },
  categoricalCrossEntropy: {
    group: "many",
    paper: "Saito, 2016, “Deep Learning from Scratch”, section 4.2.2",
    text: "From probabilities in place of logits: p is that of the right class.",
    x: ["p of the right class", 0.01, 0.99],
    at: (p) => losses.categoricalCrossEntropy(point(p, sub(1, p)), first()),
  },
  negativeLogLikelihood: {
    group: "many",
    paper: "Fisher, 1922, “On the mathematical foundations of theoretical statistics”",
    text: "From logarithms of probabilities, as logSoftmax gives them: minus the right one(), a straight line.",
    x: ["log-probability of the right class", -5, 0],
    at: (y) => losses.negativeLogLikelihood(point(y, mul(y, 0)), first()),
  },
  klDivergence: {
    group: "many",
    paper: "Kullback, Leibler, 1951, “On Information and Sufficiency”",
    text: "What it costs to take p for the truth. The targets are 0.7 and 0.3: it is 0 where both agree.",
    x: ["p of the first class", 0.02, 0.98],
    at: (p) => losses.klDivergence(log(point(p, sub(1, p))), place(0.7, 0.3)),
  },
  focal: {
    group: "many",
    paper: "Lin, Goyal, Girshick, He, Dollár, 2017, “Focal Loss for Dense Object Detection”, eq. 5",
    text: "The focal loss of three classes, of which the third has the logit 0.",
    x: right,
    y: wrong,
    choice: choose("gamma", "γ", 2, [0, 5, 0.5]),
    at: (x, y, gamma) => losses.focal(three(x, y), first(), { gamma }),
  },
  categoricalHinge: {
    group: "many",
    paper: "Keras; after Crammer, Singer, 2001",
    text: "As Keras defines it: the right class enters the maximum as 0. Three classes, the third with the score 0.",
    x: right,
    y: wrong,
    at: (x, y) => losses.categoricalHinge(three(x, y), first()),
  },
  multiclassHinge: {
    group: "many",
    paper:
      "Crammer, Singer, 2001, “On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines”",
    text: "The right score shall be above the best of the others by 1. Three classes, the third with the score 0.",
    x: right,
    y: wrong,
    at: (x, y) => losses.multiclassHinge(three(x, y), first()),
  },
  multiMargin: {
    group: "many",
    paper: "Weston, Watkins, 1999, “Support Vector Machines for Multi-Class Pattern Recognition”",
    text: "Each other class that comes closer than m pays for itself. Three classes, the third with the score 0.",
    x: right,
    y: wrong,
    choice: choose("margin", "m", 1, [0, 3, 0.25]),
    at: (x, y, margin) => losses.multiMargin(three(x, y), first(), { margin }),
  },
  ctc: {
    group: "many",
    paper:
      "Graves, Fernández, Gomez, Schmidhuber, 2006, “Connectionist Temporal Classification”, eq. 6 to 8",
    text: "Two moments, a letter and the blank; the text is the one letter. It may be said at either moment or at both, so that one of the two has to be sure.",
    x: ["z of the letter, first moment", -4, 4],
    y: ["z of the letter, second moment", -4, 4],
    at: (x, y) => {
      const letter = stack([x, y]);
      const logProbs = neg(
        losses.binaryCrossEntropyWithLogits(
          stack([neg(letter), letter], { axis: 1 }),
          full([2, 2], 1),
          { reduction: "none" },
        ),
      );
      const [two, length] = [2, 1].map((n) => tensor([n], { dtype: "i32" }));
      return losses.ctc(reshape(logProbs, [1, 2, 2]), tensor([[1]], { dtype: "i32" }), two, length);
    },
  },
  contrastiveSame: {
    group: "embeddings",
    title: "contrastive, the same",
    paper:
      "Hadsell, Chopra, LeCun, 2006, “Dimensionality reduction by learning an invariant mapping”, eq. 4",
    text: "A pair that is the same is drawn together, whatever the distance D.",
    x: ["distance D", 0, 2.5],
    start: [0.9, 0],
    at: (d) => losses.contrastive(reshape(d, [1, 1]), tensor([[0]]), tensor([1], { dtype: "i32" })),
  },
  contrastive: {
    group: "embeddings",
    title: "contrastive, different",
    paper:
      "Hadsell, Chopra, LeCun, 2006, “Dimensionality reduction by learning an invariant mapping”, eq. 4",
    text: "A pair that differs is pushed apart until it has the distance m, and then left alone.",
    x: ["distance D", 0, 2.5],
    choice: choose("margin", "m", 1, [0.25, 2, 0.25]),
    at: (d, _, margin) =>
      losses.contrastive(reshape(d, [1, 1]), tensor([[0]]), tensor([0], { dtype: "i32" }), {
        margin,
      }),
  },
  triplet: {
    group: "embeddings",
    paper: "Schroff, Kalenichenko, Philbin, 2015, “FaceNet”, eq. 3",
    text: "The anchor moves; p is of its class, n is not. It shall be closer to p than to n, by α in squared distances.",
    ...plane,
    choice: choose("margin", "α", 1, [0, 3, 0.25]),
    start: [0.85, 0.8],
    marks: [
      [-0.8, 0, "p"],
      [0.8, 0, "n"],
    ],
    at: (x, y, margin) =>
      losses.triplet(point(x, y), place(-0.8, 0), place(0.8, 0), { margin, normalize: false }),
  },
  tripletMined: {
    group: "embeddings",
    title: "tripletMined, hard",
    paper: "Hermans, Beyer, Leibe, 2017, “In defense of the triplet loss”, eq. 5",
    text: `The farthest of its own class against the nearest of another one(), for each example of a batch. ${batchText}`,
    x: angle,
    choice: choose("margin", "α", 0.5, [0, 2, 0.25]),
    at: (x, _, margin) => losses.tripletMined(batch(x), labels(), { mining: "hard", margin }),
  },
  infoNCE: {
    group: "embeddings",
    paper:
      "van den Oord, Li, Vinyals, 2018, “Representation learning with contrastive predictive coding”, eq. 4",
    text: "One example goes round the circle. Its partner is at 40°; that of another example is at 120°.",
    x: angle,
    choice: choose("temperature", "τ", 0.5, [0.1, 2, 0.1]),
    at: (x, _, temperature) =>
      losses.infoNCE(concat([onCircle(x), fixed([120])]), fixed([40, 120]), { temperature }),
  },
  ntXent: {
    group: "embeddings",
    paper:
      "Chen, Kornblith, Norouzi, Hinton, 2020, “A simple framework for contrastive learning of visual representations”, eq. 1",
    text: "Two views of two examples. A view of the first goes round the circle; its other view is at 40°, those of the second are at 120° and −140°.",
    x: angle,
    choice: choose("temperature", "τ", 0.5, [0.1, 2, 0.1]),
    at: (x, _, temperature) =>
      losses.ntXent(concat([onCircle(x), fixed([120])]), fixed([40, -140]), { temperature }),
  },
  supervisedContrastive: {
    group: "embeddings",
    paper: "Khosla et al., 2020, “Supervised contrastive learning”, eq. 2",
    text: batchText,
    x: angle,
    choice: choose("temperature", "τ", 0.5, [0.1, 2, 0.1]),
    at: (x, _, temperature) => losses.supervisedContrastive(batch(x), labels(), { temperature }),
  },
  circle: {
    group: "embeddings",
    paper:
      "Sun et al., 2020, “Circle loss: A unified perspective of pair similarity optimization”, eq. 4 to 8",
    text: `Each pair is pulled as hard as it is far from what it shall be. ${batchText} The scale γ is 8 here.`,
    x: angle,
    choice: choose("margin", "m", 0.25, [0, 0.5, 0.05]),
    at: (x, _, margin) => losses.circle(batch(x), labels(), { margin, scale: 8 }),
  },
  multiSimilarity: {
    group: "embeddings",
    paper:
      "Wang, Han, Huang, Dong, Scott, 2019, “Multi-similarity loss with general pair weighting for deep metric learning”, eq. 10, 13 and 15",
    text: `Only pairs that are hard beside those of the other kind count: where one drops out, the loss jumps. ${batchText}`,
    x: angle,
    choice: choose("epsilon", "ε", 0.1, [0, 1, 0.1]),
    at: (x, _, epsilon) => losses.multiSimilarity(batch(x), labels(), { epsilon, beta: 10 }),
  },
  cosineDistance: {
    group: "embeddings",
    paper: "One minus the cosine of the angle between output and target",
    text: "The target points to the right. Only the direction counts: the pull is across, never outwards, and the weaker the longer the output is.",
    x: ["x", -2, 2],
    y: ["y", -2, 2],
    marks: [[1, 0, "t"]],
    at: (x, y) => losses.cosineDistance(point(x, y), place(1, 0)),
  },
  marginRanking: {
    group: "embeddings",
    paper:
      "Herbrich, Graepel, Obermayer, 2000, “Large margin rank boundaries for ordinal regression”",
    text: "Only the order counts: a shall be above b, by m.",
    x: ["score a", -2, 2],
    y: ["score b", -2, 2],
    choice: choose("margin", "m", 0.5, [0, 2, 0.25]),
    at: (a, b, margin) => losses.marginRanking(a, b, one(), { margin }),
  },
  centerLoss: {
    group: "embeddings",
    paper:
      "Wen, Zhang, Li, Qiao, 2016, “A discriminative feature learning approach for deep face recognition”, eq. 2",
    text: "The features of a class shall lie around its center c. Beside it a softmax keeps the classes apart.",
    ...plane,
    marks: [[0.5, 0.5, "c"]],
    at: (x, y) => losses.centerLoss(point(x, y), first(), place(0.5, 0.5)),
  },
  normSoftmax: {
    group: "embeddings",
    title: "NormSoftmax",
    paper: "Wang, Xiang, Cheng, Yuille, 2017, “NormFace”",
    text: `Only the angle between feature and weight counts. ${headText}`,
    x: angle,
    choice: choose("scale", "s", 8, [1, 32, 1]),
    at: (x, _, scale) => losses.crossEntropy(mul(cosines(x), scale), first()),
  },
  cosFaceLogits: {
    group: "embeddings",
    title: "CosFace",
    paper:
      "Wang et al., 2018, “CosFace: large margin cosine loss for deep face recognition”, eq. 4",
    text: `The right cosine is made smaller by m, so that the border moves towards the right class. ${headText}`,
    x: angle,
    choice: choose("margin", "m", 0.35, [0, 1, 0.05]),
    at: (x, _, margin) =>
      losses.crossEntropy(losses.cosFaceLogits(cosines(x), first(), { margin, scale: 8 }), first()),
  },
  arcFaceLogits: {
    group: "embeddings",
    title: "ArcFace",
    paper:
      "Deng, Guo, Xue, Zafeiriou, 2019, “ArcFace: additive angular margin loss for deep face recognition”, eq. 3",
    text: `The right angle is made larger by m, in radians. ${headText}`,
    x: angle,
    choice: choose("margin", "m", 0.5, [0, 1.5, 0.1]),
    at: (x, _, margin) =>
      losses.crossEntropy(losses.arcFaceLogits(cosines(x), first(), { margin, scale: 8 }), first()),
  },
  largeMarginLogits: {
    group: "embeddings",
    title: "L-Softmax, A-Softmax",
    paper:
      "Liu, Wen, Yu, Yang, 2016, “Large-margin softmax loss”, eq. 4 to 6; Liu et al., 2017, “SphereFace”, eq. 7",
    text: "The right angle counts m times. The weights of two classes point to 0°, the right one(), and to 90°; the lengths are 8.",
    x: angle,
    choice: choose("margin", "m", 2, [1, 4, 1]),
    at: (x, _, margin) =>
      losses.crossEntropy(
        losses.largeMarginLogits(cosines(x), full([1, 2], 8), first(), { margin }),
        first(),
      ),
  },
} as const satisfies Record<string, Entry>;

export type LossName = keyof typeof CATALOGUE;
export const LOSS_NAMES = Object.keys(CATALOGUE) as LossName[];
