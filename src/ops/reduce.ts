import { checkOptions, checkWords, type Known } from "../core/check.ts";
import { DTYPES, type DType, isFloat } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, normalizeAxis } from "../core/shape.ts";
import { rare } from "../forms/rare.ts";
import type { Formula } from "../forms/scalars.ts";
import { type Attributes, defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { argReduce } from "../kernels/arg-reduce.ts";
import { BITS, BUILT_INS } from "../kernels/shaders.ts";
import { div, mul, sub } from "./arithmetic.ts";
import { broadcastTo, sumRows } from "./broadcast.ts";
import { cast } from "./cast.ts";
import { equal } from "./compare.ts";
import { checkDomain } from "./domain.ts";
import { expandDims } from "./reshape.ts";
import { rowReduction } from "./row-reduction.ts";
import { asRows, forEachRow, reducedRows, reduceFlops, rowsForm } from "./rows.ts";
import { slice } from "./slice.ts";

/**
 * Sums numbers over axes, all when none is given; 0 where there are none.
 * @param options `axis` and `keepDims`.
 */
export function sum(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const rows = reducedRows("sum", x, options, surplus, "number");
  return rows.restore(sumRows(rows.x));
}

/** Averages floats over axes, all when none is given; NaN where there are none. */
export function mean(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { length, x: rows, restore } = reducedRows("mean", x, options, surplus, "float");
  return restore(div(sumRows(rows), length));
}

type Extreme = "max" | "min";

/** Whether a candidate is to be found rather than the best before it: the first NaN wins. */
export function wins(kind: Extreme): (candidate: number, best: number) => boolean {
  const better = kind === "max" ? (a: number, b: number) => a > b : (a: number, b: number) => a < b;
  return (a, b) => better(a, b) || (Number.isNaN(a) && !Number.isNaN(b));
}

/** y[row] = the largest (smallest) x[row, i], 0 being larger than −0; NaN where there is one. */
/* @__NO_SIDE_EFFECTS__ */
function extremeOp(kind: Extreme): OpDefinition<Attributes> {
  const larger = Math[kind];
  const neutral = kind === "max" ? "min" : "max";
  return rowReduction({
    name: kind,
    row: (data, start, stride, length) => {
      let best = data[start];
      for (let i = 1; i < length; i++) {
        best = larger(best, data[start + i * stride]);
      }
      return best;
    },
    functions: (type) => ({
      identity: (m) => m.literal(DTYPES[type][neutral]),
      combine: kind,
    }),
    libraries: BUILT_INS,
    vjp: (g, { inputs: [x], y }) => {
      // The largest elements share the cotangent evenly.
      const isBest = cast(equal(x, broadcastTo(expandDims(y, 1), x.shape)), g.dtype);
      const share = div(g, sum(isBest, { axis: 1 }));
      return [mul(isBest, broadcastTo(expandDims(share, 1), x.shape))];
    },
  });
}

/** Reduces the axes that the options name, all when they name none. */
export type ReduceFunction = (x: Tensor, options?: ReduceOptions, ...surplus: never[]) => Tensor;

/* @__NO_SIDE_EFFECTS__ */
function extreme(kind: Extreme): ReduceFunction {
  const op = extremeOp(kind);
  return (x, options = {}, ...surplus) => {
    const rows = reducedRows(kind, x, options, surplus, "number");
    checkNotEmpty(kind, x, rows.length);
    return rows.restore(apply(op, [rows.x], {}));
  };
}

/** Throws a `ShapeError`, as `op`, where a reduction finds no elements. */
export function checkNotEmpty(op: string, x: Tensor, length: number): void {
  if (length > 0) return;
  throw new ShapeError(
    `${op}: shape ${formatShape(x.shape)} has no elements there; expected at least one`,
  );
}

/** Finds the largest element over axes, all when none is given; equal ones share the gradient. */
export const max: ReduceFunction = extreme("max");

/** Finds the smallest element over axes, all when none is given; equal ones share the gradient. */
export const min: ReduceFunction = extreme("min");

/** Which axis an index counts along (all elements, row-major, when left out). */
export interface ArgOptions {
  axis?: number;
  keepDims?: boolean;
  /** Which of equal elements, or of NaN, is taken; "first" when left out. */
  ties?: "first" | "last";
}

const ARG: Known<ArgOptions> = { axis: "number", keepDims: "boolean", ties: "string" };

/** What `wins` tells, as a formula. */
export function better(kind: Extreme, type: DType): Formula {
  const better = kind === "max" ? ">" : "<";
  if (!isFloat(type)) return better;
  return (m, a, b) => {
    const isFirst = m.call("&", m.call("g_is_nan", a), m.call("!", m.call("g_is_nan", b)));
    return m.call("|", m.call(better, a, b), isFirst);
  };
}

/** y[row] = the first i at which x[row, i] is NaN, else largest (smallest). */
/* @__NO_SIDE_EFFECTS__ */
function argOp(name: string, kind: Extreme): OpDefinition<Record<string, never>> {
  const isBetter = wins(kind);
  const op = defineOp<Record<string, never>>({
    name,
    infer: ([x]) => ({ shape: [x.shape[0]], dtype: "i32" }),
    cpu: (y, [x]) =>
      forEachRow(x, (row, data, start, stride, length) => {
        let best = 0;
        for (let i = 1; i < length; i++) {
          if (isBetter(data[start + i * stride], data[start + best * stride])) best = i;
        }
        y.data[row] = best;
      }),
    flops: reduceFlops,
    form: rowsForm(argReduce, (dtype) => ({ better: better(kind, dtype) }), BITS),
    vjp: null,
  });
  return rare(op, "places");
}

/** Gives the places of elements along the axis that the options name. */
export type ArgFunction = (x: Tensor, options?: ArgOptions, ...surplus: never[]) => Tensor;

/* @__NO_SIDE_EFFECTS__ */
function argExtreme(name: string, kind: Extreme): ArgFunction {
  const op = argOp(name, kind);
  return (x, options = {}, ...surplus) => {
    checkOptions(name, options, ARG, surplus);
    checkTensors(name, [x]);
    checkDomain(name, x.dtype, "number");
    const { ties = "first" } = options;
    checkWords(name, { ties }, ["first", "last"]);
    const rows = asRows(name, x, options);
    if (options.axis !== undefined) normalizeAxis(name, options.axis, x.rank); // one, not a list
    checkNotEmpty(name, x, rows.length);
    if (ties === "first") return rows.restore(apply(op, [rows.x], {}));
    const fromEnd = apply(op, [slice(rows.x, [{}, { step: -1 }])], {});
    return rows.restore(sub(rows.length - 1, fromEnd));
  };
}

/**
 * Finds where the largest element lies along an axis, as i32; of equal ones, or of NaN, the first or
 * the last, as the option `ties` says.
 * @example await argmax(tensor([1, 3, 3]), { ties: "last" }).item(); // 2
 */
export const argmax: ArgFunction = argExtreme("argmax", "max");

/** Finds where the smallest element lies along an axis, as i32. See `argmax`. */
export const argmin: ArgFunction = argExtreme("argmin", "min");
