import { checkOptions, checkWords, type Known } from "../core/check.ts";
import { DTYPES, type DType, dtypesOf, either, isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { checkUntraced } from "../graph/tracing.ts";
import { add, clip, mul } from "../ops/arithmetic.ts";
import { stretch } from "../ops/broadcast.ts";
import { cast, storedAs } from "../ops/cast.ts";
import { full } from "../ops/creation.ts";
import { floorDivide } from "../ops/remainder.ts";
import { permute, reshape } from "../ops/reshape.ts";
import { floor } from "../ops/rounding.ts";
import { concat, slice } from "../ops/slice.ts";
import type { PictureLayout } from "./from-pixels.ts";
import type { Pixels } from "./sources.ts";

/** Options of `toPixels`. */
export interface ToPixelsOptions {
  /** The order of the axes; `HWC` when left out. */
  layout?: PictureLayout;
}

const TO_PIXELS: Known<ToPixelsOptions> = { layout: "string" };

/** A tensor as a picture: `[height, width, channels]` of bytes in the dtype of whole numbers. */
export interface Picture {
  readonly x: Tensor;
  readonly height: number;
  readonly width: number;
  readonly channels: number;
}

/** The dtype in which bytes are computed. */
const WHOLE: DType = "i32";
const BYTE: DType = "u8";

/**
 * Sees a tensor as a picture: floats are cut to [0, 1] and times 255 rounded, whole numbers cut to
 * [0, 255].
 * @throws GradusError for what is none.
 */
export function pictureOf(op: string, x: Tensor, layout: PictureLayout = "HWC"): Picture {
  checkTensors(op, [x]);
  checkWords(op, { layout }, ["HWC", "CHW"]);
  checkUntraced(op, "a tensor that it has returned");
  const { dtype, shape, rank } = x;
  if (!isFloat(dtype) && DTYPES[dtype].max < 255) {
    const known = [...dtypesOf("float"), ...dtypesOf("integer")];
    const expected = either(known.filter((one) => DTYPES[one].max >= 255));
    throw new DTypeError(`${op}: dtype ${dtype}; expected ${expected}`);
  }
  const last = rank === 2 ? reshape(x, [...shape, 1]) : layout === "CHW" && rank === 3;
  const seen = last === true ? permute(x, [1, 2, 0]) : last || x;
  const [height, width, channels] = seen.shape;
  if (seen.rank !== 3 || ![1, 3, 4].includes(channels) || height * width === 0) {
    const axes = layout === "CHW" ? "[channels, height, width]" : "[height, width, channels]";
    throw new ShapeError(
      `${op}: shape ${formatShape(shape)}; expected [height, width] or ${axes} with 1, 3 or 4 ` +
        "channels and at least one pixel",
    );
  }
  const whole = isFloat(dtype)
    ? cast(floor(add(mul(clip(seen, 0, 1), 255), 0.5)), WHOLE)
    : clip(cast(seen, WHOLE), 0, 255);
  return { x: whole, height, width, channels };
}

/** The bytes of a picture, u8 `[height, width, 4]`, whose colours may be multiplied by alpha. */
export function pictureBytes(
  { x, height, width, channels }: Picture,
  isPremultiplied = false,
): Tensor {
  const { device } = x;
  const hasAlpha = channels === 4;
  const alpha = hasAlpha
    ? slice(x, [{}, {}, { start: 3 }])
    : full([height, width, 1], 255, { dtype: WHOLE, device });
  let colours = channels === 1 ? stretch(x, [height, width, 3]) : slice(x, [{}, {}, { end: 3 }]);
  if (hasAlpha && isPremultiplied) {
    const all = stretch(alpha, [height, width, 3]);
    colours = floorDivide(add(mul(colours, all), 127), 255); // rounded
  }
  return storedAs(concat([colours, alpha], { axis: 2 }), BYTE);
}

/**
 * Reads a picture as bytes of red, green, blue and alpha, as `ImageData` takes them: `new
 * ImageData(pixels.data, pixels.width, pixels.height)` in a page, or what `fromPixels` takes back.
 * Floats are cut to [0, 1] and NaN is 0; whole numbers are cut to [0, 255].
 * @param x `[height, width]`, or `[height, width, channels]` with 1 channel of brightness, 3 of red,
 * green and blue, or 4 with alpha; channels first with `layout: "CHW"`.
 * @throws ShapeError for others; DTypeError for a dtype that does not hold 255; GradusError in a
 * compiled function.
 * @example (await toPixels(tensor([[0, 0.5, 1]]))).data; // 0, 0, 0, 255, 128, 128, 128, 255, 255, …
 */
export async function toPixels(
  x: Tensor,
  options: ToPixelsOptions = {},
  ...surplus: never[]
): Promise<Pixels & { readonly data: Uint8ClampedArray<ArrayBuffer> }> {
  checkOptions("toPixels", options, TO_PIXELS, surplus);
  const picture = pictureOf("toPixels", x, options.layout);
  return readPicture("toPixels", picture);
}

/** Reads a picture's bytes. */
export async function readPicture(
  op: string,
  picture: Picture,
): Promise<Pixels & { readonly data: Uint8ClampedArray<ArrayBuffer> }> {
  const { width, height } = picture;
  const bytes = pictureBytes(picture);
  try {
    const values = await bytes.device.read(bytes.node, op);
    return { data: new Uint8ClampedArray(values.buffer as ArrayBuffer), width, height };
  } finally {
    bytes.dispose();
  }
}
