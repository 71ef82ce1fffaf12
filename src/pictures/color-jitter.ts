import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, clip, div, maximum, minimum, mul, sub } from "../ops/arithmetic.ts";
import { equal } from "../ops/compare.ts";
import { mean } from "../ops/reduce.ts";
import { remainder } from "../ops/remainder.ts";
import { floor } from "../ops/rounding.ts";
import { concat, slice } from "../ops/slice.ts";
import { where } from "../ops/where.ts";
import {
  AUGMENT,
  type AugmentOptions,
  type BatchDraw,
  beginDraw,
  checkInterval,
} from "./batch-draw.ts";

/** How far a factor lies from 1 at the most, from 0, or its range. */
export type Jitter = number | readonly [low: number, high: number];

/** Options of `colorJitter`. */
export interface ColorJitterOptions extends AugmentOptions {
  /** Of the factor of all values; 0, which leaves them, when left out. */
  brightness?: Jitter;
  /** Of the factor of distances from the picture's mean brightness; 0 when left out. */
  contrast?: Jitter;
  /** Of the factor of distances from a pixel's own brightness; 0 when left out. */
  saturation?: Jitter;
  /** How far colours turn around the circle of colours, up to 0.5, or the range; 0 when left out. */
  hue?: Jitter;
}

const COLOR_JITTER: Known<ColorJitterOptions> = {
  ...AUGMENT,
  brightness: true,
  contrast: true,
  saturation: true,
  hue: true,
};

function factorsOf(op: string, name: string, given: Jitter): readonly [number, number] {
  if (typeof given === "number") {
    checkEach(
      op,
      { [name]: given },
      (x) => Number.isFinite(x) && (x as number) >= 0,
      "a number from 0",
    );
    return [Math.max(0, 1 - given), 1 + given];
  }
  checkInterval(op, name, given, "from 0");
  return given;
}

function turnsOf(op: string, given: Jitter): readonly [number, number] {
  const range = typeof given === "number" ? ([-given, given] as const) : given;
  checkInterval(op, "hue", range, "turn");
  return range;
}

/** A channel of pictures, `[n, height, width, 1]`. */
function channel(x: Tensor, i: number): Tensor {
  return slice(x, [{}, {}, {}, { start: i, end: i + 1 }]);
}

/** 0.2989 R + 0.587 G + 0.114 B, torchvision's weights. */
function brightnessOf(x: Tensor, { isByte }: BatchDraw): Tensor {
  if (x.shape[3] === 1) return x;
  const [r, g, b] = [0, 1, 2].map((i) => channel(x, i));
  const y = add(add(mul(r, 0.2989), mul(g, 0.587)), mul(b, 0.114));
  return isByte ? floor(y) : y;
}

/** Values that pixels may have: of bytes, fractions are cut off. */
function settled(x: Tensor, { isByte, top }: BatchDraw): Tensor {
  const y = clip(x, 0, top);
  return isByte ? floor(y) : y;
}

/** factor · x + (1 − factor) · other, cut to [0, 1], or [0, 255] of bytes. */
function blended(x: Tensor, other: Tensor, factor: Tensor, draw: BatchDraw): Tensor {
  return settled(add(mul(x, factor), mul(other, sub(1, factor))), draw);
}

/** 256 less a little, so that 1 becomes 255 where fractions are cut off. */
const LEVELS = 255.999;

/** Turns the hue by parts of a circle: to hue, saturation and value, and back. */
function turned(x: Tensor, by: Tensor): Tensor {
  const [r, g, b] = [0, 1, 2].map((i) => channel(x, i));
  const value = maximum(maximum(r, g), b);
  const range = sub(value, minimum(minimum(r, g), b));
  const divisor = where(equal(range, 0), 1, range);
  // (max − r) / range and so on: differences of them are sixths of the circle.
  const [rc, gc, bc] = [r, g, b].map((one) => div(sub(value, one), divisor));
  const ofRest = where(equal(value, g), add(sub(rc, bc), 2), add(sub(gc, rc), 4));
  const sixths = where(equal(value, r), sub(bc, gc), ofRest);
  const hue = remainder(add(add(div(sixths, 6), 1), by), 1);
  // value − range · max(0, min(k, 4 − k, 1)), k = (m + 6 hue) mod 6 for m = 5, 3, 1
  const colours = [5, 3, 1].map((m) => {
    const k = remainder(add(mul(hue, 6), m), 6);
    return sub(value, mul(range, clip(minimum(k, sub(4, k)), 0, 1)));
  });
  return concat(colours, { axis: 3 });
}

/**
 * Changes brightness, contrast, saturation and hue of each picture, in this order, by factors that are
 * drawn for it, as torchvision's `ColorJitter` does, which draws the order too. The draws have the same
 * bits on all devices; the values agree within the bounds of arithmetic. Of bytes, fractions are cut off after
 * each change, so that some may be one less on one device than on another.
 * @param images floats from 0 to 1 or u8, `[n, channels, height, width]` with 1 channel, whose saturation and
 * hue do not change, or 3; channels last with `layout: "NHWC"`.
 * @throws ShapeError, DTypeError or GradusError for others, and without seed and key.
 * @example colorJitter(zeros([8, 3, 32, 32]), { brightness: 0.2, hue: 0.1, step, seed: 1 });
 */
export function colorJitter(
  images: Tensor,
  options: ColorJitterOptions,
  ...surplus: never[]
): Tensor {
  const op = "colorJitter";
  checkOptions(op, options, COLOR_JITTER, surplus);
  const { brightness = 0, contrast = 0, saturation = 0, hue = 0 } = options;
  const factors = Object.entries({ brightness, contrast, saturation }).map(([name, given]) =>
    factorsOf(op, name, given),
  );
  const turns = turnsOf(op, hue);
  const draw = beginDraw(op, images, options);
  const { channels, each, uniform, restore, isByte, top } = draw;
  if (channels !== 1 && channels !== 3) {
    throw new ShapeError(`${op}: ${channels} channels; expected 1 or 3`);
  }
  const isColoured = channels === 3;
  const by = (part: number, [low, high]: readonly [number, number]) =>
    each(uniform(part, low, high));
  const changes = ([low, high]: readonly [number, number]) => low !== 1 || high !== 1;
  let y = draw.x;
  if (changes(factors[0])) y = settled(mul(y, by(0, factors[0])), draw);
  if (changes(factors[1])) {
    const middle = mean(brightnessOf(y, draw), { axis: [1, 2, 3], keepDims: true });
    y = blended(y, middle, by(1, factors[1]), draw);
  }
  if (changes(factors[2]) && isColoured) {
    y = blended(y, brightnessOf(y, draw), by(2, factors[2]), draw);
  }
  if ((turns[0] !== 0 || turns[1] !== 0) && isColoured) {
    const shares = turned(isByte ? div(y, top) : y, by(3, turns));
    y = isByte ? floor(mul(shares, LEVELS)) : shares;
  }
  return restore(y);
}
