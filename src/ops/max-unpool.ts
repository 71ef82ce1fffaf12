import { checkOptions, type Known } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sameShape, sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { putAlongAxis } from "./along-axis.ts";
import { channelsLast, type Layout1d, type Layout2d, type Layout3d } from "./channels.ts";
import { zeros } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { inShape } from "./reshape.ts";
import { type EdgePadding, edgesOf, forEachAxis, type PerAxis } from "./sliding.ts";

/** Options of `maxUnpool1d`, `maxUnpool2d` and `maxUnpool3d`. */
export interface MaxUnpoolOptions<Layout extends string = Layout2d> {
  /** The pooling's stride; its windows' size when left out. */
  stride?: PerAxis;
  /** The pooling's padding; 0 when left out. */
  padding?: EdgePadding;
  /** Sizes of the result, which several give the same pooled ones; the smallest when left out. */
  outputSize?: PerAxis;
  /** The order of x's axes, and of the result's; channels follow n when left out. */
  layout?: Layout;
}

/** The names of `MaxUnpoolOptions`, for checks. */
export const MAX_UNPOOL: Known<MaxUnpoolOptions> = {
  stride: true,
  padding: true,
  outputSize: true,
  layout: "string",
};

/** Puts values where a pooling along so many axes found them, as `op`. */
export function maxUnpool(
  op: string,
  rank: number,
  x: Tensor,
  indices: Tensor,
  size: PerAxis,
  options: MaxUnpoolOptions<string>,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options as MaxUnpoolOptions, MAX_UNPOOL, surplus);
  checkTensors(op, [x, indices]);
  checkDomain(op, x.dtype, "float");
  expectDType(`${op}: indices have dtype`, indices.dtype, "index");
  if (!sameShape(x.shape, indices.shape)) {
    throw new ShapeError(
      `${op}: indices ${formatShape(indices.shape)} for ${formatShape(x.shape)}; expected as many`,
    );
  }
  const [batch, places] = [x, indices].map((one) => channelsLast(op, one, rank, options.layout));
  const { axes, sizes } = batch;
  const lengths = forEachAxis(op, "size", size, axes, 1);
  const stride = forEachAxis(op, "stride", options.stride ?? lengths, axes, 1);
  const edges = edgesOf(op, options.padding ?? 0, axes);
  const least = sizes.map((n, i) => (n - 1) * stride[i] + lengths[i] - edges[i][0] - edges[i][1]);
  const outputs = forEachAxis(op, "outputSize", options.outputSize ?? least, axes, 1);
  const wrong = outputs.findIndex((n, i) => Math.abs(n - least[i]) >= stride[i]);
  if (wrong >= 0) {
    throw new ShapeError(
      `${op}: outputSize ${outputs[wrong]} along axis ${axes[wrong]} of ${formatShape(x.shape)}; ` +
        `expected ${least[wrong]}, or less than ${stride[wrong]} from it`,
    );
  }
  const { dtype, device } = x;
  const [n] = batch.x.shape;
  const channels = batch.x.shape[rank + 1];
  const flat = [batch, places].map((one) => inShape(one.x, [n, sizeOf(sizes), channels]));
  const y = putAlongAxis(
    zeros([n, sizeOf(outputs), channels], { dtype, device }),
    flat[1],
    flat[0],
    { axis: 1 },
  );
  return batch.restore(inShape(y, [n, ...outputs, channels]));
}

/** Puts values of series where a pooling found them: see `maxUnpool2d`. */
export function maxUnpool1d(
  x: Tensor,
  indices: Tensor,
  size: PerAxis,
  options: MaxUnpoolOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor {
  return maxUnpool("maxUnpool1d", 1, x, indices, size, options, surplus);
}

/**
 * Puts values where indices say that a pooling found them, and zeros elsewhere.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param indices as `maxPool2d` gives them with `returnIndices`; of equal ones the last value stays.
 * @param size elements of a window of the pooling, for the size of the result.
 * @throws ShapeError for indices of another shape, and an outputSize that pools to no such x.
 * @example
 * const { values, indices } = maxPool2d(tensor([[[1, 5], [3, 2]]]), 2, { returnIndices: true });
 * await maxUnpool2d(values, indices, 2).toArray(); // [[[0, 5], [0, 0]]]
 */
export function maxUnpool2d(
  x: Tensor,
  indices: Tensor,
  size: PerAxis,
  options: MaxUnpoolOptions = {},
  ...surplus: never[]
): Tensor {
  return maxUnpool("maxUnpool2d", 2, x, indices, size, options, surplus);
}

/** Puts values of volumes where a pooling found them: see `maxUnpool2d`. */
export function maxUnpool3d(
  x: Tensor,
  indices: Tensor,
  size: PerAxis,
  options: MaxUnpoolOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor {
  return maxUnpool("maxUnpool3d", 3, x, indices, size, options, surplus);
}
