import { checkOptions, checkWords, isInteger, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import {
  type ChannelsLast,
  channelsLast,
  type Layout1d,
  type Layout2d,
  type Layout3d,
} from "./channels.ts";
import { type ConvAxis, convolved } from "./conv-products.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { pad } from "./pad.ts";
import { inShape, withAxes } from "./reshape.ts";
import {
  checkWindows,
  countOf,
  type EdgePadding,
  edgesFor,
  forEachAxis,
  type PerAxis,
  type Sliding,
} from "./sliding.ts";

/** What convolutions of all kinds are told. */
export interface ConvSettings<Layout extends string> {
  /** What is added to each output channel: `[outputs]`. */
  bias?: Tensor;
  /** How far a place lies from the one before, from 1; 1 when left out. */
  stride?: PerAxis;
  /** How far elements of the kernel lie apart, from 1; 1 when left out. */
  dilation?: PerAxis;
  /** In how many groups channels are, each with outputs of its own; 1 when left out. */
  groups?: number;
  /** The order of x's axes, and of the result's; channels follow n when left out. */
  layout?: Layout;
}

/** Options of `conv1d`, `conv2d` and `conv3d`. */
export interface ConvOptions<Layout extends string = Layout2d> extends ConvSettings<Layout> {
  /**
   * Zeros around x: a number for all sides, or for each axis one or a pair `[before, after]`; as
   * many as give ⌈n / stride⌉ places with `same`, none with `valid` and when left out.
   */
  padding?: EdgePadding | "same" | "valid";
  /** What is around x: `zeros` when left out, or its own elements, as `pad` has them. */
  paddingMode?: "zeros" | "reflect" | "replicate" | "circular";
}

const CONV: Known<ConvOptions> = {
  bias: true,
  stride: "number",
  padding: true,
  paddingMode: true,
  dilation: true,
  groups: true,
  layout: "string",
};

/** The sizes of a kernel `[rows, columns, …sizes]`, when all that a convolution is given is checked. */
export function checkKernel(
  op: string,
  x: Tensor,
  weight: Tensor,
  options: Pick<ConvSettings<string>, "bias" | "groups">,
  rank: number,
): Shape {
  const { bias, groups = 1 } = options;
  checkTensors(op, [x, weight, ...(bias === undefined ? [] : [bias])]);
  checkDomain(op, x.dtype, "float");
  for (const other of [weight, bias]) if (other) checkSameDType(op, x, other);
  if (!isInteger(groups, 1)) {
    throw new GradusError(`${op}: groups ${quote(groups)}; expected an integer from 1`);
  }
  const sizes = weight.shape.slice(2);
  if (sizes.length === rank && sizes.every((n) => n > 0)) return sizes;
  const letters = ["depth", "height", "width"].slice(3 - rank).join(", ");
  throw new ShapeError(
    `${op}: weight ${formatShape(weight.shape)}; expected [outputs, channels, ${letters}] of at ` +
      "least one element",
  );
}

/** Throws a `ShapeError` unless groups have as many channels each. */
export function checkGroups(op: string, channels: number, groups: number): void {
  if (channels % groups === 0) return;
  throw new ShapeError(
    `${op}: groups ${groups} for ${channels} channels; expected a divisor of ${channels}`,
  );
}

/** Throws a `ShapeError` unless there is a number for each output. */
export function checkBias(op: string, bias: Tensor | undefined, outputs: number): void {
  if (!bias || (bias.rank === 1 && bias.size === outputs)) return;
  throw new ShapeError(`${op}: bias ${formatShape(bias.shape)}; expected [${outputs}]`);
}

/** Cuts channels into groups: `[n, …sizes, channels]` to `[groups, n, …sizes, channels / groups]`. */
export function inGroups(x: Tensor, groups: number): Tensor {
  const outer = x.shape.slice(0, -1);
  const channels = x.shape[outer.length];
  if (groups === 1) return inShape(x, [1, ...x.shape]);
  const split = inShape(x, [...outer, groups, channels / groups]);
  return withAxes(split, [outer.length, ...outer.keys(), outer.length + 1]);
}

/** Takes `inGroups` back. */
export function ungrouped(y: Tensor): Tensor {
  const last = y.rank - 1;
  const axes = [...y.shape.keys()].slice(1, last);
  const [groups] = y.shape;
  const channels = y.shape[last];
  const outer = y.shape.slice(1, last);
  if (groups === 1) return inShape(y, y.shape.slice(1)); // behind it kernels may go on
  return inShape(withAxes(y, [...axes, 0, last]), [...outer, groups * channels]);
}

/** A kernel `[groups · a, b, …sizes]` as `[groups, …sizes, b, a]`. */
export function kernelInGroups(weight: Tensor, groups: number): Tensor {
  const [rows, columns, ...sizes] = weight.shape;
  const split = inShape(weight, [groups, rows / groups, columns, ...sizes]);
  return withAxes(split, [0, ...sizes.map((_, i) => i + 3), 2, 1]);
}

/** How windows lie along each axis of a batch x. */
function slidingOf(
  op: string,
  { sizes, axes }: ChannelsLast,
  kernel: Shape,
  options: Pick<ConvOptions<string>, "stride" | "dilation" | "padding">,
  x: Shape,
): Sliding[] {
  const stride = forEachAxis(op, "stride", options.stride ?? 1, axes, 1);
  const dilation = forEachAxis(op, "dilation", options.dilation ?? 1, axes, 1);
  const own = sizes.map((input, i) => {
    return { input, size: kernel[i], stride: stride[i], dilation: dilation[i] };
  });
  const edges = edgesFor(op, options.padding ?? 0, own, axes);
  const all = own.map((one, i) => ({ ...one, before: edges[i][0], after: edges[i][1] }));
  checkWindows(op, all, x, axes);
  return all;
}

/** Most elements that a mode may put before or after an axis of n. */
const MOST: Readonly<Record<string, (n: number) => number>> = {
  reflect: (n) => n - 1,
  replicate: () => Number.POSITIVE_INFINITY,
  circular: (n) => n,
};

/** The words of `paddingMode`. */
export const PADDING_MODES: readonly string[] = ["zeros", ...Object.keys(MOST)];

/** Puts x's own elements around it, in place of zeros. */
function surrounded(op: string, x: Tensor, all: readonly Sliding[], mode: "reflect"): Tensor {
  for (const { input, before, after } of all) {
    const [given, most] = [Math.max(before, after), MOST[mode](input)];
    if (given <= most) continue;
    throw new ShapeError(
      `${op}: ${given} elements around ${input} by paddingMode ${mode}; expected at most ${most}`,
    );
  }
  const edges = all.map(({ before, after }) => [before, after] as const);
  return pad(x, [[0, 0], ...edges, [0, 0]], { mode });
}

/** Convolves along so many axes, as `op`. */
export function convolve(
  op: string,
  rank: number,
  x: Tensor,
  weight: Tensor,
  options: ConvOptions<string>,
  surplus: readonly unknown[],
): Tensor {
  checkOptions(op, options as ConvOptions, CONV, surplus);
  const kernel = checkKernel(op, x, weight, options, rank);
  const { bias, groups = 1, layout, paddingMode = "zeros" } = options;
  checkWords(op, { paddingMode }, PADDING_MODES);
  const batch = channelsLast(op, x, rank, layout);
  const channels = batch.x.shape[rank + 1];
  const [outputs, columns] = weight.shape;
  checkGroups(op, channels, groups);
  if (columns * groups !== channels || outputs % groups !== 0) {
    const several = groups > 1 ? ` in ${groups} groups` : "";
    throw new ShapeError(
      `${op}: weight ${formatShape(weight.shape)} for ${channels} channels${several}; expected ` +
        `[${groups > 1 ? `a multiple of ${groups}` : "outputs"}, ${channels / groups}, …]`,
    );
  }
  checkBias(op, bias, outputs);
  const all = slidingOf(op, batch, kernel, options, x.shape);
  const isBare = paddingMode === "zeros";
  const axes = all.map((one): ConvAxis => {
    const output = countOf(one);
    const { input, before, after } = one;
    return isBare
      ? { ...one, output }
      : { ...one, output, input: input + before + after, before: 0 };
  });
  const own = isBare ? batch.x : surrounded(op, batch.x, all, paddingMode as "reflect");
  const b = bias ? inShape(bias, [groups, outputs / groups]) : null;
  const y = convolved(inGroups(own, groups), kernelInGroups(weight, groups), b, axes);
  return batch.restore(ungrouped(y));
}

/**
 * Convolves series, as `conv2d` does images: `[n, channels, width]` with a kernel
 * `[outputs, channels / groups, width]`.
 */
export function conv1d(
  x: Tensor,
  weight: Tensor,
  options: ConvOptions<Layout1d> = {},
  ...surplus: never[]
): Tensor {
  return convolve("conv1d", 1, x, weight, options, surplus);
}

/**
 * Convolves images with a kernel, which is not turned around, as PyTorch does:
 * y[n, o, i, j] = b[o] + Σ x[n, c, s·i + d·p − before, s·j + d·q − before] · w[o, c, p, q], where what
 * lies around x is 0. Of several groups each has its channels and outputs; as many groups as channels
 * make a depthwise convolution.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param weight `[outputs, channels / groups, height, width]` for either layout.
 * @throws ShapeError for a kernel of other channels, or larger than what it slides over.
 * @example
 * const y = conv2d(zeros([1, 3, 28, 28]), zeros([16, 3, 3, 3]), { stride: 2, padding: "same" });
 * y.shape; // [1, 16, 14, 14]
 */
export function conv2d(
  x: Tensor,
  weight: Tensor,
  options: ConvOptions = {},
  ...surplus: never[]
): Tensor {
  return convolve("conv2d", 2, x, weight, options, surplus);
}

/**
 * Convolves volumes, as `conv2d` does images: `[n, channels, depth, height, width]` with a kernel
 * `[outputs, channels / groups, depth, height, width]`.
 */
export function conv3d(
  x: Tensor,
  weight: Tensor,
  options: ConvOptions<Layout3d> = {},
  ...surplus: never[]
): Tensor {
  return convolve("conv3d", 3, x, weight, options, surplus);
}
