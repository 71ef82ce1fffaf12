import { checkOptions, checkWords, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, div, mul, neg, sub } from "../ops/arithmetic.ts";
import { affineGrid, gridSample } from "../ops/grid-sample.ts";
import { round } from "../ops/rounding.ts";
import { stack } from "../ops/slice.ts";
import { tan } from "../ops/trigonometric.ts";
import { cos, sin } from "../ops/unary.ts";
import {
  AUGMENT,
  type AugmentOptions,
  type BatchDraw,
  beginDraw,
  checkInterval,
  checkPixel,
} from "./batch-draw.ts";

/** How turned pictures are filled. */
interface SampleOptions extends AugmentOptions {
  /** How places between pixels are made; `nearest` when left out. */
  interpolation?: "nearest" | "bilinear" | "bicubic";
  /** What lies outside of a picture; 0 when left out. */
  fill?: number;
}

/** Options of `randomRotation`. */
export interface RandomRotationOptions extends SampleOptions {}

/** Options of `randomAffine`. */
export interface RandomAffineOptions extends SampleOptions {
  /** The largest angle either way, in degrees, or the range of angles; 0 when left out. */
  degrees?: number | readonly [low: number, high: number];
  /** The largest shifts, in whole pixels, as shares of width and height; none when left out. */
  translate?: readonly [x: number, y: number];
  /** The range of factors of size; `[1, 1]` when left out. */
  scale?: readonly [low: number, high: number];
  /** The largest angle either way by which x slants, in degrees, its range, or those of x and y; 0 when left out. */
  shear?: number | readonly [number, number] | readonly [number, number, number, number];
}

const SAMPLE: Known<SampleOptions> = { ...AUGMENT, interpolation: "string", fill: "number" };
const RANDOM_AFFINE: Known<RandomAffineOptions> = {
  ...SAMPLE,
  degrees: true,
  translate: true,
  scale: true,
  shear: true,
};

/** Gives a range, checked; a number is the largest angle either way. */
function angleRange(
  op: string,
  name: string,
  given: unknown,
): readonly [low: number, high: number] {
  const range = typeof given === "number" ? [-given, given] : given;
  checkInterval(op, name, range);
  return range as readonly [number, number];
}

/** Gives the ranges by which x and y slant, checked. */
function slantsOf(op: string, shear: unknown) {
  const isList = Array.isArray(shear);
  if (typeof shear !== "number" && !(isList && [2, 4].includes(shear.length))) {
    throw new GradusError(`${op}: shear ${quote(shear)}; expected a number, or 2 or 4 of them`);
  }
  const isFour = isList && shear.length === 4;
  const parts = isFour ? [shear.slice(0, 2), shear.slice(2)] : [shear, [0, 0]];
  return parts.map((part) => angleRange(op, "shear", part));
}

function checkSample(op: string, { interpolation = "nearest" }: SampleOptions): void {
  checkWords(op, { interpolation }, ["nearest", "bilinear", "bicubic"]);
}

/** A map of places around the middle, in pixels: where each of the result looks. */
interface PixelMap {
  readonly rows: readonly (readonly [x: Tensor, y: Tensor, shift: Tensor])[];
}

/** Takes the pictures of a batch at places that a map says. */
function sampled(op: string, draw: BatchDraw, { rows }: PixelMap, options: SampleOptions): Tensor {
  const { x, width, height, isByte, restore } = draw;
  const { interpolation = "nearest", fill = 0 } = options;
  checkPixel(op, draw, { fill });
  const sizes = [width, height];
  // Coordinates from −1 to 1 are pixels over half a side.
  const theta = rows.map((row, i) => {
    const [a, b, c] = row;
    const parts = [mul(a, width / sizes[i]), mul(b, height / sizes[i]), mul(c, 2 / sizes[i])];
    return stack(parts, { axis: 1 });
  });
  const grid = affineGrid(stack(theta, { axis: 1 }), [height, width]);
  const settings = { mode: interpolation, layout: "NHWC" } as const;
  const y =
    fill === 0
      ? gridSample(x, grid, settings)
      : add(gridSample(sub(x, fill), grid, settings), fill);
  return restore(isByte ? round(y) : y);
}

const RADIANS = Math.PI / 180;

