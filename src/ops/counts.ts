import { checkEach, checkOptions, isInteger, type Known } from "../core/check.ts";
import { type DType, expectDType, isFloat } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { checkShape, formatShape, sameShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { full, iota, tensor } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { sumRowsAt } from "./gather.ts";
import { linspace } from "./grids.ts";
import { max, min } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { placesAmong } from "./search-sorted.ts";
import { slice } from "./slice.ts";
import { where } from "./where.ts";

/** Options of `bincount`. */
export interface BincountOptions {
  /** What each element counts, in x's shape; 1, as i32, when left out. */
  weights?: Tensor;
}

const BINCOUNT: Known<BincountOptions> = { weights: true };

/** Throws unless weights, where there are some, are numbers in x's shape. */
function checkWeights(op: string, x: Tensor, weights: Tensor | undefined): void {
  if (weights === undefined) return;
  checkTensors(op, [x, weights]);
  checkDomain(op, weights.dtype, "number");
  if (sameShape(weights.shape, x.shape)) return;
  throw new ShapeError(
    `${op}: weights ${formatShape(weights.shape)} for ${formatShape(x.shape)}; expected the same shape`,
  );
}

/** How often each place is named by i32 `[n]`, or the sum of weights. */
function countsOf(places: Tensor, size: number, weights?: Tensor): Tensor {
  const n = places.size;
  const { device } = places;
  const each = weights ? reshape(weights, [n, 1]) : full([n, 1], 1, { dtype: "i32", device });
  return reshape(sumRowsAt(places, each, size), [size]);
}

/**
 * Counts how often each integer from 0 to `size` − 1 is among x's elements, or adds their weights.
 * Others count nowhere.
 * @param x integers of any shape.
 * @param size from 0: how many counts there are.
 * @returns `[size]`, i32 or the weights' dtype.
 * @throws ShapeError or DTypeError for others.
 * @example await bincount(tensor([1, 1, 3], { dtype: "i32" }), 4).toArray(); // [0, 2, 0, 1]
 */
export function bincount(
  x: Tensor,
  size: number,
  options: BincountOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("bincount", options, BINCOUNT, surplus);
  checkTensors("bincount", [x]);
  expectDType("bincount: x has dtype", x.dtype, "integer");
  checkEach("bincount", { size }, (n) => isInteger(n, 0), "an integer from 0", ShapeError);
  checkShape("bincount", [size]);
  checkWeights("bincount", x, options.weights);
  return countsOf(reshape(cast(x, "i32"), [x.size]), size, options.weights);
}

/** Options of `histogram`. */
export interface HistogramOptions {
  /** How many bins of equal width, or the edges of bins, which ascend; 10 when left out. */
  bins?: number | readonly number[];
  /** The first edge and the last; the smallest and the largest element when left out. */
  range?: readonly [number, number];
  /** What each element counts, in x's shape; 1, as i32, when left out. */
  weights?: Tensor;
}

const HISTOGRAM: Known<HistogramOptions> = { bins: "number", range: true, weights: true };

/** Counts of a histogram, `[bins]`, and the edges of its bins, `[bins + 1]`. */
export interface Histogram {
  readonly counts: Tensor;
  readonly edges: Tensor;
}

/**
 * Counts elements by bins, as NumPy's `histogram` does: each bin holds its left edge and not its
 * right one, but the last holds both. What lies outside, and NaN, counts nowhere. Where all
 * elements are equal and no range is given, the bins go from ½ below to ½ above.
 * @param x numbers of any shape; integers count as f32.
 * @throws ShapeError or DTypeError for others; GradusError for bins or a range that do not ascend.
 * @example
 * const { counts, edges } = histogram(tensor([1, 2, 1, 4]), { bins: 3, range: [1, 4] });
 * await counts.toArray(); // [2, 1, 1]
 * await edges.toArray(); // [1, 2, 3, 4]
 */
export function histogram(
  x: Tensor,
  options: HistogramOptions = {},
  ...surplus: never[]
): Histogram {
  checkOptions("histogram", options, HISTOGRAM, surplus);
  checkTensors("histogram", [x]);
  checkDomain("histogram", x.dtype, "number");
  const { bins = 10, range, weights } = options;
  checkWeights("histogram", x, weights);
  const values = reshape(isFloat(x.dtype) ? x : cast(x, "f32"), [x.size]);
  const like = { dtype: values.dtype, device: values.device };
  const edges = Array.isArray(bins)
    ? tensor(checkEdges("bins", bins), like)
    : equalEdges(values, checkBins(bins), range && checkEdges("range", range), like);
  const count = edges.size - 1;
  // The last bin that begins at or before x; that which begins at the last edge is the last one too.
  const found = sub(placesAmong(edges, values, "right"), 1);
  const last = reshape(slice(edges, [{ start: count }]), []);
  const places = where(equal(values, last), count - 1, found);
  return { counts: countsOf(places, count, weights), edges };
}

function checkBins(bins: unknown): number {
  checkEach(
    "histogram",
    { bins },
    (n) => isInteger(n, 1),
    "an integer from 1, or edges",
    ShapeError,
  );
  checkShape("histogram", [(bins as number) + 1]);
  return bins as number;
}

function checkEdges(name: string, edges: readonly number[]): number[] {
  const isRange = name === "range";
  const isList = Array.isArray(edges) && (isRange ? edges.length === 2 : edges.length > 1);
  const ascends = (a: number, i: number) => Number.isFinite(a) && (i === 0 || edges[i - 1] < a);
  if (isList && edges.every(ascends)) return [...edges];
  throw new GradusError(
    `histogram: ${name} ${quote(edges)}; expected ${isRange ? "two" : "at least two"} finite numbers ` +
      "that ascend",
  );
}

function equalEdges(
  x: Tensor,
  bins: number,
  range: readonly number[] | undefined,
  like: { dtype: DType; device: Device },
): Tensor {
  if (range || x.size === 0) {
    const [low, high] = range ?? [0, 1];
    return linspace(low, high, bins + 1, like);
  }
  const [low, high] = [min(x), max(x)];
  const isOne = equal(low, high);
  const [first, last] = [where(isOne, sub(low, 0.5), low), where(isOne, add(high, 0.5), high)];
  const share = div(iota(bins + 1, like.dtype, like.device), bins);
  // From the nearer end, so that the last edge is the largest element.
  const width = sub(last, first);
  const upwards = add(first, mul(width, share));
  return where(equal(share, 1), last, upwards);
}
