import { checkOptions, checkPositive, type Known } from "../core/check.ts";
import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { foldIn } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, div, maximum, minimum, mul, sub } from "../ops/arithmetic.ts";
import { gammaAt } from "../ops/distributions.ts";
import { roll } from "../ops/flip.ts";
import { uniformAt } from "../ops/random-at.ts";
import { reshape } from "../ops/reshape.ts";
import { floor } from "../ops/rounding.ts";
import { log, sigmoid, sqrt } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import { AUGMENT, type AugmentOptions, type BatchDraw, beginDraw } from "./batch-draw.ts";
import { isInBox } from "./random-erasing.ts";

/** Options of `mixup` and `cutmix`. */
export interface MixOptions extends AugmentOptions {
  /** Shares are drawn from Beta(alpha, alpha), which is uniform for 1; 1 when left out. */
  alpha?: number;
}

const MIX: Known<MixOptions> = { ...AUGMENT, alpha: "number" };

function beginMix(
  op: "mixup" | "cutmix",
  images: Tensor,
  targets: Tensor,
  options: MixOptions,
): BatchDraw {
  checkTensors(op, [images, targets]);
  const { alpha = 1 } = options;
  checkPositive(op, { alpha });
  const draw = beginDraw(op, images, options, op === "cutmix");
  if (targets.rank === 0 || targets.shape[0] !== draw.n) {
    throw new ShapeError(
      `${op}: images ${formatShape(images.shape)} and targets ${formatShape(targets.shape)}; ` +
        "expected one for each picture, as [n, classes]",
    );
  }
  if (!isFloat(targets.dtype)) {
    throw new DTypeError(
      `${op}: targets have dtype ${targets.dtype}; expected floats. Use oneHot(labels, classes)`,
    );
  }
  return draw;
}

/** Beyond these, shares differ from the limit, 0 and 1 or a half each, by less than float32 shows. */
const [LEAST, MOST] = [1e-30, 1e30];

/**
 * Shares for each picture, `[n]`: a / (a + b) of two draws from Gamma(alpha), as σ(ln a − ln b), since both may
 * be too small for float32. Below 1, a draw is x · u^(1/alpha) with x of Gamma(alpha + 1) and u uniform.
 */
function shares({ step, part, uniform, n, x: { dtype } }: BatchDraw, given: number): Tensor {
  if (given === 1) return uniform(0);
  const alpha = Math.min(MOST, Math.max(LEAST, given));
  const isSmall = alpha < 1;
  const keys = [0, 1].map((i) => foldIn(part(0), i));
  const [a, b] = keys.map((key) => {
    return log(gammaAt(step, [n], { concentration: alpha + (isSmall ? 1 : 0), key, dtype }));
  });
  const difference = sub(a, b);
  if (!isSmall) return sigmoid(difference);
  const [u, v] = keys.map((key) => log(sub(1, uniformAt(step, [n], { key, dtype }))));
  return sigmoid(add(difference, mul(sub(u, v), 1 / alpha)));
}

/** share · targets + (1 − share) · those of the picture before. */
function mixedTargets(targets: Tensor, share: Tensor): Tensor {
  const own = reshape(share, [share.size, ...Array(targets.rank - 1).fill(1)]);
  return add(mul(targets, own), mul(roll(targets, 1, { axis: 0 }), sub(1, own)));
}

/**
 * Mixes each picture with the one before it in the batch, and their targets by the same share, as
 * torchvision's `MixUp` does; the share is drawn for each picture, where torchvision has one for all. Batches
 * should be shuffled. The draws have the same bits on all devices where `alpha` is 1, else within their bounds.
 * Source: Zhang et al. 2018, "mixup: beyond empirical risk minimization", eq. 1.
 * @param images floats `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @param targets floats `[n, …]`, such as `oneHot(labels, classes)`.
 * @returns the mixed pictures and targets.
 * @throws ShapeError, DTypeError or GradusError for others, and without seed and key.
 * @example
 * const images = randomUniform([100, 1, 4, 4], { seed: 1 });
 * const [mixed, targets] = mixup(images, oneHot(labels, 10), { alpha: 0.2, step, seed: 2 });
 */
export function mixup(
  images: Tensor,
  targets: Tensor,
  options: MixOptions,
  ...surplus: never[]
): [images: Tensor, targets: Tensor] {
  checkOptions("mixup", options, MIX, surplus);
  const draw = beginMix("mixup", images, targets, options);
  const { x, each, restore } = draw;
  const share = shares(draw, options.alpha ?? 1);
  const own = each(share);
  const y = add(mul(x, own), mul(roll(x, 1, { axis: 0 }), sub(1, own)));
  return [restore(y), mixedTargets(targets, share)];
}

/**
 * Puts a rectangle of the picture before it in the batch into each picture, and mixes their targets by the
 * areas, as torchvision's `CutMix` does, of u8 too; area and place are drawn for each picture, where torchvision has
 * one for all. Else as `mixup`.
 * Source: Yun et al. 2019, "CutMix: regularization strategy to train strong classifiers", eq. 1 and 2.
 * @example
 * const images = randomUniform([100, 1, 4, 4], { seed: 1 });
 * const [cut, targets] = cutmix(images, oneHot(labels, 10), { step, seed: 2 });
 */
export function cutmix(
  images: Tensor,
  targets: Tensor,
  options: MixOptions,
  ...surplus: never[]
): [images: Tensor, targets: Tensor] {
  checkOptions("cutmix", options, MIX, surplus);
  const draw = beginMix("cutmix", images, targets, options);
  const { x, height, width, uniform, restore } = draw;
  const half = mul(sqrt(sub(1, shares(draw, options.alpha ?? 1))), 0.5);
  // A middle, and half a side before and behind it, cut at the picture's edges.
  const side = (part: number, count: number) => {
    const middle = floor(mul(uniform(part), count));
    const reach = floor(mul(half, count));
    const first = maximum(sub(middle, reach), 0);
    return [first, sub(minimum(add(middle, reach), count), first)];
  };
  const [top, rows] = side(1, height);
  const [left, columns] = side(2, width);
  const inside = isInBox(draw, top, left, rows, columns);
  const share = sub(1, div(mul(rows, columns), height * width));
  return [restore(where(inside, roll(x, 1, { axis: 0 }), x)), mixedTargets(targets, share)];
}
