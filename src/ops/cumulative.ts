import { checkOptions, type Known } from "../core/check.ts";
import { DTYPES, type DType, isFloat } from "../core/dtype.ts";
import { normalizeAxis } from "../core/shape.ts";
import { rare } from "../forms/rare.ts";
import type { Formula } from "../forms/scalars.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type Tensor } from "../graph/tensor.ts";
import { scanLength } from "../kernels/choose.ts";
import { scanNumbers } from "../kernels/scan.ts";
import { BITS, BUILT_INS } from "../kernels/shaders.ts";
import { add, maximum, minimum, mul, sub } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { equal, logicalOr } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { LOG_ADD_EXP, logAddExp } from "./log-add-exp.ts";
import {
  backToFront,
  beforeRuns,
  delayed,
  endsOf,
  joinRuns,
  recurrenceBack,
  runsOf,
} from "./recurrence.ts";
import { AXIS, type AxisOptions, asRows, forEachRow, reduceFlops, rowsForm } from "./rows.ts";
import { embed, slice } from "./slice.ts";
import { exp, isFinite, isNaN } from "./unary.ts";
import { where } from "./where.ts";

/** Options of `cumSum` and its kin. */
export interface CumulativeOptions extends AxisOptions {
  /** Whether they run from the last element to the first; false when left out. */
  reverse?: boolean;
  /** Whether an element itself does not count, only those before it; false when left out. */
  exclusive?: boolean;
}

const CUMULATIVE: Known<CumulativeOptions> = { ...AXIS, reverse: "boolean", exclusive: "boolean" };

/** How elements are combined, from the first on: the specification of two, and the rest of an op. */
interface Combination {
  readonly name: string;
  readonly domain: "number" | "float";
  readonly js: (a: number, b: number) => number;
  /** The same of whole numbers, where it differs. */
  readonly integer?: (a: number, b: number) => number;
  /** The same of tensors. */
  readonly combine: (a: Tensor, b: Tensor) => Tensor;
  readonly formula: Formula;
  readonly libraries?: readonly ShaderFile[];
  /** What changes nothing in front of others; 0 more than it where there are none. */
  readonly neutral: (dtype: DType) => number;
  readonly vjp: (g: Tensor, y: Tensor, x: Tensor) => Tensor;
}

type CumulativeFunction = (x: Tensor, options?: CumulativeOptions, ...surplus: never[]) => Tensor;

/** y[row, i] = x[row, 0] combined with all up to x[row, i]. */
/* @__NO_SIDE_EFFECTS__ */
function scanOp(of: Combination, js: Combination["js"]): OpDefinition<Record<string, never>> {
  const op: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
    name: of.name,
    cpu: (y, [x]) =>
      forEachRow(x, (row, data, start, stride, length) => {
        let total = data[start]; // in float64
        for (let i = 0; i < length; i++) {
          if (i > 0) total = js(total, data[start + i * stride]);
          y.data[row * length + i] = total;
        }
      }),
    flops: reduceFlops,
    form: rowsForm(
      scanNumbers,
      (dtype) => ({ identity: (m) => m.literal(of.neutral(dtype)), combine: of.formula }),
      of.libraries,
    ),
    // Long rows by runs, then what all runs before each give.
    lower: ([x], _, traits) => {
      const run = scanLength(x.shape, traits);
      if (run === null) return null;
      const neutral = of.neutral(x.dtype);
      const own = apply(op, [runsOf(x, run, neutral)], NO_ATTRIBUTES);
      const ends = apply(op, [endsOf(own, x.shape[0])], NO_ATTRIBUTES);
      return [joinRuns(of.combine(beforeRuns(ends, neutral, run), own), x.shape)];
    },
    vjp: (g, { y, inputs: [x] }) => [of.vjp(g, y, x)],
  });
  return rare(op);
}

/* @__NO_SIDE_EFFECTS__ */
function cumulative(of: Combination): CumulativeFunction {
  const { name, domain, js, integer, neutral } = of;
  const floats = scanOp(of, js);
  const wholes = integer ? scanOp(of, integer) : floats;
  const named: Record<string, CumulativeFunction> = {
    [name]: (x, options = {}, ...surplus) => {
      checkOptions(name, options, CUMULATIVE, surplus);
      checkTensors(name, [x]);
      checkDomain(name, x.dtype, domain);
      const { axis = -1, reverse, exclusive } = options;
      const rows = asRows(name, x, { axis: normalizeAxis(name, axis, x.rank) });
      const ahead = reverse ? backToFront(rows.x) : rows.x;
      const given = exclusive ? delayed(ahead, neutral(x.dtype) + 0) : ahead;
      const y = apply(isFloat(x.dtype) ? floats : wholes, [given], NO_ATTRIBUTES);
      return rows.restoreAll(reverse ? backToFront(y) : y);
    },
  };
  return named[name];
}

/**
 * Sums the elements along an axis, the last when left out, up to each: y[i] = x[0] + … + x[i]. Whole
 * numbers are summed modulo 2³².
 * @param options `axis`; `reverse` to begin at the end; `exclusive` to leave the element itself out, so
 * that the first is 0.
 * @throws ShapeError for an axis that is not there; DTypeError for bools.
 * @example
 * await cumSum(tensor([1, 2, 3])).toArray(); // [1, 3, 6]
 * await cumSum(tensor([1, 2, 3]), { reverse: true, exclusive: true }).toArray(); // [5, 3, 0]
 */
