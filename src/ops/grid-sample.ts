import { checkOptions, checkWords, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, clip, mul, sub } from "./arithmetic.ts";
import { stretch } from "./broadcast.ts";
import { cast } from "./cast.ts";
import { channelsLast, type Layout2d } from "./channels.ts";
import { greaterEqual, lessEqual, logicalAnd } from "./compare.ts";
import { iota } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { gatherRows } from "./gather.ts";
import { fmod } from "./remainder.ts";
import { reshape } from "./reshape.ts";
import { cubicWeights } from "./resize.ts";
import { floor, round } from "./rounding.ts";
import { concat, slice } from "./slice.ts";
import { forEachAxis, type PerAxis } from "./sliding.ts";
import { abs } from "./unary.ts";
import { where } from "./where.ts";

/** Options of `gridSample`. */
export interface GridSampleOptions {
  /** `bilinear` when left out: of four pixels around a place; `bicubic` of sixteen, or the nearest one. */
  mode?: "bilinear" | "nearest" | "bicubic";
  /**
   * What lies outside: `zeros`, when left out; the `border`'s pixels; or the picture's `reflection` at its
   * border.
   */
  padding?: "zeros" | "border" | "reflection";
  /** Whether −1 and 1 are the middles of the pixels at the edge, not their outer edges; false when left out. */
  alignCorners?: boolean;
  /** The order of x's axes; channels follow n when left out. */
  layout?: Layout2d;
}

const GRID_SAMPLE: Known<GridSampleOptions> = {
  mode: "string",
  padding: true,
  alignCorners: "boolean",
  layout: true,
};

type GridPadding = Required<GridSampleOptions>["padding"];

/** The dtype of places. */
const PLACE: DType = "i32";

/** Where among an axis's n pixels coordinates from −1 to 1 lie. */
function unnormalized(coordinate: Tensor, n: number, alignCorners: boolean): Tensor {
  // (c + 1) (n − 1) / 2, or ((c + 1) n − 1) / 2
  if (alignCorners) return mul(add(coordinate, 1), (n - 1) / 2);
  return sub(mul(add(coordinate, 1), n / 2), 0.5);
}

/** Mirrors places at the ends of an axis as often as they lie outside. */
function mirrored(place: Tensor, n: number, alignCorners: boolean): Tensor {
  const [low, span] = alignCorners ? [0, n - 1] : [-0.5, n];
  if (span === 0) return mul(place, 0);
  // A wave of triangles: low + span − | (|p − low| mod 2 span) − span |
  const along = fmod(abs(sub(place, low)), 2 * span);
  return sub(low + span, abs(sub(along, span)));
}

/** Brings places outside of an axis into it, where something lies there. */
function placedInside(
  place: Tensor,
  n: number,
  padding: GridPadding,
  alignCorners: boolean,
): Tensor {
  if (padding === "zeros") return place;
  const inside = padding === "reflection" ? mirrored(place, n, alignCorners) : place;
  return clip(inside, 0, n - 1);
}

/** Pixels of an axis, as floats, and how much a place is made of each. */
type GridTaps = readonly (readonly [pixel: Tensor, weight: Tensor | null])[];

/** What a place on an axis of n pixels is made of. */
function tapsAt(
  coordinate: Tensor,
  n: number,
  { mode, padding, alignCorners }: Required<Omit<GridSampleOptions, "layout">>,
): GridTaps {
  const place = unnormalized(coordinate, n, alignCorners);
  if (mode === "bicubic") {
    const first = floor(place);
    return cubicWeights(sub(place, first)).map((weight, i) => {
      return [placedInside(add(first, i - 1), n, padding, alignCorners), weight] as const;
    });
  }
  const inside = placedInside(place, n, padding, alignCorners);
  if (mode === "nearest") return [[round(inside), null]];
  const first = floor(inside);
  const rest = sub(inside, first);
  return [
    [first, sub(1, rest)],
    [add(first, 1), rest],
  ];
}

/** Whether a pixel, as a float, is one of an axis's n. */
function isPixel(pixel: Tensor, n: number): Tensor {
  return logicalAnd(greaterEqual(pixel, 0), lessEqual(pixel, n - 1));
}

/**
 * Takes pictures at places that a grid says, as PyTorch's `grid_sample` does: at each place of the result,
 * x and y of where to look, from −1, the left and upper edge, to 1. Both have gradients. Where the grid is
 * NaN, so is the result.
 * Source: Jaderberg et al. 2015, "Spatial transformer networks", eq. 3 to 7; Keys 1981, eq. 4 with a =
 * −3/4, for `bicubic`.
 * @param x floats `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @param grid `[n, rows, columns, 2]` of x's dtype: x, then y.
 * @returns `[n, channels, rows, columns]`, or `[n, rows, columns, channels]`.
 * @throws ShapeError for others, and for pictures without pixels; DTypeError for other dtypes.
 * @example
 * const picture = tensor([[[[1, 2], [3, 4]]]]);
 * const middle = tensor([[[[0, 0]]]]);
 * await gridSample(picture, middle).toArray(); // [[[[2.5]]]]
 */
