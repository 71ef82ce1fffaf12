import { checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { iota } from "../ops/creation.ts";
import { gatherRows } from "../ops/gather.ts";
import { type PadOptions, pad } from "../ops/pad.ts";
import { reshape } from "../ops/reshape.ts";
import { type EdgePadding, edgesOf, forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { AUGMENT, type AugmentOptions, beginDraw, checkPixel } from "./batch-draw.ts";

/** Options of `randomCrop`. */
export interface RandomCropOptions extends AugmentOptions {
  /** What lies around the picture, on both sides of its height and width; 0 when left out. */
  padding?: EdgePadding;
  /** What that is, as `pad` takes it; `constant` when left out. */
  mode?: PadOptions["mode"];
  /** The value of mode `constant`; 0 when left out. */
  value?: number;
}

const RANDOM_CROP: Known<RandomCropOptions> = {
  ...AUGMENT,
  padding: "number",
  mode: true,
  value: true,
};

/**
 * Takes a part of each picture from a place that is drawn for it, as torchvision's `RandomCrop` does;
 * with padding, parts may lie partly outside. The bits are the same on all devices.
 * @param images floats or u8, `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @param size of the result, from 1: one number for both axes, or `[height, width]`.
 * @throws ShapeError, DTypeError or GradusError for others, for a size that is larger than the padded
 * picture, and without seed and key.
 * @example randomCrop(zeros([8, 3, 32, 32]), 32, { step, seed: 1, padding: 4 });
 */
export function randomCrop(
  images: Tensor,
  size: PerAxis,
  options: RandomCropOptions,
  ...surplus: never[]
): Tensor {
  const op = "randomCrop";
  checkOptions(op, options, RANDOM_CROP, surplus);
  const { padding = 0, mode = "constant", value = 0 } = options;
  const draw = beginDraw(op, images, options);
  const { x, n, channels, integers, restore } = draw;
  checkPixel(op, draw, { value });
  const [height, width] = forEachAxis(op, "size", size, [0, 1], 1);
  const edges = edgesOf(op, padding, [0, 1]);
  const whole = edges.flat().some((count) => count > 0)
    ? pad(x, [[0, 0], ...edges, [0, 0]], { mode, ...(mode === "constant" && { value }) })
    : x;
  const [, rows, columns] = whole.shape;
  if (height > rows || width > columns) {
    throw new ShapeError(
      `${op}: size ${height} × ${width} of ${rows} × ${columns} pixels; expected at most as many`,
    );
  }
  const line = (count: number, shape: readonly number[]) =>
    reshape(iota(count, "i32", x.device), shape);
  const first = (part: number, count: number) => reshape(integers(part, count), [n, 1, 1]);
  const row = add(first(0, rows - height + 1), line(height, [1, height, 1]));
  const column = add(first(1, columns - width + 1), line(width, [1, 1, width]));
  const picture = mul(line(n, [n, 1, 1]), rows * columns);
  const index = reshape(add(add(picture, mul(row, columns)), column), [n * height * width]);
  const pixels = gatherRows(reshape(whole, [n * rows * columns, channels]), index);
  return restore(reshape(pixels, [n, height, width, channels]));
}
