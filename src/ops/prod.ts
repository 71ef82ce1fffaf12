import { isFloat } from "../core/dtype.ts";
import { NO_ATTRIBUTES } from "../graph/op.ts";
import { apply, type ReduceOptions, type Tensor } from "../graph/tensor.ts";
import { BITS } from "../kernels/shaders.ts";
import { mul } from "./arithmetic.ts";
import { expandDims } from "./reshape.ts";
import { rowReduction } from "./row-reduction.ts";
import { reducedRows } from "./rows.ts";
import { concat, embed, slice } from "./slice.ts";

/* @__NO_SIDE_EFFECTS__ */
function productOp(times: (a: number, b: number) => number) {
  return rowReduction({
    name: "prod",
    row: (data, start, stride, length) => {
      let product = 1;
      for (let i = 0; i < length; i++) product = times(product, data[start + i * stride]);
      return product;
    },
    ofNothing: 1,
    functions: () => ({ identity: (m) => m.literal(1), combine: "*" }),
    libraries: BITS,
    vjp: (g, { inputs: [x] }) => [timesOthers(g, x)],
  });
}

/** y[row] = ∏_i x[row, i], in float64. */
const floatsOp = /* @__PURE__ */ productOp((a, b) => a * b);
/** The same modulo 2³². */
const wholeOp = /* @__PURE__ */ productOp(Math.imul);

/**
 * dx[row, i] = g[row] · ∏_{j ≠ i} x[row, j], without a division, so that zeros count: products of
 * halves, of halves of these and so on, and then from the whole back, each half times the other
 * one.
 */
function timesOthers(g: Tensor, x: Tensor): Tensor {
  const n = x.shape[1];
  let size = 1;
  while (size < n) size *= 2;
  const levels: [left: Tensor, right: Tensor][] = [];
  let whole = embed(x, [x.shape[0], size], [0, 0], [1, 1], 1);
  for (; size > 1; size /= 2) {
    const [left, right] = [
      slice(whole, [{}, { end: size / 2 }]),
      slice(whole, [{}, { start: size / 2 }]),
    ];
    levels.push([left, right]);
    whole = mul(left, right);
  }
  const others = levels.reduceRight(
    (outer, [left, right]) => concat([mul(outer, right), mul(outer, left)], { axis: 1 }),
    expandDims(g, 1),
  );
  return slice(others, [{}, { end: n }]);
}

/**
 * Multiplies numbers over axes, all when none is given; 1 where there are none. Products of whole
 * numbers are modulo 2³². The gradient of each is the product of the others, right where some are
 * 0.
 * @param options `axis` and `keepDims`.
 * @example await prod(tensor([[1, 2], [3, 4]]), { axis: 0 }).toArray(); // [3, 8]
 */
export function prod(x: Tensor, options: ReduceOptions = {}, ...surplus: never[]): Tensor {
  const { x: rows, restore } = reducedRows("prod", x, options, surplus, "number");
  return restore(apply(isFloat(x.dtype) ? floatsOp : wholeOp, [rows], NO_ATTRIBUTES));
}
