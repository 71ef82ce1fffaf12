import { checkEach, isInteger, type Known } from "../core/check.ts";
import { type DType, dtypesOf, is, isFloat } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { foldIn, type Key, neededKey } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { cast, storedAs } from "../ops/cast.ts";
import { type ChannelsLast, channelsLast, type Layout2d } from "../ops/channels.ts";
import { drawIntegers } from "../ops/integers-at.ts";
import { uniformAt } from "../ops/random-at.ts";
import { reshape } from "../ops/reshape.ts";

/** What every function that changes pictures at random is told. */
export interface AugmentOptions {
  /**
   * u32 scalar, such as a `State` that each step raises: the same step and seed give the same numbers, and
   * another step others.
   */
  step: Tensor;
  /** A non-negative integer; functions with one seed draw numbers of their own. */
  seed?: number;
  /** A key in place of a seed, as `foldIn` derives them. */
  key?: Key;
  /** The order of the pictures' axes; channels follow n when left out. */
  layout?: Layout2d;
}

/** The names of `AugmentOptions`. */
export const AUGMENT: Known<AugmentOptions> = { step: true, seed: true, key: true, layout: true };

/** What pictures are stored as, and what is computed with them then: whole numbers from 0 to 255. */
const [BYTE] = dtypesOf("byte");
const FLOAT: DType = "f32";

/** The functions that draw, each with a stream of its own. */
const STREAMS = [
  "randomHorizontalFlip",
  "randomVerticalFlip",
  "randomCrop",
  "randomAffine",
  "randomRotation",
  "colorJitter",
  "randomErasing",
  "mixup",
  "cutmix",
] as const;

/** A batch of pictures, and numbers that are drawn for each of them. */
export interface BatchDraw extends Omit<ChannelsLast, "axes" | "sizes"> {
  readonly n: number;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
  readonly step: Tensor;
  /** Whether pictures are bytes, which x has as floats, and `restore` cuts to whole numbers. */
  readonly isByte: boolean;
  /** The largest value of a pixel: 1, or 255 of bytes. */
  readonly top: number;
  /** The key of a part of what is drawn. */
  part(part: number): Key;
  /** Numbers from `low` to `high`, `[n]`; other ones for each part. */
  uniform(part: number, low?: number, high?: number): Tensor;
  /** Whole numbers from 0 to `count` − 1, i32 `[n]`. */
  integers(part: number, count: number): Tensor;
  /** Gives a number for each picture, `[n]`, the axes of pictures. */
  each(values: Tensor): Tensor;
}

/**
 * Begins to change pictures at random.
 * @param takesBytes whether pictures may be u8.
 * @throws ShapeError, DTypeError or GradusError for what is no batch of pictures, no step and no seed.
 */
export function beginDraw(
  op: (typeof STREAMS)[number],
  images: Tensor,
  { step, seed, key, layout }: AugmentOptions,
  takesBytes = true,
): BatchDraw {
  checkTensors(op, [images, step]);
  const isByte = takesBytes && is(images.dtype, "byte");
  if (!isByte && !isFloat(images.dtype)) {
    const rule = `${takesBytes ? "u8, or " : ""}floats from 0 to 1`;
    throw new DTypeError(`${op}: dtype ${images.dtype}; expected ${rule}. cast and scale it`);
  }
  if (images.rank !== 4 || images.size === 0) {
    throw new ShapeError(
      `${op}: images ${formatShape(images.shape)}; expected [n, channels, height, width] with pixels`,
    );
  }
  const { x, restore } = channelsLast(op, isByte ? cast(images, FLOAT) : images, 2, layout);
  const { dtype } = x;
  const own = neededKey(op, { ...(seed !== undefined && { seed }), ...(key && { key }) });
  const stream = foldIn(own, STREAMS.indexOf(op));
  const [n, height, width, channels] = x.shape;
  const part = (i: number) => foldIn(stream, i);
  return {
    x,
    restore: isByte ? (y) => storedAs(restore(y), BYTE) : restore,
    isByte,
    top: isByte ? 255 : 1,
    n,
    height,
    width,
    channels,
    step,
    part,
    uniform: (i, low = 0, high = 1) => uniformAt(step, [n], { key: part(i), low, high, dtype }),
    integers: (i, count) => {
      return drawIntegers(step, [n], { key: part(i), dtype: "i32", low: 0, high: count });
    },
    each: (values) => reshape(values, [n, 1, 1, 1]),
  };
}

/** Throws a `GradusError` unless a value is one that a pixel may have. */
export function checkPixel(
  op: string,
  { isByte, top }: BatchDraw,
  value: Record<string, number>,
): void {
  const rule = isByte
    ? `a whole number from 0 to ${top}, as pictures of bytes are`
    : "a finite number";
  checkEach(op, value, isByte ? (x) => isInteger(x, 0, top) : Number.isFinite, rule);
}

/** Throws a `GradusError` unless a probability is one. */
export function checkProbability(op: string, p: number): void {
  checkEach(op, { p }, (x) => typeof x === "number" && x >= 0 && x <= 1, "a number from 0 to 1");
}

/** What a range may hold, as messages say it, and the rule. */
const BOUNDS = {
  any: ["", () => true],
  "from 0": [" from 0 on", (x: number) => x >= 0],
  "above 0": [" above 0", (x: number) => x > 0],
  share: [" from 0 to 1", (x: number) => x >= 0 && x <= 1],
  turn: [" from -0.5 to 0.5", (x: number) => Math.abs(x) <= 0.5],
} as const satisfies Record<string, readonly [string, (x: number) => boolean]>;

/** Throws a `GradusError` unless a range is a pair of finite numbers in order, within bounds. */
export function checkInterval(
  op: string,
  name: string,
  range: unknown,
  bounds: keyof typeof BOUNDS = "any",
): void {
  const [text, isAllowed] = BOUNDS[bounds];
  const holds = (given: unknown) =>
    Array.isArray(given) &&
    given.length === 2 &&
    given.every((x) => Number.isFinite(x) && isAllowed(x)) &&
    given[0] <= given[1];
  if (holds(range)) return;
  throw new GradusError(`${op}: ${name} ${quote(range)}; expected [low, high]${text}`);
}