/**
 * Turns each picture around its middle by an angle that is drawn for it, as torchvision's
 * `RandomRotation` does: counter-clockwise for positive ones. The angles' draws have the same bits on
 * all devices, the pixels those of `gridSample` within its bounds; bytes are rounded.
 * @param images floats or u8, `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @param degrees the largest angle either way, from 0, or the range of angles.
 * @throws ShapeError, DTypeError or GradusError for others, and without seed and key.
 * @example randomRotation(zeros([8, 1, 28, 28]), 15, { step, seed: 1, interpolation: "bilinear" });
 */
export function randomRotation(
  images: Tensor,
  degrees: number | readonly [low: number, high: number],
  options: RandomRotationOptions,
  ...surplus: never[]
): Tensor {
  const op = "randomRotation";
  checkOptions(op, options, SAMPLE, surplus);
  checkSample(op, options);
  const [low, high] = angleRange(op, "degrees", degrees);
  const draw = beginDraw(op, images, options);
  const angle = draw.uniform(0, low * RADIANS, high * RADIANS);
  const [c, s] = [cos(angle), sin(angle)];
  const none = mul(angle, 0);
  // The place (x, y) looks at (x cos − y sin, x sin + y cos), y downwards.
  const rows = [[c, neg(s), none], [s, c, none]] as const; // biome-ignore format: a matrix
  return sampled(op, draw, { rows }, options);
}

/**
 * Turns, shifts, scales and slants each picture around its middle by what is drawn for it, as
 * torchvision's `RandomAffine` does. The draws have the same bits on all devices, the pixels those of
 * `gridSample` within its bounds; bytes are rounded.
 * @param images floats or u8, `[n, channels, height, width]`; channels last with `layout: "NHWC"`.
 * @param options shifts from 0 to 1, scales above 0.
 * @throws ShapeError, DTypeError or GradusError for others, and without seed and key.
 * @example
 * const moves = { degrees: 10, translate: [0.1, 0.1], scale: [0.9, 1.1] } as const;
 * randomAffine(zeros([8, 1, 28, 28]), { ...moves, step, seed: 1 });
 */
export function randomAffine(
  images: Tensor,
  options: RandomAffineOptions,
  ...surplus: never[]
): Tensor {
  const op = "randomAffine";
  checkOptions(op, options, RANDOM_AFFINE, surplus);
  checkSample(op, options);
  const { degrees = 0, translate = [0, 0], scale = [1, 1], shear = 0 } = options;
  const angles = angleRange(op, "degrees", degrees);
  if (!isTranslation(translate)) {
    throw new GradusError(
      `${op}: translate ${quote(translate)}; expected [x, y], each from 0 to 1`,
    );
  }
  checkInterval(op, "scale", scale, "above 0");
  const [shears, slants] = slantsOf(op, shear);
  const draw = beginDraw(op, images, options);
  const { width, height, uniform } = draw;
  const drawn = (part: number, [low, high]: readonly number[]) =>
    uniform(part, low * RADIANS, high * RADIANS);
  const angle = drawn(0, angles);
  const shift = (part: number, most: number) => round(uniform(part, -most, most));
  const [tx, ty] = [shift(1, translate[0] * width), shift(2, translate[1] * height)];
  const factor = uniform(3, scale[0], scale[1]);
  const [sx, sy] = [drawn(4, shears), drawn(5, slants)];
  // The inverse of T · R(angle) · shear · scale, as torchvision computes it.
  const along = sub(angle, sy);
  const [ca, sa] = [div(cos(along), cos(sy)), div(sin(along), cos(sy))];
  const slant = tan(sx);
  const a = ca;
  const b = sub(neg(mul(ca, slant)), sin(angle));
  const c = sa;
  const d = sub(cos(angle), mul(sa, slant));
  const matrix = [[d, neg(b)], [neg(c), a]]; // biome-ignore format: a matrix
  const rows = matrix.map((row) => {
    const [p, q] = row.map((x) => div(x, factor));
    return [p, q, neg(add(mul(p, tx), mul(q, ty)))] as const;
  });
  return sampled(op, draw, { rows }, options);
}

function isTranslation(given: unknown): boolean {
  return (
    Array.isArray(given) &&
    given.length === 2 &&
    given.every((x) => typeof x === "number" && x >= 0 && x <= 1)
  );
}
