import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { add, type Device, init, mul, setDefaultDevice, zeros } from "../../src/index.ts";
import { fromPixels, type PixelSource, toCanvas, toPixels } from "../../src/pictures/index.ts";
import { held } from "../support/memory.ts";
import { generator } from "../support/reference.ts";

let gpu: GpuDevice;
let cpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu", isolated: true })).device;
  gpu = (await init({ device: "webgpu", isolated: true })).device as GpuDevice;
  setDefaultDevice(gpu);
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Tensors of both devices: what the collector takes is counted for all. */
const allHeld = () => held(gpu) + held(cpu);

/** A picture of random bytes, of which only some are opaque where that is asked for. */
function picture(width: number, height: number, isOpaque = true) {
  const next = generator(7 * width + height);
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    isOpaque && i % 4 === 3 ? 255 : Math.floor(256 * next()),
  );
  return new ImageData(data, width, height);
}

function drawn(image: ImageData): OffscreenCanvas {
  const canvas = new OffscreenCanvas(image.width, image.height);
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

/** An element of the page with the picture of a canvas. */
async function imageOf(canvas: OffscreenCanvas): Promise<HTMLImageElement> {
  const image = new Image();
  image.src = URL.createObjectURL(await canvas.convertToBlob());
  await image.decode();
  return image;
}

function pageCanvas(image: ImageData): HTMLCanvasElement {
  const canvas = Object.assign(document.createElement("canvas"), {
    width: image.width,
    height: image.height,
  });
  canvas.getContext("2d")?.putImageData(image, 0, 0);
  return canvas;
}

/** A video that shows a canvas; its frames are compressed, so that values are near those. */
async function videoOf(canvas: HTMLCanvasElement): Promise<HTMLVideoElement> {
  const video = document.createElement("video");
  video.muted = true;
  video.srcObject = canvas.captureStream();
  await video.play();
  return video;
}

/** A texture of the device with the values of a picture. */
function textureOf(image: ImageData, format: GPUTextureFormat): GPUTexture {
  const { width, height } = image;
  const texture = gpu.device.createTexture({
    size: [width, height],
    format,
    usage: GPUTextureUsage.COPY_SRC | GPUTextureUsage.COPY_DST,
  });
  const data = image.data.slice();
  if (format.startsWith("bgra")) {
    for (let i = 0; i < data.length; i += 4) [data[i], data[i + 2]] = [data[i + 2], data[i]];
  }
  gpu.device.queue.writeTexture({ texture }, data, { bytesPerRow: 4 * width }, [width, height]);
  return texture;
}

const SIZES = [
  [1, 1],
  [63, 3],
  [64, 2],
  [130, 5],
] as const;

const SOURCES: Record<string, (image: ImageData) => PixelSource | Promise<PixelSource>> = {
  ImageData: (image) => image,
  OffscreenCanvas: drawn,
  canvas: pageCanvas,
  ImageBitmap: (image) => createImageBitmap(image),
  img: (image) => imageOf(drawn(image)),
  VideoFrame: (image) => new VideoFrame(drawn(image), { timestamp: 0 }),
};

describe.each(Object.keys(SOURCES))("an opaque %s has the same bits by every way", (name) => {
  test.each(SIZES)("%i × %i", async (width, height) => {
    const image = picture(width, height);
    const source = await SOURCES[name](image);
    const bytes = image.data;
    for (const channels of [3, 4] as const) {
      const expected = bytes.filter((_, i) => channels === 4 || i % 4 !== 3);
      for (const options of [{ device: gpu }, { device: cpu }, { device: gpu, keep: true }]) {
        const x = fromPixels(source, { ...options, channels });
        expect(x.shape).toEqual([height, width, channels]);
        expect(new Uint8ClampedArray(await x.data())).toEqual(expected);
        x.dispose();
      }
    }
    for (const options of [
      { channels: 1 },
      { channels: 1, dtype: "f32", layout: "CHW" },
      { channels: 3, dtype: "f32", layout: "CHW", flipY: true },
      { channels: 4, dtype: "i32", flipY: true },
    ] as const) {
      const [x, y] = [gpu, cpu].map((device) => fromPixels(source, { ...options, device }));
      expect(x.shape).toEqual(y.shape);
      expect(await x.data()).toEqual(await y.data());
    }
    if ("close" in source) source.close();
  });
});

test("what is not opaque comes with straight alpha", async () => {
  const image = picture(33, 9, false);
  for (const device of [gpu, cpu]) {
    const x = await fromPixels(image, { channels: 4, device }).data();
    expect(new Uint8ClampedArray(x)).toEqual(image.data);
    const canvas = await fromPixels(drawn(image), { channels: 4, device }).data();
    for (let i = 0; i < canvas.length; i++) {
      const alpha = image.data[i | 3];
      if (i % 4 === 3) expect(canvas[i]).toBe(alpha);
      // Canvases keep products with alpha, rounded.
      else if (alpha > 0) {
        expect(Math.abs(canvas[i] - image.data[i])).toBeLessThanOrEqual(128 / alpha + 1);
      }
    }
  }
});

test("a size is made of the same pixels", async () => {
  const canvas = drawn(picture(40, 30));
  const [x, y] = await Promise.all(
    [gpu, cpu].map((device) => fromPixels(canvas, { device, dtype: "f32", size: [12, 20] }).data()),
  );
  for (const [i, value] of y.entries()) expect(x[i]).toBeCloseTo(value, 5);
});

test("a video gives its present frame", async () => {
  const canvas = document.createElement("canvas");
  Object.assign(canvas, { width: 64, height: 48 });
  const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
  pen.fillStyle = "rgb(200, 100, 50)";
  pen.fillRect(0, 0, 64, 48);
  const video = await videoOf(canvas);
  for (const device of [gpu, cpu]) {
    const x = fromPixels(video, { device });
    expect(x.shape).toEqual([48, 64, 3]);
    const values = await x.data();
    for (const [i, value] of values.entries()) {
      expect(Math.abs(value - [200, 100, 50][i % 3])).toBeLessThan(8);
    }
  }
  expect(() => fromPixels(document.createElement("video"))).toThrow(
    "fromPixels: a video of 0 × 0 pixels; expected a video with a frame. Await its event loadeddata",
  );
});

test.each(["rgba8unorm", "bgra8unorm", "rgba8unorm-srgb", "bgra8unorm-srgb"] as const)(
  "a texture of the GPUDevice: %s",
  async (format) => {
    const image = picture(70, 3, false);
    const texture = textureOf(image, format);
    const all = await fromPixels(texture, { channels: 4 }).data();
    expect(new Uint8ClampedArray(all)).toEqual(image.data);
    const some = await fromPixels(texture).data();
    expect(new Uint8ClampedArray(some)).toEqual(image.data.filter((_, i) => i % 4 !== 3));
    expect(await fromPixels(texture, { channels: 1 }).data()).toEqual(
      await fromPixels(image, { channels: 1, device: cpu }).data(),
    );
    texture.destroy();
  },
);

test("textures with another format or usage are refused", () => {
  const { device } = gpu;
  const size = [4, 4];
  const { COPY_SRC, COPY_DST } = GPUTextureUsage;
  const floats = device.createTexture({ size, format: "rgba16float", usage: COPY_SRC });
  expect(() => fromPixels(floats)).toThrow(
    "fromPixels: a GPUTexture rgba16float of 1 samples, 2d, usage 1; expected one of rgba8unorm",
  );
  const hidden = device.createTexture({ size, format: "rgba8unorm", usage: COPY_DST });
  expect(() => fromPixels(hidden)).toThrow("and the usage COPY_SRC");
  expect(() => fromPixels(hidden, { device: cpu })).toThrow(
    "fromPixels: a GPUTexture on a cpu device; expected the device whose GPUDevice made it",
  );
  for (const texture of [floats, hidden]) texture.destroy();
});

test("sources without pixels are refused", async () => {
  const bitmap = await createImageBitmap(picture(2, 2));
  bitmap.close();
  const frame = new VideoFrame(drawn(picture(2, 2)), { timestamp: 0 });
  frame.close();
  const empty = document.createElement("canvas");
  empty.width = 0;
  for (const device of [gpu, cpu]) {
    expect(() => fromPixels(bitmap, { device })).toThrow("an ImageBitmap of 0 × 0 pixels");
    expect(() => fromPixels(frame, { device })).toThrow("a VideoFrame of 0 × 0 pixels");
    expect(() => fromPixels(new Image(), { device })).toThrow("an image of 0 × 0 pixels");
    expect(() => fromPixels(empty, { device })).toThrow(
      "fromPixels: a canvas of 0 × 150 pixels; expected at least one pixel",
    );
  }
});

const TAINTED =
  "fromPixels: a canvas with what comes from another origin; expected pixels that the page may read";

test("pictures of another origin are refused on both devices", () => {
  const canvas = drawn(picture(2, 2));
  const refuse = () => {
    throw new DOMException("tainted", "SecurityError");
  };
  vi.spyOn(gpu.device.queue, "copyExternalImageToTexture").mockImplementation(refuse);
  vi.spyOn(OffscreenCanvasRenderingContext2D.prototype, "getImageData").mockImplementation(refuse);
  for (const device of [gpu, cpu]) expect(() => fromPixels(canvas, { device })).toThrow(TAINTED);
});

test("where a browser does not take a source on the GPU, it goes by a canvas", async () => {
  const image = picture(5, 4);
  const copies = vi.spyOn(gpu.device.queue, "copyExternalImageToTexture");
  copies.mockImplementation(() => {
    throw new TypeError("not such a source");
  });
  const x = fromPixels(drawn(image), { channels: 4 });
  expect(new Uint8ClampedArray(await x.data())).toEqual(image.data);
  expect(copies).toHaveBeenCalledTimes(1);
});

test("a picture larger than a texture goes by a canvas", async () => {
  const width = gpu.device.limits.maxTextureDimension2D + 1;
  const image = picture(width, 1);
  const x = fromPixels(drawn(image), { channels: 4 });
  expect(new Uint8ClampedArray(await x.data())).toEqual(image.data);
});

test("a tensor holds one value, whatever way its picture came", async () => {
  const canvas = drawn(picture(20, 20));
  const before = allHeld();
  for (let i = 0; i < 5; i++) {
    using x = fromPixels(canvas, { dtype: "f32", layout: "CHW" });
    await x.data();
    expect(allHeld()).toBe(before + 1);
  }
  expect(allHeld()).toBe(before);
});

test("a picture is as it was at the call", async () => {
  const canvas = drawn(picture(8, 8));
  const x = fromPixels(canvas, { channels: 4 });
  canvas.getContext("2d")?.clearRect(0, 0, 8, 8);
  expect(new Uint8ClampedArray(await x.data())).toEqual(picture(8, 8).data);
});

test("pictures compute", async () => {
  const image = picture(6, 6);
  const x = fromPixels(drawn(image), { dtype: "f32" });
  const y = await add(mul(x, 2), 1).data();
  const bytes = image.data.filter((_, i) => i % 4 !== 3);
  for (const [i, byte] of bytes.entries()) expect(y[i]).toBeCloseTo(1 + (2 * byte) / 255, 5);
});

describe("what goes wrong belongs to the picture", () => {
  test("a texture without memory", async () => {
    const { device } = gpu;
    const make = device.createTexture.bind(device);
    vi.spyOn(device, "createTexture").mockImplementation((given) => {
      return make({ ...given, size: [device.limits.maxTextureDimension2D + 1, 1] });
    });
    const x = fromPixels(drawn(picture(4, 4)));
    await expect(x.data()).rejects.toThrow("fromPixels: webgpu");
    vi.restoreAllMocks();
    expect(await fromPixels(drawn(picture(4, 4)), { channels: 4 }).data()).toHaveLength(64);
  });

  test("a copy that throws", async () => {
    const before = allHeld();
    const { prototype } = GPUCommandEncoder;
    vi.spyOn(prototype, "copyTextureToBuffer").mockImplementation(() => {
      throw new RangeError("injected");
    });
    expect(() => fromPixels(drawn(picture(4, 4)))).toThrow("fromPixels: ");
    vi.restoreAllMocks();
    expect(allHeld()).toBe(before);
  });

  test("a lost device: what was kept comes back, what was not says so", async () => {
    const { device } = await init({ device: "webgpu", isolated: true });
    const own = device as GpuDevice;
    await own.guard(8); // loads what brings it back
    const canvas = drawn(picture(9, 5));
    const gone = fromPixels(canvas, { device });
    const kept = fromPixels(canvas, { device, keep: true });
    const floats = fromPixels(canvas, { device, keep: true, dtype: "f32", layout: "CHW" });
    const given = fromPixels(picture(9, 5), { device, channels: 4 });
    const before = await Promise.all([gone, kept, floats, given].map((x) => x.data()));
    own.device.destroy();
    await own.device.lost;
    await device.recovering;
    await expect(gone.data()).rejects.toThrow(/data: .*lost/);
    for (const [i, x] of [kept, floats, given].entries()) {
      expect(await x.data()).toEqual(before[i + 1]);
    }
    expect(await fromPixels(canvas, { device }).data()).toEqual(before[0]);
    device.dispose();
  });
});

describe("toCanvas", () => {
  test.each(SIZES)("puts %i × %i by a 2-D context", async (width, height) => {
    const image = picture(width, height, false);
    for (const device of [gpu, cpu]) {
      for (const options of [{}, { dtype: "f32", layout: "CHW" }] as const) {
        using x = fromPixels(image, { device, channels: 4, ...options });
        const canvas = document.createElement("canvas");
        const pen = canvas.getContext("2d") as CanvasRenderingContext2D;
        const puts = vi.spyOn(pen, "putImageData");
        await toCanvas(x, canvas, { layout: options.layout ?? "HWC" });
        expect([canvas.width, canvas.height]).toEqual([width, height]);
        expect(puts.mock.calls[0][0].data).toEqual(image.data);
        const shown = pen.getImageData(0, 0, width, height).data;
        expect(shown).toEqual(
          pageCanvas(image).getContext("2d")?.getImageData(0, 0, width, height).data,
        );
      }
    }
  });

  test("refuses a canvas with another context", async () => {
    const canvas = new OffscreenCanvas(2, 2);
    expect(canvas.getContext("webgl2")).not.toBeNull();
    await expect(toCanvas(zeros([2, 2], { device: cpu }), canvas)).rejects.toThrow(
      "toCanvas: a canvas with another context; expected one with 2d, or with none yet",
    );
  });
});

test("toPixels gives what ImageData takes, and fromPixels takes back", async () => {
  const image = picture(7, 5, false);
  const { data, width, height } = await toPixels(fromPixels(image, { channels: 4 }));
  expect(new ImageData(data, width, height).data).toEqual(image.data);
});
