import { checkOptions } from "../core/check.ts";
import type { NumericArray } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Accessor, KernelContext, Stage } from "../forms/kernel.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { mul, sub } from "./arithmetic.ts";
import { broadcastTo } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { sum } from "./reduce.ts";
import { expandDims } from "./reshape.ts";
import { AXIS, type AxisOptions, asRows, forEachRow, reducedRows } from "./rows.ts";
import {
  EXP_LOG,
  logSumExpDirectShader,
  logSumExpShader,
  softmaxDirectShader,
  softmaxShader,
} from "./shaders.ts";
import { exp } from "./unary.ts";

/** Rows from this length on are worth a workgroup each. */
const LONG = 64;

/** How many terms a kernel adds in order, if possible so many that blocks fill a row. */
function blockOf(terms: number): number {
  if (terms <= 32) return terms;
  for (let block = 32; block >= 8; block--) if (terms % block === 0) return block;
  return 16;
}

/** An exponential takes about eight operations. */
function flops([x]: readonly TensorType[]): number {
  return 10 * sizeOf(x.shape);
}

/** Blocks of sums go beyond a row, where −∞ adds nothing. */
function rowsOf([rows, length]: Shape, tree: boolean): Accessor {
  const ragged = [false, tree || length % blockOf(length) !== 0];
  return { name: "x", input: 0, extents: [rows, length], ragged, outside: "-infinity_value()" };
}

function softmaxStages(finish: string, { inputs: [x], traits }: KernelContext<unknown>): Stage[] {
  const [rows, length] = x.shape;
  const tree = traits.workgroupMemory && length >= LONG;
  const threads = tree ? 64 : traits.threads;
  const block = blockOf(tree ? Math.ceil(length / threads) : length);
  return [
    {
      shader: tree ? softmaxShader : softmaxDirectShader,
      type: x.dtype,
      constants: { ROWS: rows, LENGTH: length, BLOCK: block },
      functions: `fn finish(x: Acc, maximum: Acc, sum: Acc) -> Acc { return ${finish}; }`,
      libraries: EXP_LOG,
      loads: [rowsOf(x.shape, tree)],
      store: { extents: [rows, length] },
      workgroups: tree ? rows : Math.ceil(rows / threads),
      threads,
      memory: tree ? 8 * threads : 0,
    },
  ];
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
  form: {
    kind: "kernel",
    prologueCost: 8,
    stages: (context) => softmaxStages("g_exp(x - maximum) / sum", context),
  },
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
  form: {
    kind: "kernel",
    prologueCost: 8,
    stages: (context) => softmaxStages("(x - maximum) - g_log(sum)", context),
  },
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
  form: { kind: "kernel", prologueCost: 8, stages: logSumExpStages },
  vjp: (g, { inputs: [x] }) => {
    // dx = g · softmax(x)
    return [mul(broadcastTo(expandDims(g, 1), x.shape), apply(softmaxOp, [x], {}))];
  },
});

function logSumExpStages({ inputs: [x], traits }: KernelContext<unknown>): Stage[] {
  const [rows, length] = x.shape;
  const tree = traits.workgroupMemory && length >= LONG;
  const threads = tree ? 64 : traits.threads;
  const block = blockOf(tree ? Math.ceil(length / threads) : length);
  return [
    {
      shader: tree ? logSumExpShader : logSumExpDirectShader,
      type: x.dtype,
      constants: { ROWS: rows, LENGTH: length, BLOCK: block },
      libraries: EXP_LOG,
      loads: [rowsOf(x.shape, tree)],
      store: { extents: [rows] },
      workgroups: tree ? rows : Math.ceil(rows / threads),
      threads,
      memory: tree ? 8 * threads : 0,
    },
  ];
}

/** Works along one axis, the last when left out. */
type AxisFunction = (x: Tensor, options?: AxisOptions, ...surplus: never[]) => Tensor;

/* @__NO_SIDE_EFFECTS__ */
function alongAxis(op: OpDefinition<Record<string, never>>): AxisFunction {
  const named: Record<string, AxisFunction> = {
    [op.name]: (x, options = {}, ...surplus) => {
      checkOptions(op.name, options, AXIS, surplus);
      checkTensors(op.name, [x]);
      checkDomain(op.name, x.dtype, "float");
      const rows = asRows(op.name, x, { axis: options.axis ?? -1 });
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
