import { checkOptions, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { less } from "../ops/compare.ts";
import { flip } from "../ops/flip.ts";
import { where } from "../ops/where.ts";
import { AUGMENT, type AugmentOptions, beginDraw, checkProbability } from "./batch-draw.ts";

/** Options of `randomHorizontalFlip` and `randomVerticalFlip`. */
export interface RandomFlipOptions extends AugmentOptions {
  /** The share of pictures that are turned; 0.5 when left out. */
  p?: number;
}

const RANDOM_FLIP: Known<RandomFlipOptions> = { ...AUGMENT, p: true };

function flipped(
  op: "randomHorizontalFlip" | "randomVerticalFlip",
  axis: number,
  images: Tensor,
  options: RandomFlipOptions,
  surplus: readonly never[],
): Tensor {
  checkOptions(op, options, RANDOM_FLIP, surplus);
  const { p = 0.5 } = options;
  checkProbability(op, p);
  const { x, uniform, each, restore } = beginDraw(op, images, options);
  return restore(where(each(less(uniform(0), p)), flip(x, { axis }), x));
}

/**
 * Mirrors a share of the pictures left to right, as torchvision's `RandomHorizontalFlip` does, each of a
 * batch by a draw of its own. In a compiled step it is a part of it; the bits are the same on all devices.
 * @param images floats or u8, `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @throws ShapeError, DTypeError or GradusError for others, and without seed and key.
 * @example randomHorizontalFlip(randomUniform([8, 3, 32, 32], { seed: 1 }), { step, seed: 2 });
 */
export function randomHorizontalFlip(
  images: Tensor,
  options: RandomFlipOptions,
  ...surplus: never[]
): Tensor {
  return flipped("randomHorizontalFlip", 2, images, options, surplus);
}

/**
 * Mirrors a share of the pictures upside down, as torchvision's `RandomVerticalFlip` does; else as
 * `randomHorizontalFlip`.
 * @example randomVerticalFlip(randomUniform([8, 3, 32, 32], { seed: 1 }), { step, seed: 2, p: 0.3 });
 */
export function randomVerticalFlip(
  images: Tensor,
  options: RandomFlipOptions,
  ...surplus: never[]
): Tensor {
  return flipped("randomVerticalFlip", 1, images, options, surplus);
}
