import { checkOptions, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add } from "./arithmetic.ts";
import { channelsLast, type Layout1d, type Layout2d, type Layout3d } from "./channels.ts";
import {
  type ConvSettings,
  checkBias,
  checkGroups,
  checkKernel,
  inGroups,
  kernelInGroups,
  ungrouped,
} from "./conv.ts";
import { type ConvAxis, convolvedBack } from "./conv-products.ts";
import { type EdgePadding, edgesOf, forEachAxis, type PerAxis, spanOf } from "./sliding.ts";

/** Options of `convTranspose1d`, `convTranspose2d` and `convTranspose3d`. */
export interface ConvTransposeOptions<Layout extends string = Layout2d>
  extends ConvSettings<Layout> {
  /** What the convolution that this one is the adjoint of has around its x, and is cut off here. */
  padding?: EdgePadding;
  /** How much longer the result is at each end, below the stride or the dilation; 0 when left out. */
  outputPadding?: PerAxis;
  /** The result's size in place of `outputPadding`: one number for all axes, or one for each. */
  outputSize?: PerAxis;
}

const CONV_TRANSPOSE: Known<ConvTransposeOptions> = {
  bias: true,
  stride: "number",
  padding: true,
  outputPadding: true,
  outputSize: true,
  dilation: true,
  groups: true,
  layout: "string",
};

/** Convolves transposed along so many axes, as `op`. */
export function convolveTransposed(
  op: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions<string>,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options as ConvTransposeOptions, CONV_TRANSPOSE, surplus);
  const kernel = checkKernel(op, x, weight, options, rank);
  const { bias, groups = 1, layout, outputSize } = options;
  if (outputSize !== undefined && options.outputPadding !== undefined) {
    throw new GradusError(`${op}: outputSize and outputPadding; expected one of them`);
  }
  const batch = channelsLast(op, x, rank, layout);
  const channels = batch.x.shape[rank + 1];
  const [rows, own] = weight.shape;
  checkGroups(op, channels, groups);
  if (rows !== channels) {
    throw new ShapeError(
      `${op}: weight ${formatShape(weight.shape)} for ${channels} channels; expected ` +
        `[${channels}, outputs${groups > 1 ? " / groups" : ""}, …]`,
    );
  }
  checkBias(op, bias, own * groups);
  const { axes } = batch;
  const stride = forEachAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = forEachAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const more = forEachAxis(op, "outputPadding", options.outputPadding ?? 0, axes, 0);
  const wanted =
    outputSize === undefined ? null : forEachAxis(op, "outputSize", outputSize, axes, 1);
  const edges = edgesOf(op, options.padding ?? 0, axes);
  const all = batch.sizes.map((output, i): ConvAxis => {
    const one = { size: kernel[i], stride: stride[i], dilation: dilation[i], output };
    const [before, after] = edges[i];
    const least = stride[i] * (output - 1) + spanOf(one) - before - after;
    const size = wanted?.[i];
    if (size !== undefined && (size < least || size >= least + stride[i])) {
      throw new ShapeError(
        `${op}: outputSize ${size} along axis ${axes[i]} of ${formatShape(x.shape)}; expected ` +
          `${least} to ${least + stride[i] - 1}`,
      );
    }
    const input = size ?? least + more[i];
    const most = Math.max(stride[i], dilation[i]) - 1;
    if (more[i] > most || input < 1) {
      const what = input < 1 ? `a result of ${input} elements` : `outputPadding ${more[i]}`;
      const rule = input < 1 ? "at least 1" : `at most ${most}, less than stride or dilation`;
      throw new ShapeError(
        `${op}: ${what} along axis ${axes[i]} of ${formatShape(x.shape)}; expected ${rule}`,
      );
    }
    return { ...one, input, before };
  });
  const y = ungrouped(
    convolvedBack(inGroups(batch.x, groups), kernelInGroups(weight, groups), all),
  );
  return batch.restore(bias ? add(y, bias) : y);
}

/** Convolves series transposed, as `convTranspose2d` does images. */
export function convTranspose1d(
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor {
  return convolveTransposed("convTranspose1d", 1, x, weight, options, surplus);
}

/**
 * Convolves images transposed, as PyTorch's `conv_transpose2d` does: the gradient of a `conv2d` with
 * the same weight and settings for its x, which makes images larger. Each element of x is multiplied
 * with the whole kernel, stride elements from the one before:
 * y[n, o, s·i + d·p − before, …] gets x[n, c, i, j] · w[c, o, p, q]. A result has
 * s·(n − 1) + d·(size − 1) + 1 − before − after + outputPadding elements.
 * Source: Dumoulin & Visin 2016, "A guide to convolution arithmetic for deep learning", section 4.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param weight `[channels, outputs / groups, height, width]` for either layout.
 * @throws ShapeError for a kernel of other channels, and a result of no elements.
 * @example
 * const x = zeros([1, 16, 7, 7]);
 * convTranspose2d(x, zeros([16, 8, 4, 4]), { stride: 2, padding: 1 }).shape; // [1, 8, 14, 14]
 */
export function convTranspose2d(
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions = {},
  ...surplus: never[]
): Tensor {
  return convolveTransposed("convTranspose2d", 2, x, weight, options, surplus);
}

/** Convolves volumes transposed, as `convTranspose2d` does images. */
export function convTranspose3d(
  x: Tensor,
  weight: Tensor,
  options: ConvTransposeOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor {
  return convolveTransposed("convTranspose3d", 3, x, weight, options, surplus);
}
