/** Every loss of `gradus/losses` at a place that moves. */
import type { Tensor } from "gradus";
import { concat, cos, full, log, mul, neg, reshape, sin, stack, sub, tensor } from "gradus";
import * as losses from "gradus/losses";
import type { LossName } from "./catalogue.ts";

/** A loss, a scalar, at a place: scalars, and the number that was chosen. */
type LossAt = (x: Tensor, y: Tensor, chosen: number) => Tensor;

const zero = () => tensor(0);
const one = () => tensor(1);
/** The label of the first of some classes, for one example. */
const first = () => tensor([0], { dtype: "i32" });
/** One example's scores `[1, 3]`, of which the third is 0. */
const three = (x: Tensor, y: Tensor) => reshape(stack([x, y, full([], 0)]), [1, 3]);
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

/** All losses by name, as `CATALOGUE` tells of them. */
export const LOSSES: Record<LossName, LossAt> = {
  meanSquaredError: (y) => losses.meanSquaredError(y, zero()),
  quadratic: (y) => losses.quadratic(reshape(y, [1, 1]), tensor([[0]])),
  sumOfSquares: (y) => losses.sumOfSquares(reshape(y, [1, 1]), tensor([[0]])),
  l2Loss: (x, y) => losses.l2Loss(point(x, y), place(0, 0)),
  meanAbsoluteError: (y) => losses.meanAbsoluteError(y, zero()),
  meanAbsolutePercentageError: (y) => losses.meanAbsolutePercentageError(y, tensor(2)),
  meanSquaredLogarithmicError: (y) => losses.meanSquaredLogarithmicError(y, tensor(3)),
  huber: (y, _, delta) => losses.huber(y, zero(), { delta }),
  smoothL1: (y, _, beta) => losses.smoothL1(y, zero(), { beta }),
  logCosh: (y) => losses.logCosh(y, zero()),
  pinball: (y, _, q) => losses.pinball(y, zero(), { q }),
  gaussianNLL: (mean, variance) => losses.gaussianNLL(mean, zero(), variance),
  poissonNLL: (y) => losses.poissonNLL(y, tensor(3)),
  binaryCrossEntropy: (p) => losses.binaryCrossEntropy(p, one()),
  binaryCrossEntropyWithLogits: (z, _, posWeight) =>
    losses.binaryCrossEntropyWithLogits(z, one(), { posWeight }),
  binaryFocal: (z, _, gamma) => losses.binaryFocal(z, one(), { gamma }),
  hinge: (y) => losses.hinge(y, one()),
  squaredHinge: (y) => losses.squaredHinge(y, one()),
  dice: (x, y, smooth) => losses.dice(point(x, y), place(1, 0), { smooth }),
  crossEntropy: (x, y, labelSmoothing) =>
    losses.crossEntropy(three(x, y), first(), { labelSmoothing }),
  categoricalCrossEntropy: (p) => losses.categoricalCrossEntropy(point(p, sub(1, p)), first()),
  negativeLogLikelihood: (y) => losses.negativeLogLikelihood(point(y, mul(y, 0)), first()),
  klDivergence: (p) => losses.klDivergence(log(point(p, sub(1, p))), place(0.7, 0.3)),
  focal: (x, y, gamma) => losses.focal(three(x, y), first(), { gamma }),
  categoricalHinge: (x, y) => losses.categoricalHinge(three(x, y), first()),
  multiclassHinge: (x, y) => losses.multiclassHinge(three(x, y), first()),
  multiMargin: (x, y, margin) => losses.multiMargin(three(x, y), first(), { margin }),
  ctc: (x, y) => {
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
  contrastiveSame: (d) =>
    losses.contrastive(reshape(d, [1, 1]), tensor([[0]]), tensor([1], { dtype: "i32" })),
  contrastive: (d, _, margin) =>
    losses.contrastive(reshape(d, [1, 1]), tensor([[0]]), tensor([0], { dtype: "i32" }), {
      margin,
    }),
  triplet: (x, y, margin) =>
    losses.triplet(point(x, y), place(-0.8, 0), place(0.8, 0), { margin, normalize: false }),
  tripletMined: (x, _, margin) =>
    losses.tripletMined(batch(x), labels(), { mining: "hard", margin }),
  infoNCE: (x, _, temperature) =>
    losses.infoNCE(concat([onCircle(x), fixed([120])]), fixed([40, 120]), { temperature }),
  ntXent: (x, _, temperature) =>
    losses.ntXent(concat([onCircle(x), fixed([120])]), fixed([40, -140]), { temperature }),
  supervisedContrastive: (x, _, temperature) =>
    losses.supervisedContrastive(batch(x), labels(), { temperature }),
  circle: (x, _, margin) => losses.circle(batch(x), labels(), { margin, scale: 8 }),
  multiSimilarity: (x, _, epsilon) =>
    losses.multiSimilarity(batch(x), labels(), { epsilon, beta: 10 }),
  cosineDistance: (x, y) => losses.cosineDistance(point(x, y), place(1, 0)),
  marginRanking: (a, b, margin) => losses.marginRanking(a, b, one(), { margin }),
  centerLoss: (x, y) => losses.centerLoss(point(x, y), first(), place(0.5, 0.5)),
  normSoftmax: (x, _, scale) => losses.crossEntropy(mul(cosines(x), scale), first()),
  cosFaceLogits: (x, _, margin) =>
    losses.crossEntropy(losses.cosFaceLogits(cosines(x), first(), { margin, scale: 8 }), first()),
  arcFaceLogits: (x, _, margin) =>
    losses.crossEntropy(losses.arcFaceLogits(cosines(x), first(), { margin, scale: 8 }), first()),
  largeMarginLogits: (x, _, margin) =>
    losses.crossEntropy(
      losses.largeMarginLogits(cosines(x), full([1, 2], 8), first(), { margin }),
      first(),
    ),
};
