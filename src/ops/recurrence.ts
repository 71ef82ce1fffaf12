import { rare } from "../forms/rare.ts";
import { jointly } from "../graph/jointly.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { applyAll, type Tensor } from "../graph/tensor.ts";
import { scanLength } from "../kernels/choose.ts";
import { scanSteps } from "../kernels/scan.ts";
import { add, mul } from "./arithmetic.ts";
import { stretch } from "./broadcast.ts";
import { reshape } from "./reshape.ts";
import { forEachRow, reduceFlops, rowsForm } from "./rows.ts";
import { embed, slice } from "./slice.ts";

/** Rows `[rows, n]` the other way round. */
export function backToFront(x: Tensor): Tensor {
  return slice(x, [{}, { step: -1 }]);
}

/** Rows with a value in front, and without their last element. */
export function delayed(x: Tensor, value: number): Tensor {
  return embed(slice(x, [{}, { end: -1 }]), x.shape, [0, 1], [1, 1], value);
}

/** Cuts rows `[rows, n]` into runs, of which the last is filled up: `[rows · runs, run]`. */
export function runsOf(x: Tensor, run: number, value: number): Tensor {
  const [rows, n] = x.shape;
  const runs = Math.ceil(n / run);
  const filled = embed(x, [rows, runs * run], [0, 0], [1, 1], value);
  return reshape(filled, [rows * runs, run]);
}

/** The last element of each run, `[rows, runs]`. */
export function endsOf(y: Tensor, rows: number): Tensor {
  return reshape(slice(y, [{}, { start: -1 }]), [rows, y.shape[0] / rows]);
}

/** For each element of each run what all runs before it give: a value for the first. */
export function beforeRuns(ends: Tensor, value: number, run: number): Tensor {
  return stretch(reshape(delayed(ends, value), [ends.size, 1]), [ends.size, run]);
}

/** Joins runs `[rows · runs, run]` to rows `[rows, n]`. */
export function joinRuns(y: Tensor, [rows, n]: readonly number[]): Tensor {
  return slice(reshape(y, [rows, y.size / rows]), [{}, { end: n }]);
}

/** y[row, i] = a[row, i] · y[row, i − 1] + b[row, i], in front of which is 0; z[row, i] = ∏_{j ≤ i} a[row, j]. */
const recurrenceOp: OpDefinition<Record<string, never>> = /* @__PURE__ */ rare(
  defineOp<Record<string, never>>({
    name: "recurrence",
    infer: ([a, b]) => [b, a],
    cpuAll: ([y, z], [a, b]) => {
      const [down, along] = b.strides;
      forEachRow(a, (row, factors, start, stride, length) => {
        const first = b.offset + row * down;
        let total = b.data[first]; // in float64
        let product = 1;
        for (let i = 0; i < length; i++) {
          const factor = factors[start + i * stride];
          if (i > 0) total = factor * total + b.data[first + i * along];
          product *= factor;
          if (y) y.data[row * length + i] = total;
          if (z) z.data[row * length + i] = product;
        }
      });
    },
    flops: (inputs) => 3 * reduceFlops(inputs),
    form: rowsForm(scanSteps),
    // The steps of a run make s → z · s + y, so runs are steps of a row again.
    lower: ([a, b], _, traits) => {
      const run = scanLength(b.shape, traits);
      if (run === null) return null;
      const [rows] = b.shape;
      const [y, z] = applyAll(recurrenceOp, [runsOf(a, run, 1), runsOf(b, run, 0)], NO_ATTRIBUTES);
      const ends = applyAll(recurrenceOp, [endsOf(z, rows), endsOf(y, rows)], NO_ATTRIBUTES);
      const [total, product] = ends.map((x, i) => beforeRuns(x, i, run));
      return [add(mul(z, total), y), mul(product, z)].map((x) => joinRuns(x, b.shape));
    },
    vjp: null,
    // w[i] = g[i] + a[i + 1] · w[i + 1]; db = w, da[i] = w[i] · y[i − 1]
    vjpAll: jointly(([g], { inputs: [a], results: [y] }) => {
      if (!g) return [null, null];
      const w = recurrenceBack(a, g);
      return [mul(w, delayed(y, 0)), w];
    }),
  }),
);

/**
 * Computes y[i] = b[i] + a[i + 1] · y[i + 1] of each row of `[rows, n]`, from its end: the gradient of
 * what is found step by step.
 */
export function recurrenceBack(a: Tensor, b: Tensor): Tensor {
  const steps = [delayed(backToFront(a), 0), backToFront(b)];
  return backToFront(applyAll(recurrenceOp, steps, NO_ATTRIBUTES)[0]);
}
