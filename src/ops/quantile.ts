import { checkEach, checkOptions, checkWords, describeValue, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { add, mul, sub } from "./arithmetic.ts";
import { checkDomain } from "./domain.ts";
import { lerp } from "./lerp.ts";
import { checkNotEmpty } from "./reduce.ts";
import { reshape } from "./reshape.ts";
import { roundToEven } from "./rounding.ts";
import { asRows, REDUCE, reducedRows } from "./rows.ts";
import { slice, stack } from "./slice.ts";
import { sort } from "./sort.ts";
import { isFinite, isNaN } from "./unary.ts";
import { where } from "./where.ts";

/** Which number is taken where a quantile lies between two. */
export type QuantileMethod = "linear" | "lower" | "higher" | "nearest" | "midpoint";

/** Options of `quantile`. */
export interface QuantileOptions extends ReduceOptions {
  /**
   * What is taken where a quantile lies between two numbers: what lies there on the straight line
   * from one to the other, the lower, the higher or the nearer one, the one with the even place of
   * two equally near ones, or their mean; "linear" when left out.
   */
  method?: QuantileMethod;
}

const QUANTILE: Known<QuantileOptions> = { ...REDUCE, method: "string" };

/** The place, in order of size, that is taken for one between two, as a whole number or a half. */
const METHODS: Readonly<Record<QuantileMethod, (place: number) => number>> = {
  linear: (place) => place,
  lower: Math.floor,
  higher: Math.ceil,
  nearest: roundToEven,
  midpoint: (place) => (Math.floor(place) + Math.ceil(place)) / 2,
};

/** What lies at places, whole or not, of each row in order; NaN of rows with a NaN. */
function atPlaces(rows: Tensor, places: readonly number[]): Tensor[] {
  const [count, n] = rows.shape;
  const { values } = sort(rows, { axis: 1 });
  const at = (i: number) => reshape(slice(values, [{}, { start: i, end: i + 1 }]), [count]);
  const hasNaN = isNaN(at(n - 1)); // NaN is the last
  return places.map((place) => where(hasNaN, Number.NaN, between(at, place)));
}

/** What lies at a place between two numbers. */
function between(at: (i: number) => Tensor, place: number): Tensor {
  const low = Math.floor(place);
  if (low === place) return at(low);
  const [a, b, w] = [at(low), at(low + 1), place - low];
  // Between infinities, and where b − a overflows, each counts by its own.
  return where(isFinite(sub(b, a)), lerp(a, b, w), add(mul(a, 1 - w), mul(b, w)));
}

/**
 * Finds the numbers below which given parts of the elements over axes, all when none is given, lie:
 * at the place q · (n − 1) of n numbers in order. NaN where one of them is NaN. The gradient goes
 * to the one or two numbers that count.
 * @param q a number from 0 to 1, or several, for which the result has an axis in front.
 * @param options `method`, `axis` and `keepDims`.
 * @throws GradusError for another q or method, ShapeError where there are no elements, DTypeError
 * unless x holds floats.
 * Source: Hyndman & Fan 1996, "Sample quantiles in statistical packages", definition 7.
 * @example
 * const x = tensor([4, 1, 3, 2]);
 * await quantile(x, 0.25).item(); // 1.75
 * await quantile(x, [0, 1]).toArray(); // [1, 4]
 */
export function quantile(
  x: Tensor,
  q: number | readonly number[],
  options: QuantileOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("quantile", options, QUANTILE, surplus);
  checkTensors("quantile", [x]);
  checkDomain("quantile", x.dtype, "float");
  const { method = "linear" } = options;
  checkWords("quantile", { method }, Object.keys(METHODS));
  const parts = Array.isArray(q) ? (q as readonly number[]) : [q as number];
  if (parts.length === 0) {
    throw new GradusError(`quantile: q ${describeValue(q)}; expected at least one number`);
  }
  const isPart = (part: unknown) => (part as number) >= 0 && (part as number) <= 1;
  for (const part of parts) {
    const holds = (given: unknown) => typeof given === "number" && isPart(given);
    checkEach("quantile", { q: part }, holds, "a number from 0 to 1");
  }
  const { x: rows, length, restore } = asRows("quantile", x, options);
  checkNotEmpty("quantile", x, length);
  const places = parts.map((part) => METHODS[method](part * (length - 1)));
  const found = atPlaces(rows, places).map(restore);
  return Array.isArray(q) ? stack(found) : found[0];
}

/**
 * Finds the middle of the elements over axes, all when none is given, in order of size: the mean of
 * the two in the middle where their number is even. NaN where one of them is NaN. The gradient goes
 * to the one or two.
 * @param options `axis` and `keepDims`.
 * @throws ShapeError where there are no elements, DTypeError unless x holds floats.
 * @example await median(tensor([4, 1, 3, 2])).item(); // 2.5
 */
export function median(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, length, restore } = reducedRows("median", x, options, surplus, "float");
  checkNotEmpty("median", x, length);
  return restore(atPlaces(rows, [(length - 1) / 2])[0]);
}