export function gridSample(
  x: Tensor,
  grid: Tensor,
  options: GridSampleOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "gridSample";
  checkOptions(op, options, GRID_SAMPLE, surplus);
  checkTensors(op, [x, grid]);
  checkDomain(op, x.dtype, "float");
  checkSameDType(op, x, grid);
  const { mode = "bilinear", padding = "zeros", alignCorners = false, layout } = options;
  checkWords(op, { mode }, ["bilinear", "nearest", "bicubic"]);
  checkWords(op, { padding }, ["zeros", "border", "reflection"]);
  const batch = channelsLast(op, x, 2, layout);
  const [n, height, width, channels] = batch.x.shape;
  const [gridN, rows, columns, two] = grid.shape;
  if (x.rank !== 4 || grid.rank !== 4 || gridN !== n || two !== 2) {
    throw new ShapeError(
      `${op}: x ${formatShape(x.shape)} and grid ${formatShape(grid.shape)}; expected ` +
        "[n, channels, height, width] and [n, rows, columns, 2]",
    );
  }
  if (height * width === 0) {
    throw new ShapeError(`${op}: x ${formatShape(x.shape)}; expected at least one pixel`);
  }
  const places = [n, rows, columns];
  const settings = { mode, padding, alignCorners };
  const [across, down] = [0, 1].map((i) => {
    const coordinate = reshape(slice(grid, [{}, {}, {}, { start: i, end: i + 1 }]), places);
    return tapsAt(coordinate, i === 0 ? width : height, settings);
  });
  const pixels = reshape(batch.x, [n * height * width, channels]);
  const first = stretch(reshape(mul(iota(n, PLACE, x.device), height * width), [n, 1, 1]), places);
  const count = n * rows * columns;
  const parts = down.flatMap(([row, rowWeight]) =>
    across.map(([column, columnWeight]) => {
      const isInside = logicalAnd(isPixel(row, height), isPixel(column, width));
      const place = add(mul(cast(row, PLACE), width), cast(column, PLACE));
      const index = where(isInside, add(first, place), -1);
      const taken = gatherRows(pixels, reshape(index, [count]), true);
      if (!rowWeight || !columnWeight) return reshape(taken, [...places, channels]);
      const weight = reshape(mul(rowWeight, columnWeight), [count, 1]);
      return reshape(mul(taken, weight), [...places, channels]);
    }),
  );
  return batch.restore(parts.reduce((a, b) => add(a, b)));
}

/** Options of `affineGrid`. */
export interface AffineGridOptions {
  /** As `gridSample` takes it; false when left out. */
  alignCorners?: boolean;
}

const AFFINE_GRID: Known<AffineGridOptions> = { alignCorners: "boolean" };

/** Coordinates from −1 to 1 of an axis's n pixels. */
function coordinates(n: number, like: Tensor, alignCorners: boolean): Tensor {
  const place = iota(n, like.dtype, like.device);
  if (alignCorners) return n === 1 ? mul(place, 0) : sub(mul(place, 2 / (n - 1)), 1);
  return sub(mul(add(place, 0.5), 2 / n), 1);
}

/**
 * Makes grids for `gridSample` of affine maps, as PyTorch's `affine_grid` does: the place (x, y) of the
 * result looks at (a x + b y + c, d x + e y + f).
 * @param theta floats `[n, 2, 3]`: rows `[a, b, c]` and `[d, e, f]`.
 * @param size of the result, from 1: one number for both axes, or `[height, width]`.
 * @returns `[n, height, width, 2]`.
 * @throws ShapeError or DTypeError for others.
 * @example
 * const turned = tensor([[[0, -1, 0], [1, 0, 0]]]);
 * affineGrid(turned, [3, 4]).shape; // [1, 3, 4, 2]
 */
export function affineGrid(
  theta: Tensor,
  size: PerAxis,
  options: AffineGridOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "affineGrid";
  checkOptions(op, options, AFFINE_GRID, surplus);
  checkTensors(op, [theta]);
  checkDomain(op, theta.dtype, "float");
  const { alignCorners = false } = options;
  const [n, two, three] = theta.shape;
  if (theta.rank !== 3 || two !== 2 || three !== 3) {
    throw new ShapeError(`${op}: theta ${formatShape(theta.shape)}; expected [n, 2, 3]`);
  }
  const [height, width] = forEachAxis(op, "size", size, [0, 1], 1);
  const x = reshape(coordinates(width, theta, alignCorners), [1, 1, width]);
  const y = reshape(coordinates(height, theta, alignCorners), [1, height, 1]);
  const entry = (row: number, column: number) => {
    const range = (i: number) => ({ start: i, end: i + 1 });
    return reshape(slice(theta, [{}, range(row), range(column)]), [n, 1, 1]);
  };
  const parts = [0, 1].map((row) => {
    const sum = add(add(mul(entry(row, 0), x), mul(entry(row, 1), y)), entry(row, 2));
    return reshape(sum, [n, height, width, 1]);
  });
  return concat(parts, { axis: 3 });
}
