import { checkOptions } from "../core/check.ts";
import type { NumericArray } from "../core/dtype.ts";
import { normalizeAxis, sizeOf } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { KernelForm } from "../forms/kernel.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { softmaxRows } from "../kernels/softmax.ts";
import { mul, sub } from "./arithmetic.ts";
import { broadcastTo } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { sum } from "./reduce.ts";
import { expandDims } from "./reshape.ts";
import { AXIS, type AxisOptions, asRows, forEachRow, reducedRows, rowsForm } from "./rows.ts";
import { exp } from "./unary.ts";

/** An exponential takes about eight operations. */
function flops([x]: readonly TensorType[]): number {
  return 10 * sizeOf(x.shape);
}

/** What gives of each row only the logarithm of the sum. */
/* @__NO_SIDE_EFFECTS__ */
function logSumForm(): KernelForm<unknown> {
  const rows = rowsForm(softmaxRows, () => ({ finish: (_, x) => x }));
  return { ...rows, result: 1, problem: (call) => ({ ...rows.problem(call), EACH: 0 }) };
}

/** The largest element of a row; −∞ of none. */
function largest(data: NumericArray, start: number, stride: number, length: number): number {
  let best = Number.NEGATIVE_INFINITY;
  for (let i = 0; i < length; i++) best = Math.max(best, data[start + i * stride]);
  return best;
}

/** Σ exp(x − maximum) of a row; 0 where all of it is −∞. */
function sumExp(
  data: NumericArray,
  start: number,
  stride: number,
  length: number,
  maximum: number,
): number {
  let total = 0;
  if (maximum === Number.NEGATIVE_INFINITY) return total;
  for (let i = 0; i < length; i++) total += Math.exp(data[start + i * stride] - maximum);
  return total;
}

/** y[row, i] = exp(x[row, i] − max) / Σ_j exp(x[row, j] − max). */
const softmaxOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "softmax",
  cpu: (y, [x]) =>
    forEachRow(x, (row, data, start, stride, length) => {
      const maximum = largest(data, start, stride, length);
      const total = sumExp(data, start, stride, length, maximum);
      for (let i = 0; i < length; i++) {
        y.data[row * length + i] = Math.exp(data[start + i * stride] - maximum) / total;
      }
    }),
  flops,
  form: rowsForm(softmaxRows, () => ({
    finish: (m, x, maximum, sum) => m.call("/", m.call("g_exp", m.call("-", x, maximum)), sum),
  })),
  vjp: (g, { y }) => {
    // dx = y ⊙ (g − Σ g⊙y)
    const inner = sum(mul(g, y), { axis: 1, keepDims: true });
    return [mul(y, sub(g, inner))];
  },
});

/** y[row, i] = x[row, i] − max − log Σ_j exp(x[row, j] − max). */
const logSoftmaxOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "logSoftmax",
  cpu: (y, [x]) =>
    forEachRow(x, (row, data, start, stride, length) => {
      const maximum = largest(data, start, stride, length);
      const total = sumExp(data, start, stride, length, maximum);
      const logTotal = Math.log(total);
      for (let i = 0; i < length; i++) {
        y.data[row * length + i] = data[start + i * stride] - maximum - logTotal;
      }
    }),
  flops,
  form: rowsForm(softmaxRows, () => ({
    finish: (m, x, maximum, sum) => m.call("-", m.call("-", x, maximum), m.call("g_log", sum)),
  })),
  vjp: (g, { y }) => [sub(g, mul(exp(y), sum(g, { axis: 1, keepDims: true })))],
});

/** y[row] = max + log Σ_i exp(x[row, i] − max). */
const logSumExpOp: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "logSumExp",
  infer: ([x]) => ({ shape: [x.shape[0]], dtype: x.dtype }),
  cpu: (y, [x]) =>
    forEachRow(x, (row, data, start, stride, length) => {
      const maximum = largest(data, start, stride, length);
      // NaN is no maximum of a row without it; ∞ − ∞ would make one.
      const total = sumExp(data, start, stride, length, Math.min(maximum, Number.MAX_VALUE));
      y.data[row] = maximum + Math.log(total);
    }),
  ofNothing: Number.NEGATIVE_INFINITY,
  flops,
  form: logSumForm(),
  vjp: (g, { inputs: [x] }) => {
    // dx = g · softmax(x)
    return [mul(broadcastTo(expandDims(g, 1), x.shape), apply(softmaxOp, [x], {}))];
  },
});

/** Works along one axis, the last when left out. */
export type AxisFunction = (x: Tensor, options?: AxisOptions, ...surplus: never[]) => Tensor;

/* @__NO_SIDE_EFFECTS__ */
function alongAxis(op: OpDefinition<Record<string, never>>): AxisFunction {
  const named: Record<string, AxisFunction> = {
    [op.name]: (x, options = {}, ...surplus) => {
      checkOptions(op.name, options, AXIS, surplus);
      checkTensors(op.name, [x]);
      checkDomain(op.name, x.dtype, "float");
      const rows = asRows(op.name, x, { axis: normalizeAxis(op.name, options.axis ?? -1, x.rank) });
      return rows.restoreAll(apply(op, [rows.x], {}));
    },
  };
  return named[op.name];
}

/**
 * Computes exp(xᵢ) / Σⱼ exp(xⱼ) along an axis, without overflow. −∞ counts as masked and gives 0;
 * where all is masked, or anything is +∞, the result is NaN.
 */
export const softmax: AxisFunction = alongAxis(softmaxOp);

/** Computes xᵢ − log Σⱼ exp(xⱼ) along an axis, without overflow. */
export const logSoftmax: AxisFunction = alongAxis(logSoftmaxOp);

/**
 * Computes log Σ exp(x) over axes, all when none is given, without overflow: −∞ of nothing, +∞ where
 * anything is +∞. The gradient is the softmax, so it is NaN there.
 */
export function logSumExp(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const rows = reducedRows("logSumExp", x, options, surplus, "float");
  return rows.restore(apply(logSumExpOp, [rows.x], {}));
}
