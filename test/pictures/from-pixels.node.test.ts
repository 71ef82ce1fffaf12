import { beforeAll, describe, expect, test } from "vitest";
import { compile, type DType, init, resize, tensor, zeros } from "../../src/index.ts";
import { fromPixels, toCanvas, toPixels } from "../../src/pictures/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";
import { generator } from "../support/reference.ts";

beforeAll(async () => {
  await testDevice();
});

/** A picture of random bytes. */
function picture(width: number, height: number, stored = 4, seed = 1) {
  const next = generator(seed);
  const data = Uint8ClampedArray.from({ length: width * height * stored }, () =>
    Math.floor(256 * next()),
  );
  return { data, width, height };
}

const SIZES = [
  [1, 1],
  [3, 5],
  [64, 2],
  [65, 7],
] as const;

describe.each(SIZES)("pixels of %i × %i", (width, height) => {
  const { data } = picture(width, height);
  const pixel = (x: number, y: number) =>
    data.subarray(4 * (y * width + x), 4 * (y * width + x) + 4);
  const luma = ([r, g, b]: Uint8ClampedArray) =>
    Math.floor((19595 * r + 38470 * g + 7471 * b + 32768) / 65536);

  test.each([1, 3, 4] as const)("%i channels, in both orders of axes", async (channels) => {
    const expected = (y: number, x: number, c: number) =>
      channels === 1 ? luma(pixel(x, y)) : pixel(x, y)[c];
    const last = fromPixels({ data, width, height }, { channels });
    expect([last.dtype, last.shape]).toEqual(["u8", [height, width, channels]]);
    const values = await last.data();
    const first = fromPixels({ data, width, height }, { channels, layout: "CHW", flipY: true });
    expect(first.shape).toEqual([channels, height, width]);
    const turned = await first.data();
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        for (let c = 0; c < channels; c++) {
          expect(values[(y * width + x) * channels + c]).toBe(expected(y, x, c));
          const at = (c * height + height - 1 - y) * width + x;
          expect(turned[at]).toBe(expected(y, x, c));
        }
      }
    }
  });

  test("floats are bytes over 255, whole numbers the bytes", async () => {
    const floats = await fromPixels({ data, width, height }, { channels: 4, dtype: "f32" }).data();
    const exact = await fromPixels({ data, width, height }, { channels: 4, dtype: "f64" }).data();
    const whole = await fromPixels({ data, width, height }, { channels: 4, dtype: "i32" }).data();
    for (const [i, byte] of data.entries()) {
      expect(Math.abs(floats[i] - byte / 255)).toBeLessThan(1e-7);
      expect(Math.abs(exact[i] - byte / 255)).toBeLessThan(1e-15);
      expect(whole[i]).toBe(byte);
    }
  });
});

test("white is exactly 1, and gray pictures have their own values as brightness", async () => {
  const gray = Uint8Array.from({ length: 4 * 256 }, (_, i) => (i % 4 === 3 ? 255 : i >> 2));
  const source = { data: gray, width: 16, height: 16 };
  const bytes = await fromPixels(source, { channels: 1 }).data();
  expect([...bytes]).toEqual(Array.from({ length: 256 }, (_, i) => i));
  expect((await fromPixels(source, { channels: 1, dtype: "f32" }).data())[255]).toBe(1);
});

test("one and three numbers a pixel are taken as they lie", async () => {
  const gray = { data: Uint8Array.of(7, 9), width: 1, height: 2 };
  expect(await fromPixels(gray).toArray()).toEqual([[[7, 7, 7]], [[9, 9, 9]]]);
  expect(await fromPixels(gray, { channels: 4 }).toArray()).toEqual([
    [[7, 7, 7, 255]],
    [[9, 9, 9, 255]],
  ]);
  const colours = { data: Uint8Array.of(1, 2, 3, 4, 5, 6), width: 2, height: 1 };
  expect(await fromPixels(colours, { channels: 4 }).toArray()).toEqual([
    [
      [1, 2, 3, 255],
      [4, 5, 6, 255],
    ],
  ]);
});

test("another size is what resize makes of it", async () => {
  const source = picture(9, 7);
  const full = fromPixels(source, { dtype: "f32" });
  const expected = await resize(full, [4, 12], { mode: "bilinear", layout: "NHWC" }).data();
  const floats = await fromPixels(source, { dtype: "f32", size: [4, 12] }).data();
  const bytes = await fromPixels(source, { size: [4, 12] }).data();
  for (const [i, value] of expected.entries()) {
    expect(floats[i]).toBeCloseTo(value, 5);
    expect(Math.abs(bytes[i] - 255 * value)).toBeLessThanOrEqual(0.5001);
  }
  expect(fromPixels(source, { size: 3 }).shape).toEqual([3, 3, 3]);
});

