import { checkEach, checkOptions, checkWords, type Known } from "../core/check.ts";
import { DTYPES, type DType, isFloat } from "../core/dtype.ts";
import { DeviceError, DTypeError } from "../core/errors.ts";
import { defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { checkDType, sourceTensor, type Tensor } from "../graph/tensor.ts";
import { checkUntraced } from "../graph/tracing.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { cast, storedAs } from "../ops/cast.ts";
import { flip } from "../ops/flip.ts";
import { floorDivide } from "../ops/remainder.ts";
import { permute, reshape } from "../ops/reshape.ts";
import { resize } from "../ops/resize.ts";
import { round } from "../ops/rounding.ts";
import { concat, slice } from "../ops/slice.ts";
import { forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { gpuSessionOf } from "../webgpu/gpu-storage.ts";
import { type CopiedRows, copyRows } from "./gpu-pixels.ts";
import { LUMA, readPixels, withChannels } from "./host-pixels.ts";
import { describeSource, type PictureSource, type PixelSource } from "./sources.ts";

/** The orders of a picture's axes. */
export type PictureLayout = "HWC" | "CHW";

/** Options of `fromPixels`. */
export interface FromPixelsOptions {
  /** 1 is brightness, 3 red, green and blue, 4 these and alpha; 3 when left out. */
  channels?: 1 | 3 | 4;
  /** `u8` when left out. Whole numbers are from 0 to 255, floats from 0 to 1. */
  dtype?: DType;
  /** `HWC` when left out; `CHW` is what convolutions take. */
  layout?: PictureLayout;
  /** The height and width of the result, or one number for both; the source's own when left out. */
  size?: PerAxis;
  /** Whether the lowest row comes first; false when left out. */
  flipY?: boolean;
  /**
   * Whether the pixels are kept on the host too, so that they outlive a GPU that is lost, for which
   * they go by way of a canvas there; false when left out.
   */
  keep?: boolean;
  /** The device of `init` when left out. */
  device?: Device;
}

const FROM_PIXELS: Known<FromPixelsOptions> = {
  channels: "number",
  dtype: "string",
  layout: true,
  size: true,
  flipY: "boolean",
  keep: "boolean",
  device: true,
};

const LAYOUTS = ["HWC", "CHW"];

/** The dtype of bytes, in which pixels come. */
const BYTE: DType = "u8";
/** The dtype in which bytes are computed. */
const WHOLE: DType = "i32";

/**
 * Takes the pixels of a picture as they are now: those of a canvas, an `ImageBitmap`, an image or video
 * of a page, a `VideoFrame`, a `GPUTexture`, an `ImageData`, or `{ data, width, height }` with bytes,
 * which Node takes too. On WebGPU they are copied on the GPU where the browser allows that; they go with
 * it when it is lost, which is an error at each use, unless `keep` says otherwise.
 *
 * Colours are sRGB, alpha is straight. All that is opaque has the same bits on every device and by every
 * way; of what is not, canvases keep fewer bits. One channel is the brightness by ITU-R BT.601, in whole
 * numbers as PIL's mode L; floats are bytes times 1/255. Another `size` is made by `resize` with mode
 * `bilinear`.
 * @returns `[height, width, channels]`, or `[channels, height, width]` with `layout: "CHW"`.
 * @throws GradusError for other sources, for pictures of another origin that the page may not read, and
 * in a compiled function; ShapeError for pictures without pixels, such as a closed `ImageBitmap` or a
 * video without a frame; DTypeError for a dtype that holds no bytes; DeviceError for a texture on a
 * device that is not the GPU's, or with another format or usage.
 * @example
 * const picture = { data: new Uint8Array([255, 0, 0, 0, 0, 255]), width: 2, height: 1 };
 * await fromPixels(picture, { dtype: "f32", layout: "CHW" }).toArray(); // [[[1, 0]], [[0, 0]], [[0, 1]]]
 */
export function fromPixels(
  source: PixelSource,
  options: FromPixelsOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "fromPixels";
  checkOptions(op, options, FROM_PIXELS, surplus);
  const { channels = 3, dtype = BYTE, layout = "HWC", flipY = false, keep = false } = options;
  const { size, device = defaultDevice() } = options;
  checkEach(op, { channels }, (n) => [1, 3, 4].includes(n as number), "1, 3 or 4");
  checkWords(op, { layout }, LAYOUTS);
  checkDType(op, dtype, device);
  if (!isFloat(dtype) && DTYPES[dtype].max < 255) {
    throw new DTypeError(`${op}: dtype ${dtype}; expected one that holds 255`);
  }
  const target = size === undefined ? null : forEachAxis(op, "size", size, [0, 1], 1);
  checkUntraced(op, "a picture taken outside. Give the tensor as an argument");
  device.check(op);
  const picture = describeSource(op, source);
  const raw = pixelsOn(op, device, source, picture, channels, keep);
  const made = arranged(raw.pixels, { dtype, layout, flipY, size: target });
  if (made === raw.held) return made;
  try {
    device.evaluate([made.node], op);
    return made;
  } catch (error) {
    made.dispose();
    throw error;
  } finally {
    raw.held.dispose();
  }
}

/** Pixels u8 `[height, width, channels]`, and the tensor that holds them. */
interface RawPixels {
  readonly pixels: Tensor;
  readonly held: Tensor;
}

function pixelsOn(
  op: string,
  device: Device,
  source: unknown,
  picture: PictureSource,
  channels: number,
  keep: boolean,
): RawPixels {
  const { kind, name, width, height } = picture;
  const session = kind === "pixels" || (keep && kind === "drawn") ? null : gpuSessionOf(device);
  if (kind === "texture" && (!session || keep)) {
    const where = keep ? "to keep on the host" : `on a ${device.kind} device`;
    throw new DeviceError(
      `${op}: ${name} ${where}; expected the device whose GPUDevice made it, as init({ gpuDevice }) ` +
        "gives it, without keep",
    );
  }
  const copied = session && copyRows(op, device, session, source, picture, BYTE);
  if (copied) return { pixels: seenAs(copied, width, height, channels), held: copied.rows };
  const { data, stored } = readPixels(op, source, picture);
  const values = withChannels(op, data, stored, channels);
  const held = sourceOf(device, [height, width, channels], values);
  return { pixels: held, held };
}

function sourceOf(device: Device, shape: readonly number[], values: Uint8Array): Tensor {
  return sourceTensor(device, shape, BYTE, values);
}

/** Views rows of a texture as pixels of so many channels. */
function seenAs(
  { rows, isBlueFirst }: CopiedRows,
  width: number,
  height: number,
  channels: number,
): Tensor {
  const all = reshape(slice(rows, [{}, { end: 4 * width }]), [height, width, 4]);
  const colours = slice(all, [{}, {}, isBlueFirst ? { start: 2, step: -1 } : { end: 3 }]);
  if (channels === 3) return colours;
  if (channels === 4) {
    return isBlueFirst ? concat([colours, slice(all, [{}, {}, { start: 3 }])], { axis: 2 }) : all;
  }
  const parts = LUMA.map((weight, i) => {
    return mul(cast(slice(colours, [{}, {}, { start: i, end: i + 1 }]), WHOLE), weight);
  });
  const [r, g, b] = parts;
  return storedAs(floorDivide(add(add(add(r, g), b), 0x8000), 0x10000), BYTE);
}

/** Gives pixels u8 `[height, width, channels]` the wanted form. */
function arranged(
  pixels: Tensor,
  {
    dtype,
    layout,
    flipY,
    size,
  }: {
    readonly dtype: DType;
    readonly layout: PictureLayout;
    readonly flipY: boolean;
    readonly size: readonly number[] | null;
  },
): Tensor {
  let y = flipY ? flip(pixels, { axis: 0 }) : pixels;
  const float: DType = isFloat(dtype) ? dtype : "f32";
  if (size) {
    const [height, width] = size;
    y = resize(cast(y, float), [height, width], { mode: "bilinear", layout: "NHWC" });
    if (!isFloat(dtype)) y = cast(round(y), WHOLE);
  }
  if (y.dtype !== dtype) y = storedAs(y, dtype);
  if (isFloat(dtype)) y = mul(y, 1 / 255);
  return layout === "CHW" ? permute(y, [2, 0, 1]) : y;
}
