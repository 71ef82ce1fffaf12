import { checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { checkDomain } from "./domain.ts";
import { pad } from "./pad.ts";
import { sum } from "./reduce.ts";
import { inShape, withAxes } from "./reshape.ts";
import { slice } from "./slice.ts";
import {
  checkWindows,
  countOf,
  type EdgePadding,
  edgesOf,
  forEachAxis,
  type PerAxis,
  type Sliding,
} from "./sliding.ts";
import { unwindow, windows } from "./windows.ts";

/** Options of `fold` and `unfold`. */
export interface FoldOptions {
  /** How far a block lies from the one before, from 1; 1 when left out. */
  stride?: PerAxis;
  /** Zeros around the image; none when left out. */
  padding?: EdgePadding;
  /** How far elements of a block lie apart, from 1; 1 when left out. */
  dilation?: PerAxis;
}

/** The names of `FoldOptions`, for checks. */
export const FOLD: Known<FoldOptions> = { stride: "number", padding: true, dilation: true };

/** The axes of height and width, behind n and channels. */
const AXES = [2, 3];

/** Checks the numbers of blocks; gives how they lie along height and width of such sizes. */
export function blocksOf(
  op: string,
  sizes: Shape,
  size: PerAxis,
  options: FoldOptions,
  axes = AXES,
): Sliding[] {
  const lengths = forEachAxis(op, "size", size, axes, 1);
  const stride = forEachAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = forEachAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const edges = edgesOf(op, options.padding ?? 0, axes);
  return sizes.map((input, i) => {
    const [before, after] = edges[i];
    return { input, size: lengths[i], stride: stride[i], dilation: dilation[i], before, after };
  });
}

const strideOf = (all: readonly Sliding[]) => all.map(({ stride }) => stride);
const dilationOf = (all: readonly Sliding[]) => all.map(({ dilation }) => dilation);
const sizesOf = (all: readonly Sliding[]) => all.map(({ size }) => size);

/**
 * Lays the blocks of images side by side, as `torch.nn.functional.unfold` does ("im2col"):
 * `[n, channels, height, width]` to `[n, channels · size², blocks]`, elements of a block row by row within
 * each channel, blocks row by row.
 * @param x floats, also without n.
 * @param size elements of a block, from 1: one number for height and width, or one for each.
 * @throws ShapeError for blocks larger than x, and another number of axes.
 * @example unfold(zeros([2, 3, 8, 8]), 3, { padding: 1, stride: 2 }).shape; // [2, 27, 16]
 */
export function unfold(
  x: Tensor,
  size: PerAxis,
  options: FoldOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("unfold", options, FOLD, surplus);
  checkTensors("unfold", [x]);
  checkDomain("unfold", x.dtype, "float");
  if (x.rank !== 3 && x.rank !== 4) {
    const rule = "[n, channels, height, width], or that without n";
    throw new ShapeError(`unfold: input ${formatShape(x.shape)}; expected ${rule}`);
  }
  const batch = x.rank === 4 ? x : inShape(x, [1, ...x.shape]);
  const [n, channels, ...sizes] = batch.shape;
  const all = blocksOf("unfold", sizes, size, options);
  checkWindows("unfold", all, x.shape, AXES);
  const edges = all.map(({ before, after }) => [before, after] as const);
  const view = windows(pad(batch, [[0, 0], [0, 0], ...edges]), sizesOf(all), {
    axis: AXES,
    stride: strideOf(all),
    dilation: dilationOf(all),
  }); // [n, channels, …blocks, …size]
  const rows = withAxes(view, [0, 1, 4, 5, 2, 3]);
  const y = inShape(rows, [n, channels * sizeOf(sizesOf(all)), sizeOf(all.map(countOf))]);
  return x.rank === 4 ? y : inShape(y, y.shape.slice(1));
}

/**
 * Adds up blocks of images where `unfold` would take them from, as `torch.nn.functional.fold` does
 * ("col2im"): `[n, channels · size², blocks]` to `[n, channels, height, width]`, zeros where no block is.
 * @param x floats, also without n.
 * @param outputSize height and width, or one number for both.
 * @param size elements of a block, from 1: one number for height and width, or one for each.
 * @throws ShapeError for another number of rows or blocks than images of that size have.
 * @example
 * const x = ones([1, 3, 8, 8]);
 * fold(unfold(x, 2, { stride: 2 }), 8, 2, { stride: 2 }).shape; // [1, 3, 8, 8], which is x
 */
export function fold(
  x: Tensor,
  outputSize: PerAxis,
  size: PerAxis,
  options: FoldOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("fold", options, FOLD, surplus);
  checkTensors("fold", [x]);
  checkDomain("fold", x.dtype, "float");
  const sizes = forEachAxis("fold", "outputSize", outputSize, AXES, 1);
  const all = blocksOf("fold", sizes, size, options);
  checkWindows("fold", all, [...sizes], [0, 1]);
  const [elements, blocks] = [sizeOf(sizesOf(all)), sizeOf(all.map(countOf))];
  const [rows, count] = x.shape.slice(-2);
  if ((x.rank !== 2 && x.rank !== 3) || rows % elements !== 0 || count !== blocks) {
    throw new ShapeError(
      `fold: input ${formatShape(x.shape)}; expected [n, a multiple of ${elements}, ${blocks}], or that ` +
        "without n",
    );
  }
  const n = x.rank === 3 ? x.shape[0] : 1;
  const channels = rows / elements;
  const split = inShape(x, [n, channels, ...sizesOf(all), ...all.map(countOf)]);
  const whole = all.map(({ input, before, after }) => input + before + after);
  const places = unwindow(withAxes(split, [0, 1, 4, 5, 2, 3]), [n, channels, ...whole], {
    axes: AXES,
    stride: strideOf(all),
    dilation: dilationOf(all),
  });
  const ranges = all.map(({ before, input }) => ({ start: before, end: before + input }));
  const y = slice(sum(places, { axis: [-2, -1] }), [{}, {}, ...ranges]);
  return x.rank === 3 ? y : inShape(y, y.shape.slice(1));
}
