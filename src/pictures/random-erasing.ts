import { checkOptions, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, sub } from "../ops/arithmetic.ts";
import { greaterEqual, less, logicalAnd } from "../ops/compare.ts";
import { iota } from "../ops/creation.ts";
import { uniformAt } from "../ops/random-at.ts";
import { reshape } from "../ops/reshape.ts";
import { floor, round } from "../ops/rounding.ts";
import { slice } from "../ops/slice.ts";
import { exp, sqrt } from "../ops/unary.ts";
import { where } from "../ops/where.ts";
import {
  AUGMENT,
  type AugmentOptions,
  type BatchDraw,
  beginDraw,
  checkInterval,
  checkPixel,
  checkProbability,
} from "./batch-draw.ts";

/** Options of `randomErasing`. */
export interface RandomErasingOptions extends AugmentOptions {
  /** The share of pictures of which something is erased; 0.5 when left out. */
  p?: number;
  /** The range of the erased share of a picture's area, up to 1; `[0.02, 0.33]` when left out. */
  scale?: readonly [low: number, high: number];
  /** The range of height over width of what is erased; `[0.3, 3.3]` when left out. */
  ratio?: readonly [low: number, high: number];
  /** What is put there; 0 when left out. */
  value?: number;
}

const RANDOM_ERASING: Known<RandomErasingOptions> = {
  ...AUGMENT,
  p: true,
  scale: true,
  ratio: true,
  value: "number",
};

/** How often a rectangle is drawn that lies within the picture, as in torchvision. */
const TRIES = 10;

/** Whether a pixel lies in a rectangle of its picture, `[n, height, width, 1]`. */
export function isInBox(
  { x, each, height, width }: BatchDraw,
  top: Tensor,
  left: Tensor,
  rows: Tensor,
  columns: Tensor,
): Tensor {
  const line = (count: number, shape: readonly number[]) =>
    reshape(iota(count, x.dtype, x.device), shape);
  const between = (place: Tensor, first: Tensor, count: Tensor) =>
    logicalAnd(greaterEqual(place, each(first)), less(place, each(add(first, count))));
  return logicalAnd(
    between(line(height, [1, height, 1, 1]), top, rows),
    between(line(width, [1, 1, width, 1]), left, columns),
  );
}

/**
 * Erases a rectangle of a share of the pictures, whose area, form and place are drawn for each, as
 * torchvision's `RandomErasing` does. Of ten rectangles that are drawn the first that is smaller than the
 * picture is taken; where there is none, nothing is erased.
 * Source: Zhong et al. 2017, "Random erasing data augmentation", algorithm 1.
 * @param images floats or u8, `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @throws ShapeError, DTypeError or GradusError for others, and without seed and key.
 * @example randomErasing(randomUniform([8, 3, 32, 32], { seed: 1 }), { step, seed: 2, p: 0.25 });
 */
export function randomErasing(
  images: Tensor,
  options: RandomErasingOptions,
  ...surplus: never[]
): Tensor {
  const op = "randomErasing";
  checkOptions(op, options, RANDOM_ERASING, surplus);
  const { p = 0.5, scale = [0.02, 0.33], ratio = [0.3, 3.3], value = 0 } = options;
  checkProbability(op, p);
  checkInterval(op, "scale", scale, "share");
  checkInterval(op, "ratio", ratio, "above 0");
  const draw = beginDraw(op, images, options);
  checkPixel(op, draw, { value });
  const { x, n, height, width, uniform, each, part, step, restore } = draw;
  const many = (i: number, low: number, high: number) =>
    uniformAt(step, [n, TRIES], { key: part(i), low, high, dtype: x.dtype });
  const area = mul(many(0, scale[0], scale[1]), height * width);
  const form = exp(many(1, Math.log(ratio[0]), Math.log(ratio[1])));
  const [rows, columns] = [round(sqrt(mul(area, form))), round(sqrt(div(area, form)))];
  const fits = logicalAnd(less(rows, height), less(columns, width));
  // The first that fits: what comes later is put first, and then replaced.
  const firstOf = (values: Tensor) =>
    Array.from({ length: TRIES }, (_, i) => TRIES - 1 - i).reduce((found: Tensor | null, i) => {
      const at = (all: Tensor) => reshape(slice(all, [{}, { start: i, end: i + 1 }]), [n]);
      return where(at(fits), at(values), found ?? mul(at(values), 0));
    }, null) as Tensor;
  const [h, w] = [firstOf(rows), firstOf(columns)];
  // A number from 0 to the last place, each as likely.
  const place = (i: number, room: Tensor) => floor(mul(uniform(i), add(room, 1)));
  const [top, left] = [place(2, sub(height, h)), place(3, sub(width, w))];
  const isTaken = each(less(uniform(4), p));
  const inside = logicalAnd(isTaken, isInBox(draw, top, left, h, w));
  return restore(where(inside, value, x));
}
