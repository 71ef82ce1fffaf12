import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { sizeOf } from "../core/shape.ts";
import { rare } from "../forms/rare.ts";
import { jointly } from "../graph/jointly.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { applyAll, checkTensors, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { rowParts } from "../kernels/choose.ts";
import { rowMoments } from "../kernels/moments.ts";
import { add, div, mul, sub } from "./arithmetic.ts";
import { broadcastTo } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { sum } from "./reduce.ts";
import { expandDims, reshape } from "./reshape.ts";
import { safeSqrt } from "./root.ts";
import { asRows, forEachRow, REDUCE, type Rows, rowsForm } from "./rows.ts";

/** Options of `moments`, `variance` and `std`. */
export interface MomentsOptions extends ReduceOptions {
  /** What is taken from the number of elements where squares are averaged; 0 when left out. */
  correction?: number;
}

const MOMENTS: Known<MomentsOptions> = { ...REDUCE, correction: "number" };

/** The mean and the variance of the same elements. */
export interface Moments {
  readonly mean: Tensor;
  readonly variance: Tensor;
}

/** y[row] = Σ_i x[row, i] / n, z[row] = Σ_i (x[row, i] − y[row])² / n. */
const momentsOp: OpDefinition<Record<string, never>> = /* @__PURE__ */ rare(
  defineOp<Record<string, never>>({
    name: "moments",
    infer: ([{ shape, dtype }]) => {
      const type = { shape: [shape[0]], dtype };
      return [type, type];
    },
    ofNothing: Number.NaN,
    flops: ([x]) => 4 * sizeOf(x.shape),
    cpuAll: ([mean, variance], [x]) =>
      forEachRow(x, (row, data, start, stride, length) => {
        let sum = 0; // in float64
        for (let i = 0; i < length; i++) sum += data[start + i * stride];
        const center = sum / length;
        let squares = 0;
        for (let i = 0; i < length; i++) squares += (data[start + i * stride] - center) ** 2;
        if (mean) mean.data[row] = center;
        if (variance) variance.data[row] = squares / length;
      }),
    form: rowsForm(rowMoments),
    lower: ([x], _, traits) => {
      const [rows, length] = x.shape;
      const parts = rowParts({ ROWS: rows, LENGTH: length }, traits);
      if (parts === 1) return null;
      // The variance is that of the parts' means and the mean of their variances (Chan et al. 1983).
      const own = reshape(x, [rows * parts, length / parts]);
      const [means, variances] = applyAll(momentsOp, [own], {}).map((y) =>
        reshape(y, [rows, parts]),
      );
      const [mean, between] = applyAll(momentsOp, [means], {});
      return [mean, add(between, mul(sum(variances, { axis: 1 }), 1 / parts))];
    },
    vjp: null,
    vjpAll: jointly(([gMean, gVariance], { inputs: [x], results: [mean] }) => {
      // dx = (g_mean + 2 g_variance ⊙ (x − mean)) / n
      const n = x.shape[1];
      const whole = (y: Tensor) => broadcastTo(expandDims(y, 1), x.shape);
      const parts = [
        ...(gMean ? [whole(div(gMean, n))] : []),
        ...(gVariance ? [mul(whole(mul(gVariance, 2 / n)), sub(x, whole(mean)))] : []),
      ];
      return [parts.reduce((a, b) => add(a, b))];
    }),
  }),
);

function momentsOf(
  op: string,
  x: Tensor,
  options: MomentsOptions,
  surplus: readonly unknown[],
): { rows: Rows; mean: Tensor; variance: Tensor } {
  checkOptions(op, options, MOMENTS, surplus);
  checkTensors(op, [x]);
  checkDomain(op, x.dtype, "float");
  const { correction = 0 } = options;
  checkEach(op, { correction }, (value) => Number.isFinite(value), "a finite number");
  const rows = asRows(op, x, options);
  const [mean, variance] = applyAll(momentsOp, [rows.x], {});
  const n = rows.length;
  const scale = n / Math.max(0, n - correction);
  return { rows, mean, variance: correction === 0 ? variance : mul(variance, scale) };
}

/**
 * Averages floats over axes, all when none is given, and the squares of their distances from that
 * mean, both in one kernel. Both are NaN where there are no elements. The variance is that of a whole
 * population; with `correction: 1` an unbiased estimate from a sample, which is divided by n − 1.
 * @throws GradusError for a correction that is no finite number.
 * @example
 * const x = tensor([[1, 2, 3, 4]]);
 * const { mean, variance } = moments(x, { axis: 1 });
 * await mean.toArray(); // [2.5]
 * await variance.toArray(); // [1.25]
 */
export function moments(x: Tensor, options: MomentsOptions = {}, ...surplus: never[]): Moments {
  const { rows, mean, variance } = momentsOf("moments", x, options, surplus);
  return { mean: rows.restore(mean), variance: rows.restore(variance) };
}

/**
 * Averages the squares of the distances from the mean over axes, all when none is given; the mean is
 * not stored. See `moments`.
 * @example await variance(tensor([1, 3]), { correction: 1 }).item(); // 2
 */
export function variance(x: Tensor, options: MomentsOptions = {}, ...surplus: never[]): Tensor {
  const { rows, variance } = momentsOf("variance", x, options, surplus);
  return rows.restore(variance);
}

/**
 * Computes the standard deviation over axes, all when none is given: the root of `variance`, which see.
 * The gradient is 0 where the deviation is 0, as PyTorch has it.
 * @example await std(tensor([1, 3]), { correction: 1 }).item(); // 1.4142135381698608
 */
export function std(x: Tensor, options: MomentsOptions = {}, ...surplus: never[]): Tensor {
  const { rows, variance } = momentsOf("std", x, options, surplus);
  return rows.restore(safeSqrt(variance));
}