test("a picture is a copy, and holds one value on the device", async () => {
  const { device } = zeros([1]);
  const before = held(device);
  const source = picture(5, 5);
  const x = fromPixels(source, { dtype: "f32", layout: "CHW" });
  const first = await x.data();
  source.data.fill(0);
  expect(await x.data()).toEqual(first);
  expect(held(device)).toBe(before + 1);
  x.dispose();
  expect(held(device)).toBe(before);
});

test.each([
  ["HWC", 1],
  ["HWC", 3],
  ["HWC", 4],
  ["CHW", 3],
] as const)(
  "toPixels gives back what fromPixels took: %s, %i channels",
  async (layout, channels) => {
    const source = picture(6, 5, channels, 3);
    for (const dtype of ["u8", "f32", "i32"] as const) {
      const x = fromPixels(source, { channels, layout, dtype });
      const { data, width, height } = await toPixels(x, { layout });
      expect(data).toBeInstanceOf(Uint8ClampedArray);
      expect([width, height]).toEqual([6, 5]);
      for (let i = 0; i < width * height; i++) {
        for (let c = 0; c < 4; c++) {
          const alpha = channels === 4 ? source.data[4 * i + 3] : 255;
          const colour = source.data[channels * i + (channels === 1 ? 0 : c)];
          expect(data[4 * i + c]).toBe(c === 3 ? alpha : colour);
        }
      }
    }
  },
);

test("numbers outside are cut, and NaN is black", async () => {
  const floats = tensor([[-1, 0, 0.25, 0.5, 1, 2, Number.NaN, 1 / 510, Number.POSITIVE_INFINITY]]);
  const { data } = await toPixels(floats);
  const every = (values: ArrayLike<number>) => Array.from(values).filter((_, i) => i % 4 === 0);
  expect(every(data)).toEqual([0, 0, 64, 128, 255, 255, 0, 1, 255]);
  const whole = tensor(new Int32Array([-5, 0, 255, 300]), { shape: [2, 2] });
  expect(every((await toPixels(whole)).data)).toEqual([0, 0, 255, 255]);
});

const source = { data: new Uint8Array(4), width: 1, height: 1 };

test.each<[string, () => unknown, string]>([
  ["no source", () => fromPixels(null as never), "fromPixels: source null; expected a canvas"],
  ["a text", () => fromPixels("a.png" as never), 'fromPixels: source "a.png"; expected a canvas'],
  [
    "no pixels",
    () => fromPixels({ ...source, width: 0 }),
    "fromPixels: pixels of 0 × 1 pixels; expected at least one pixel",
  ],
  [
    "a size that is none",
    () => fromPixels({ ...source, width: 0.5 }),
    "fromPixels: width 0.5; expected an integer from 1",
  ],
  [
    "too few bytes",
    () => fromPixels({ ...source, width: 3 }),
    "fromPixels: 4 bytes for 3 × 1 pixels; expected 1, 3 or 4 for each",
  ],
  [
    "no bytes",
    () => fromPixels({ ...source, data: new Float32Array(4) as never }),
    "fromPixels: data",
  ],
  [
    "two channels",
    () => fromPixels(source, { channels: 2 as 1 }),
    "fromPixels: channels 2; expected 1, 3 or 4",
  ],
  [
    "an order of a batch",
    () => fromPixels(source, { layout: "NCHW" as "CHW" }),
    'fromPixels: layout NCHW; expected HWC, CHW. Did you mean "CHW"?',
  ],
  [
    "a dtype that does not hold bytes",
    () => fromPixels(source, { dtype: "i8" }),
    "fromPixels: dtype i8; expected one that holds 255",
  ],
  [
    "no pixels at all",
    () => fromPixels(source, { size: [0, 3] }),
    "fromPixels: size [0,3] for axes [0, 1]; expected an integer from 1, or one for each",
  ],
  [
    "an unknown option",
    () => fromPixels(source, { flipX: true } as never),
    'fromPixels: unknown option "flipX"; expected channels, dtype, layout, size, flipY, keep, device. Did you mean "flipY"?',
  ],
  [
    "a texture on the CPU",
    () =>
      fromPixels({ createView() {}, width: 1, height: 1, format: "rgba8unorm", usage: 1 } as never),
    "fromPixels: a GPUTexture on a cpu device; expected the device whose GPUDevice made it",
  ],
  [
    "a canvas where there is none",
    () => fromPixels({ getContext: () => null, width: 1, height: 1 } as never),
    "fromPixels: no canvas to read pixels from; expected a page or a worker, or { data, width, height }",
  ],
  [
    "a video without a frame",
    () => fromPixels({ videoWidth: 4, videoHeight: 4, readyState: 1 }),
    "fromPixels: a video of 4 × 4 pixels; expected a video with a frame. Await its event loadeddata",
  ],
  [
    "an image that is not loaded",
    () => fromPixels({ naturalWidth: 0, naturalHeight: 0 }),
    "fromPixels: an image of 0 × 0 pixels; expected one that is loaded. Await its decode()",
  ],
  [
    "a closed frame",
    () => fromPixels({ displayWidth: 0, displayHeight: 0 }),
    "fromPixels: a VideoFrame of 0 × 0 pixels; expected one that is not closed",
  ],
  [
    "a closed bitmap",
    () => fromPixels({ close() {}, width: 0, height: 0 }),
    "fromPixels: an ImageBitmap of 0 × 0 pixels; expected one that is neither closed nor transferred",
  ],
])("fromPixels refuses %s", (_, call, message) => {
  expect(call).toThrow(
    expect.objectContaining({ message: expect.stringMatching(new RegExp(`^${escape(message)}`)) }),
  );
});