export const cumSum: CumulativeFunction = cumulative({
  name: "cumSum",
  domain: "number",
  js: (a, b) => a + b,
  combine: add,
  formula: "+",
  neutral: () => -0,
  // dx[j] = Σ_{i ≥ j} g[i]
  vjp: (g) => cumSum(g, { axis: 1, reverse: true }),
});

/**
 * Multiplies the elements along an axis, the last when left out, up to each: y[i] = x[0] · … · x[i].
 * Products of whole numbers are modulo 2³². The gradient is right where elements are 0, and NaN in front of
 * infinities.
 * @param options `axis`; `reverse` to begin at the end; `exclusive` to leave the element itself out, so
 * that the first is 1.
 * @throws ShapeError for an axis that is not there; DTypeError for bools.
 * @example await cumProd(tensor([1, 2, 3])).toArray(); // [1, 2, 6]
 */
export const cumProd: CumulativeFunction = cumulative({
  name: "cumProd",
  domain: "number",
  js: (a, b) => a * b,
  integer: Math.imul,
  combine: mul,
  formula: "*",
  libraries: BITS,
  neutral: () => 1,
  // dx[j] = y[j − 1] · w[j] with w[j] = g[j] + x[j + 1] · w[j + 1], without a division
  vjp: (g, y, x) => {
    const w = recurrenceBack(x, g);
    // In parts ∞ − ∞ may come of what is ∞ in order.
    return where(isFinite(w), mul(delayed(y, 1), w), Number.NaN);
  },
});

/** dx[j] = Σ of g[i] over all i whose y[i] was found at j: that of the first of equal ones. */
function toFound(g: Tensor, y: Tensor): Tensor {
  const [later, before] = [slice(y, [{}, { start: 1 }]), slice(y, [{}, { end: -1 }])];
  const isSame = logicalOr(equal(later, before), isNaN(before));
  const isOld = embed(isSame, y.shape, [0, 1], [1, 1]); // what stood before the element is best still
  return where(isOld, 0, recurrenceBack(cast(isOld, g.dtype), g));
}

/**
 * Finds the largest element along an axis, the last when left out, up to each; NaN from the first one
 * on. The gradient goes to the first of those that are equal.
 * @param options `axis`; `reverse` to begin at the end; `exclusive` to leave the element itself out, so
 * that the first is −∞, or the smallest whole number.
 * @throws ShapeError for an axis that is not there; DTypeError for bools.
 * @example await cumMax(tensor([1, 3, 2])).toArray(); // [1, 3, 3]
 */
export const cumMax: CumulativeFunction = cumulative({
  name: "cumMax",
  domain: "number",
  js: Math.max,
  combine: maximum,
  formula: "max",
  libraries: BUILT_INS,
  neutral: (dtype) => DTYPES[dtype].min,
  vjp: toFound,
});

/**
 * Finds the smallest element along an axis, the last when left out, up to each; see `cumMax`.
 * @param options `axis`; `reverse` to begin at the end; `exclusive` to leave the element itself out, so
 * that the first is ∞, or the largest whole number.
 * @throws ShapeError for an axis that is not there; DTypeError for bools.
 * @example await cumMin(tensor([2, 3, 1])).toArray(); // [2, 2, 1]
 */
export const cumMin: CumulativeFunction = cumulative({
  name: "cumMin",
  domain: "number",
  js: Math.min,
  combine: minimum,
  formula: "min",
  libraries: BUILT_INS,
  neutral: (dtype) => DTYPES[dtype].max,
  vjp: toFound,
});

/**
 * Computes log(exp(x[0]) + … + exp(x[i])) along an axis, the last when left out, without overflow.
 * Elements of −∞ are masked: they change nothing and have no gradient.
 * @param options `axis`; `reverse` to begin at the end; `exclusive` to leave the element itself out, so
 * that the first is −∞.
 * @throws ShapeError for an axis that is not there; DTypeError for what is no float.
 * @example await cumLogSumExp(tensor([0, 1000, 10])).toArray(); // [0, 1000, 1000]
 */
export const cumLogSumExp: CumulativeFunction = cumulative({
  name: "cumLogSumExp",
  domain: "float",
  ...LOG_ADD_EXP,
  combine: (a, b) => where(equal(a, Number.NEGATIVE_INFINITY), b, logAddExp(a, b)), // −0 stays
  neutral: () => Number.NEGATIVE_INFINITY,
  // dx[j] = exp(x[j] − y[j]) · w[j] with w[j] = g[j] + exp(y[j] − y[j + 1]) · w[j + 1]
  vjp: (g, y, x) => {
    const finite = where(equal(y, Number.NEGATIVE_INFINITY), 0, y); // −∞ − −∞ would be NaN
    const shares = exp(sub(delayed(y, Number.NEGATIVE_INFINITY), finite));
    return mul(exp(sub(x, finite)), recurrenceBack(shares, g));
  },
});
