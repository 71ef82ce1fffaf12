import { checkOptions, isInteger, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { channelsLast, type Layout2d } from "./channels.ts";
import { inShape, withAxes } from "./reshape.ts";

/** The order of an image's axes. */
export interface ImageOptions {
  /** Channels follow n when left out. */
  layout?: Layout2d;
}

const IMAGE: Known<ImageOptions> = { layout: "string" };

function checkFactor(op: string, factor: number): void {
  if (isInteger(factor, 1)) return;
  throw new GradusError(`${op}: factor ${quote(factor)}; expected an integer from 1`);
}

/**
 * Makes images larger by what their channels hold: r² channels in a row are r × r pixels,
 * `[n, c·r², height, width]` to `[n, c, r·height, r·width]`. No elements are copied.
 * Source: Shi et al. 2016, "Real-time single image and video super-resolution using an efficient
 * sub-pixel convolutional neural network", eq. 4.
 * @param factor r, an integer from 1.
 * @throws ShapeError unless the channels are a multiple of r².
 * @example pixelShuffle(zeros([1, 12, 8, 8]), 2).shape; // [1, 3, 16, 16]
 */
export function pixelShuffle(
  x: Tensor,
  factor: number,
  options: ImageOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("pixelShuffle", options, IMAGE, surplus);
  checkTensors("pixelShuffle", [x]);
  checkFactor("pixelShuffle", factor);
  const batch = channelsLast("pixelShuffle", x, 2, options.layout);
  const [n, height, width, channels] = batch.x.shape;
  const own = channels / factor ** 2;
  if (!Number.isInteger(own)) {
    throw new ShapeError(
      `pixelShuffle: ${channels} channels of ${formatShape(x.shape)}; expected a multiple of ` +
        `${factor ** 2}`,
    );
  }
  const split = inShape(batch.x, [n, height, width, own, factor, factor]);
  const apart = withAxes(split, [0, 1, 4, 2, 5, 3]);
  return batch.restore(inShape(apart, [n, height * factor, width * factor, own]));
}

/**
 * Takes `pixelShuffle` back: r × r pixels are r² channels in a row, `[n, c, r·height, r·width]` to
 * `[n, c·r², height, width]`. No elements are copied.
 * @param factor r, an integer from 1.
 * @throws ShapeError unless height and width are multiples of r.
 * @example pixelUnshuffle(zeros([1, 3, 16, 16]), 2).shape; // [1, 12, 8, 8]
 */
export function pixelUnshuffle(
  x: Tensor,
  factor: number,
  options: ImageOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("pixelUnshuffle", options, IMAGE, surplus);
  checkTensors("pixelUnshuffle", [x]);
  checkFactor("pixelUnshuffle", factor);
  const batch = channelsLast("pixelUnshuffle", x, 2, options.layout);
  const [n, height, width, channels] = batch.x.shape;
  if (height % factor !== 0 || width % factor !== 0) {
    throw new ShapeError(
      `pixelUnshuffle: ${height} by ${width} pixels of ${formatShape(x.shape)}; expected multiples ` +
        `of ${factor}`,
    );
  }
  const [rows, columns] = [height / factor, width / factor];
  const split = inShape(batch.x, [n, rows, factor, columns, factor, channels]);
  const joined = withAxes(split, [0, 1, 3, 5, 2, 4]);
  return batch.restore(inShape(joined, [n, rows, columns, channels * factor ** 2]));
}