function escape(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

test("a compiled function takes no pictures, and draws none", async () => {
  await expect(compile(() => fromPixels(source, { dtype: "f32" }))()).rejects.toThrow(
    "fromPixels: called in a function that is being compiled; expected a picture taken outside",
  );
  const draws = compile((x: ReturnType<typeof zeros>) => {
    toPixels(x).catch((error: Error) => messages.push(error.message));
    return x;
  });
  const messages: string[] = [];
  await draws(zeros([2, 2]));
  expect(messages[0]).toMatch(/^toPixels: called in a function that is being compiled/);
});

const PICTURE =
  "[height, width] or [height, width, channels] with 1, 3 or 4 channels and at least one pixel";

test.each<[string, readonly number[], DType, object, string]>([
  ["a vector", [3], "f32", {}, `toPixels: shape [3]; expected ${PICTURE}`],
  ["a batch", [1, 2, 2, 3], "f32", {}, `toPixels: shape [1, 2, 2, 3]; expected ${PICTURE}`],
  ["two channels", [2, 2, 2], "f32", {}, `toPixels: shape [2, 2, 2]; expected ${PICTURE}`],
  ["nothing", [0, 2, 3], "f32", {}, `toPixels: shape [0, 2, 3]; expected ${PICTURE}`],
  [
    "channels last where they come first",
    [5, 6, 3],
    "f32",
    { layout: "CHW" },
    `toPixels: shape [5, 6, 3]; expected ${PICTURE.replace("[height, width, channels]", "[channels, height, width]")}`,
  ],
  [
    "a bool",
    [2, 2],
    "bool",
    {},
    "toPixels: dtype bool; expected f32, f64, i32, u32, u8, u16 or i16",
  ],
  ["another order", [2, 2], "f32", { layout: "NHWC" }, "toPixels: layout NHWC; expected HWC, CHW"],
  [
    "an unknown option",
    [2, 2],
    "f32",
    { context: "2d" },
    'toPixels: unknown option "context"; expected layout',
  ],
])("toPixels refuses %s", async (_, shape, dtype, options, message) => {
  const error = await toPixels(zeros(shape, { dtype }), options).catch((thrown: Error) => thrown);
  expect((error as Error).message.slice(0, message.length)).toBe(message);
});

test("toCanvas refuses what is no canvas, and WebGPU on the CPU", async () => {
  const canvas = { width: 1, height: 1, getContext: () => null };
  await expect(toCanvas(zeros([2, 2]), null as never)).rejects.toThrow(
    "toCanvas: canvas null; expected a canvas",
  );
  await expect(toCanvas(zeros([2, 2]), canvas, { context: "webgpu" })).rejects.toThrow(
    "toCanvas: context webgpu for a tensor on a cpu device; expected one on webgpu",
  );
  await expect(toCanvas(zeros([2, 2]), canvas)).rejects.toThrow(
    "toCanvas: a canvas with another context; expected one with 2d, or with none yet",
  );
  await expect(toCanvas(zeros([2, 2]), canvas, { context: "3d" as "2d" })).rejects.toThrow(
    "toCanvas: context 3d; expected 2d, webgpu",
  );
});

test("pictures go to the device that is named", async () => {
  const { device } = await init({ device: "cpu", isolated: true });
  const x = fromPixels(source, { device });
  expect(x.device).toBe(device);
  device.dispose();
  expect(() => fromPixels(source, { device })).toThrow("fromPixels: ");
});
