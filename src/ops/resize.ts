import { checkOptions, checkWords, type Known } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, clip, maximum, mul, sub } from "./arithmetic.ts";
import { cast } from "./cast.ts";
import { channelsLast, type Layout2d } from "./channels.ts";
import { iota } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { gather } from "./gather.ts";
import { floorDivide } from "./remainder.ts";
import { inShape } from "./reshape.ts";
import { floor } from "./rounding.ts";
import { forEachAxis, type PerAxis } from "./sliding.ts";

/** Options of `resize`. */
export interface ResizeOptions {
  /** `nearest` when left out: the pixel that covers a place's upper left; else what is made of four
   * pixels around it, or of sixteen. */
  mode?: "nearest" | "bilinear" | "bicubic";
  /** Whether the corners' pixels have their centers where x's have, not their corners; false when left out. */
  alignCorners?: boolean;
  /** The order of x's axes; channels follow n when left out. */
  layout?: Layout2d;
}

const RESIZE: Known<ResizeOptions> = { mode: "string", alignCorners: "boolean", layout: "string" };

/** Throws a `GradusError` for a mode that there is not, and corners of one that looks at whole pixels. */
export function checkMode(op: string, { mode = "nearest", alignCorners }: ResizeOptions): void {
  checkWords(op, { mode }, ["nearest", "bilinear", "bicubic"]);
  if (alignCorners && mode === "nearest") {
    throw new GradusError(
      `${op}: alignCorners with mode nearest; expected bilinear or bicubic, which look between pixels`,
    );
  }
}

/** Pixels of an axis and how much a place is made of each. */
type Taps = readonly (readonly [index: Tensor, weight: Tensor | null])[];

/** One of an axis's n pixels for each of `size` places. */
function nearestTaps(x: Tensor, n: number, size: number): Taps {
  return [[floorDivide(mul(iota(size, "i32", x.device), n), size), null]];
}

/** Where places of a result lie among x's pixels. */
function sourcesOf(x: Tensor, n: number, size: number, alignCorners: boolean): Tensor {
  const place = iota(size, x.dtype, x.device);
  if (alignCorners) return mul(place, size > 1 ? (n - 1) / (size - 1) : 0);
  return sub(mul(add(place, 0.5), n / size), 0.5);
}

/** The pixel so far from another one, at the edge where there is none. */
function pixelAt(first: Tensor, offset: number, n: number): Tensor {
  return cast(clip(add(first, offset), 0, n - 1), "i32");
}

function linearTaps(x: Tensor, n: number, size: number, alignCorners: boolean): Taps {
  const source = maximum(sourcesOf(x, n, size, alignCorners), 0);
  const first = floor(source);
  const rest = sub(source, first);
  return [
    [pixelAt(first, 0, n), sub(1, rest)],
    [pixelAt(first, 1, n), rest],
  ];
}

/** What cubic convolution gives neighbours less than 1 away, and those up to 2. */
const A = -0.75;

/** The weights of four pixels around a place, which is so far behind the second of them. */
export function cubicWeights(t: Tensor): Tensor[] {
  // ((a + 2) d − (a + 3)) d² + 1 for d ≤ 1
  const near = (d: Tensor) => add(mul(mul(sub(mul(d, A + 2), A + 3), d), d), 1);
  // ((a d − 5a) d + 8a) d − 4a for 1 < d < 2
  const far = (d: Tensor) => sub(mul(add(mul(sub(mul(d, A), 5 * A), d), 8 * A), d), 4 * A);
  const back = sub(1, t);
  return [far(add(t, 1)), near(t), near(back), far(add(back, 1))];
}

function cubicTaps(x: Tensor, n: number, size: number, alignCorners: boolean): Taps {
  const source = sourcesOf(x, n, size, alignCorners);
  const first = floor(source);
  return cubicWeights(sub(source, first)).map((weight, i) => {
    return [pixelAt(first, i - 1, n), weight] as const;
  });
}

/** Sums an axis's pixels as taps say. */
function tapped(x: Tensor, axis: number, taps: Taps): Tensor {
  const parts = taps.map(([index, weight]) => {
    const pixels = gather(x, index, { axis });
    if (!weight) return pixels;
    return mul(pixels, inShape(weight, [index.size, ...Array(x.rank - axis - 1).fill(1)]));
  });
  return parts.reduce((a, b) => add(a, b));
}

/**
 * Makes images of another size, as PyTorch's `interpolate` does: pixels are squares, and places beyond
 * the middle of those at the edge have theirs. What is made smaller is not blurred before.
 * Source: Keys 1981, "Cubic convolution interpolation for digital image processing", eq. 4 with a = −3/4,
 * for `bicubic`.
 * @param x floats `[n, channels, height, width]`, or without n; channels last with `layout: "NHWC"`.
 * @param size of the result, from 1: one number for both axes, or `[height, width]`.
 * @throws ShapeError for sizes that are no such integers, and images without pixels.
 * @example resize(zeros([1, 3, 28, 28]), [56, 42], { mode: "bilinear" }).shape; // [1, 3, 56, 42]
 */
export function resize(
  x: Tensor,
  size: PerAxis,
  options: ResizeOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("resize", options, RESIZE, surplus);
  checkTensors("resize", [x]);
  checkDomain("resize", x.dtype, "float");
  const { mode = "nearest", alignCorners = false, layout } = options;
  checkMode("resize", options);
  const batch = channelsLast("resize", x, 2, layout);
  const sizes = forEachAxis("resize", "size", size, batch.axes, 1);
  if (batch.sizes.includes(0)) {
    throw new ShapeError(`resize: input ${formatShape(x.shape)}; expected at least one pixel`);
  }
  const y = sizes.reduce((y, count, i) => {
    const n = batch.sizes[i];
    if (count === n) return y; // places are pixels' own
    const taps = {
      nearest: nearestTaps,
      bilinear: linearTaps,
      bicubic: cubicTaps,
    }[mode](x, n, count, alignCorners);
    return tapped(y, i + 1, taps);
  }, batch.x);
  return batch.restore(y);
}
