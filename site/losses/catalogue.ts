/** What the page says of every loss of `gradus/losses`, without the library, which computes beside the page. */

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

/** The value nearest to what was given that a choice may have: on its step, between its least and its most. */
export function heldTo({ min, max, step }: Choice, given: number): number {
  const value = min + step * Math.round((given - min) / step);
  return Number(Math.min(max, Math.max(min, value)).toPrecision(12));
}

const right: Axis = ["z of the right class", -4, 4];
const wrong: Axis = ["z of a wrong class", -4, 4];
const plane = { x: ["x", -2, 2], y: ["y", -2, 2] } as const;
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
  },
  quadratic: {
    group: "regression",
    paper: "Nielsen, 2015, “Neural Networks and Deep Learning”, eq. 6",
    text: "Half the squared distance, so that its gradient is the error itself. The mean is that of examples.",
    x: error,
  },
  sumOfSquares: {
    group: "regression",
    paper: "Saito, 2016, “Deep Learning from Scratch”, eq. 4.1",
    text: "The quadratic cost, summed: its gradient grows with the number of examples.",
    x: error,
  },
  l2Loss: {
    group: "regression",
    paper: "Euclid’s distance, without its square",
    text: "The distance of an output with two elements from its target in the middle: the pull is equally strong from everywhere.",
    ...plane,
    marks: [[0, 0, "t"]],
  },
  meanAbsoluteError: {
    group: "regression",
    paper: "Boscovich, 1757; Laplace, 1774",
    text: "The pull does not grow with the error, so that wild values count no more than others. Its least is the median.",
    x: error,
  },
  meanAbsolutePercentageError: {
    group: "regression",
    paper: "Makridakis, 1993, “Accuracy measures: theoretical and practical concerns”",
    text: "Percent of the target, which is 2 here: being 1 off costs 50.",
    x: ["y", 0, 5],
  },
  meanSquaredLogarithmicError: {
    group: "regression",
    paper: "A squared error of logarithms",
    text: "For values that grow by factors. The target is 3 here: too little by half costs more than too much by half.",
    x: ["y", 0, 12],
  },
  huber: {
    group: "regression",
    paper: "Huber, 1964, “Robust Estimation of a Location Parameter”",
    text: "A parabola near the target and straight lines beyond δ: exact where it is close, calm where it is far.",
    x: error,
    choice: choose("delta", "δ", 1, [0.1, 3, 0.1]),
  },
  smoothL1: {
    group: "regression",
    paper: "Girshick, 2015, “Fast R-CNN”, eq. 3",
    text: "Huber’s loss over β: the slope far away is 1, whatever β is.",
    x: error,
    choice: choose("beta", "β", 1, [0, 3, 0.1]),
  },
  logCosh: {
    group: "regression",
    paper: "Green, 1990, “Bayesian reconstructions from emission tomography data”",
    text: "Like Huber’s loss, but smooth everywhere: its gradient is tanh.",
    x: error,
  },
  pinball: {
    group: "regression",
    paper: "Koenker, Bassett, 1978, “Regression Quantiles”",
    text: "Too low costs q, too high 1 − q: its least is the q-quantile. With q = 0.9 an output learns what nine in ten stay below.",
    x: error,
    choice: choose("q", "q", 0.8, [0.05, 0.95, 0.05]),
  },
  gaussianNLL: {
    group: "regression",
    paper:
      "Nix, Weigend, 1994, “Estimating the Mean and Variance of the Target Probability Distribution”",
    text: "The net tells how sure it is. The target is 0: far from it a small variance costs much, close to it a large one does.",
    x: ["mean y", -2, 2],
    y: ["variance v", 0.15, 3],
  },
  poissonNLL: {
    group: "regression",
    paper:
      "Poisson, 1837; as a loss of counts: Nelder, Wedderburn, 1972, “Generalized Linear Models”",
    text: "For counts: y is the logarithm of the rate. The count is 3 here, so that the least is at ln 3.",
    x: ["y, the log of the rate", -2, 3],
  },
  binaryCrossEntropy: {
    group: "two",
    paper: "Bishop, 2006, “Pattern Recognition and Machine Learning”, eq. 4.90",
    text: "The surprise at what happened, in nats, when its probability was said to be p. To be sure and wrong costs without end.",
    x: ["p, where t = 1", 0.01, 0.99],
  },
  binaryCrossEntropyWithLogits: {
    group: "two",
    paper: "Bishop, 2006, eq. 4.90, of p = σ(z)",
    text: "The same from the logit: its gradient is p − t, which does not fade where the net is wrong. A weight w makes positives count more.",
    x: ["z, where t = 1", logit[1], logit[2]],
    choice: choose("posWeight", "w", 1, [0.5, 4, 0.5]),
  },
  binaryFocal: {
    group: "two",
    paper: "Lin, Goyal, Girshick, He, Dollár, 2017, “Focal Loss for Dense Object Detection”, eq. 5",
    text: "Cross-entropy that lets go of what is known already: the larger γ, the less easy examples count.",
    x: ["z, where t = 1", logit[1], logit[2]],
    choice: choose("gamma", "γ", 2, [0, 5, 0.5]),
  },
  hinge: {
    group: "two",
    paper: "Cortes, Vapnik, 1995, “Support-Vector Networks”; Bishop, 2006, eq. 7.45",
    text: "Targets are −1 and 1. Who is right by a margin of 1 costs nothing and pulls no more.",
    x: score,
  },
  squaredHinge: {
    group: "two",
    paper: "Tang, 2013, “Deep Learning using Linear Support Vector Machines”",
    text: "The hinge, squared: without the corner at the margin, harder on what is far behind it.",
    x: score,
  },
  dice: {
    group: "two",
    paper:
      "Sudre et al., 2017, “Generalised Dice overlap as a deep learning loss”; with squares below: Milletari, Navab, Ahmadi, 2016, “V-Net”, eq. 5",
    text: "How little what was found overlaps with what is there: a picture of two pixels, of which the first is part of the thing.",
    x: ["p of the pixel within", 0, 1],
    y: ["p of the pixel without", 0, 1],
    choice: choose("smooth", "s", 1, [0.1, 2, 0.1]),
  },
  crossEntropy: {
    group: "many",
    paper:
      "Bishop, 2006, eq. 4.108; smoothing: Szegedy et al., 2016, “Rethinking the Inception Architecture”, section 7",
    text: "Three classes, of which the third has the logit 0. The gradient is softmax(z) − t. With smoothed labels there is a best place: no one is to be too sure.",
    x: right,
    y: wrong,
    choice: choose("labelSmoothing", "ε", 0, [0, 0.5, 0.05]),
  },
  categoricalCrossEntropy: {
    group: "many",
    paper: "Saito, 2016, “Deep Learning from Scratch”, section 4.2.2",
    text: "From probabilities in place of logits: p is that of the right class.",
    x: ["p of the right class", 0.01, 0.99],
  },
  negativeLogLikelihood: {
    group: "many",
    paper: "Fisher, 1922, “On the mathematical foundations of theoretical statistics”",
    text: "From logarithms of probabilities, as logSoftmax gives them: minus the right one, a straight line.",
    x: ["log-probability of the right class", -5, 0],
  },
  klDivergence: {
    group: "many",
    paper: "Kullback, Leibler, 1951, “On Information and Sufficiency”",
    text: "What it costs to take p for the truth. The targets are 0.7 and 0.3: it is 0 where both agree.",
    x: ["p of the first class", 0.02, 0.98],
  },
  focal: {
    group: "many",
    paper: "Lin, Goyal, Girshick, He, Dollár, 2017, “Focal Loss for Dense Object Detection”, eq. 5",
    text: "The focal loss of three classes, of which the third has the logit 0.",
    x: right,
    y: wrong,
    choice: choose("gamma", "γ", 2, [0, 5, 0.5]),
  },
  categoricalHinge: {
    group: "many",
    paper: "Keras; after Crammer, Singer, 2001",
    text: "As Keras defines it: the right class enters the maximum as 0. Three classes, the third with the score 0.",
    x: right,
    y: wrong,
  },
  multiclassHinge: {
    group: "many",
    paper:
      "Crammer, Singer, 2001, “On the Algorithmic Implementation of Multiclass Kernel-based Vector Machines”",
    text: "The right score shall be above the best of the others by 1. Three classes, the third with the score 0.",
    x: right,
    y: wrong,
  },
  multiMargin: {
    group: "many",
    paper: "Weston, Watkins, 1999, “Support Vector Machines for Multi-Class Pattern Recognition”",
    text: "Each other class that comes closer than m pays for itself. Three classes, the third with the score 0.",
    x: right,
    y: wrong,
    choice: choose("margin", "m", 1, [0, 3, 0.25]),
  },
  ctc: {
    group: "many",
    paper:
      "Graves, Fernández, Gomez, Schmidhuber, 2006, “Connectionist Temporal Classification”, eq. 6 to 8",
    text: "Two moments, a letter and the blank; the text is the one letter. It may be said at either moment or at both, so that one of the two has to be sure.",
    x: ["z of the letter, first moment", -4, 4],
    y: ["z of the letter, second moment", -4, 4],
  },
  contrastiveSame: {
    group: "embeddings",
    title: "contrastive, the same",
    paper:
      "Hadsell, Chopra, LeCun, 2006, “Dimensionality reduction by learning an invariant mapping”, eq. 4",
    text: "A pair that is the same is drawn together, whatever the distance D.",
    x: ["distance D", 0, 2.5],
    start: [0.9, 0],
  },
  contrastive: {
    group: "embeddings",
    title: "contrastive, different",
    paper:
      "Hadsell, Chopra, LeCun, 2006, “Dimensionality reduction by learning an invariant mapping”, eq. 4",
    text: "A pair that differs is pushed apart until it has the distance m, and then left alone.",
    x: ["distance D", 0, 2.5],
    choice: choose("margin", "m", 1, [0.25, 2, 0.25]),
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
  },
  tripletMined: {
    group: "embeddings",
    title: "tripletMined, hard",
    paper: "Hermans, Beyer, Leibe, 2017, “In defense of the triplet loss”, eq. 5",
    text: `The farthest of its own class against the nearest of another one, for each example of a batch. ${batchText}`,
    x: angle,
    choice: choose("margin", "α", 0.5, [0, 2, 0.25]),
  },
  infoNCE: {
    group: "embeddings",
    paper:
      "van den Oord, Li, Vinyals, 2018, “Representation learning with contrastive predictive coding”, eq. 4",
    text: "One example goes round the circle. Its partner is at 40°; that of another example is at 120°.",
    x: angle,
    choice: choose("temperature", "τ", 0.5, [0.1, 2, 0.1]),
  },
  ntXent: {
    group: "embeddings",
    paper:
      "Chen, Kornblith, Norouzi, Hinton, 2020, “A simple framework for contrastive learning of visual representations”, eq. 1",
    text: "Two views of two examples. A view of the first goes round the circle; its other view is at 40°, those of the second are at 120° and −140°.",
    x: angle,
    choice: choose("temperature", "τ", 0.5, [0.1, 2, 0.1]),
  },
  supervisedContrastive: {
    group: "embeddings",
    paper: "Khosla et al., 2020, “Supervised contrastive learning”, eq. 2",
    text: batchText,
    x: angle,
    choice: choose("temperature", "τ", 0.5, [0.1, 2, 0.1]),
  },
  circle: {
    group: "embeddings",
    paper:
      "Sun et al., 2020, “Circle loss: A unified perspective of pair similarity optimization”, eq. 4 to 8",
    text: `Each pair is pulled as hard as it is far from what it shall be. ${batchText} The scale γ is 8 here.`,
    x: angle,
    choice: choose("margin", "m", 0.25, [0, 0.5, 0.05]),
  },
  multiSimilarity: {
    group: "embeddings",
    paper:
      "Wang, Han, Huang, Dong, Scott, 2019, “Multi-similarity loss with general pair weighting for deep metric learning”, eq. 10, 13 and 15",
    text: `Only pairs that are hard beside those of the other kind count: where one drops out, the loss jumps. ${batchText}`,
    x: angle,
    choice: choose("epsilon", "ε", 0.1, [0, 1, 0.1]),
  },
  cosineDistance: {
    group: "embeddings",
    paper: "One minus the cosine of the angle between output and target",
    text: "The target points to the right. Only the direction counts: the pull is across, never outwards, and the weaker the longer the output is.",
    x: ["x", -2, 2],
    y: ["y", -2, 2],
    marks: [[1, 0, "t"]],
  },
  marginRanking: {
    group: "embeddings",
    paper:
      "Herbrich, Graepel, Obermayer, 2000, “Large margin rank boundaries for ordinal regression”",
    text: "Only the order counts: a shall be above b, by m.",
    x: ["score a", -2, 2],
    y: ["score b", -2, 2],
    choice: choose("margin", "m", 0.5, [0, 2, 0.25]),
  },
  centerLoss: {
    group: "embeddings",
    paper:
      "Wen, Zhang, Li, Qiao, 2016, “A discriminative feature learning approach for deep face recognition”, eq. 2",
    text: "The features of a class shall lie around its center c. Beside it a softmax keeps the classes apart.",
    ...plane,
    marks: [[0.5, 0.5, "c"]],
  },
  normSoftmax: {
    group: "embeddings",
    title: "NormSoftmax",
    paper: "Wang, Xiang, Cheng, Yuille, 2017, “NormFace”",
    text: `Only the angle between feature and weight counts. ${headText}`,
    x: angle,
    choice: choose("scale", "s", 8, [1, 32, 1]),
  },
  cosFaceLogits: {
    group: "embeddings",
    title: "CosFace",
    paper:
      "Wang et al., 2018, “CosFace: large margin cosine loss for deep face recognition”, eq. 4",
    text: `The right cosine is made smaller by m, so that the border moves towards the right class. ${headText}`,
    x: angle,
    choice: choose("margin", "m", 0.35, [0, 1, 0.05]),
  },
  arcFaceLogits: {
    group: "embeddings",
    title: "ArcFace",
    paper:
      "Deng, Guo, Xue, Zafeiriou, 2019, “ArcFace: additive angular margin loss for deep face recognition”, eq. 3",
    text: `The right angle is made larger by m, in radians. ${headText}`,
    x: angle,
    choice: choose("margin", "m", 0.5, [0, 1.5, 0.1]),
  },
  largeMarginLogits: {
    group: "embeddings",
    title: "L-Softmax, A-Softmax",
    paper:
      "Liu, Wen, Yu, Yang, 2016, “Large-margin softmax loss”, eq. 4 to 6; Liu et al., 2017, “SphereFace”, eq. 7",
    text: "The right angle counts m times. The weights of two classes point to 0°, the right one, and to 90°; the lengths are 8.",
    x: angle,
    choice: choose("margin", "m", 2, [1, 4, 1]),
  },
} as const satisfies Record<string, Entry>;

export type LossName = keyof typeof CATALOGUE;
export const LOSS_NAMES = Object.keys(CATALOGUE) as LossName[];
