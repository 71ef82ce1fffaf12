/** Draws pictures on canvases of WebGPU, and gives what these show, in a page. */
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import { init, setDefaultDevice, zeros } from "../../src/index.ts";
import { fromPixels, toCanvas } from "../../src/pictures/index.ts";
import { held } from "./memory.ts";
import { generator } from "./reference.ts";

/** What a canvas was given and what it shows, as plain arrays. */
export interface Shown {
  readonly given: readonly number[];
  readonly shown: readonly number[];
  readonly reads: number;
  readonly held: number;
}

function picture(width: number, height: number, isOpaque: boolean): ImageData {
  const next = generator(width + height);
  const data = Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) =>
    isOpaque && i % 4 === 3 ? 255 : Math.floor(256 * next()),
  );
  return new ImageData(data, width, height);
}

/** The pixels that a canvas shows. */
function pixelsOf(canvas: HTMLCanvasElement | OffscreenCanvas): Uint8ClampedArray {
  const { width, height } = canvas;
  const pen = new OffscreenCanvas(width, height).getContext("2d");
  pen?.drawImage(canvas, 0, 0);
  return pen?.getImageData(0, 0, width, height).data as Uint8ClampedArray;
}

let device: Promise<GpuDevice> | null = null;

/** The device of all canvases of the page. */
function gpu(): Promise<GpuDevice> {
  device ??= init({ device: "webgpu", isolated: true }).then((choice) => {
    setDefaultDevice(choice.device);
    return choice.device as GpuDevice;
  });
  return device;
}

/** Draws pictures of some widths on one canvas, the last of them not opaque where that is said. */
export async function draw(
  kind: "page" | "offscreen",
  widths: readonly number[],
  isOpaque: boolean,
  options: { readonly dtype?: "f32"; readonly layout?: "CHW"; readonly isNew?: boolean },
): Promise<Shown[]> {
  const own = await gpu();
  const { isNew, ...form } = options;
  const canvas = kind === "page" ? document.createElement("canvas") : new OffscreenCanvas(1, 1);
  if (!isNew) canvas.getContext("webgpu");
  const all: Shown[] = [];
  for (const width of widths) {
    const image = picture(width, 4, isOpaque);
    const x = fromPixels(image, { channels: isOpaque ? 3 : 4, ...form });
    const mark = own.counters.now;
    const layout = form.layout ?? "HWC";
    await toCanvas(x, canvas, { layout, ...(isNew && { context: "webgpu" }) });
    const { reads } = own.counters.since(mark);
    const shown = [...pixelsOf(canvas)];
    x.dispose();
    all.push({ given: [...image.data], shown, reads, held: held(own) });
  }
  return all;
}

/** What comes of a canvas whose commands go wrong, and of the next one. */
export async function failures(): Promise<string[]> {
  const own = await gpu();
  const canvas = new OffscreenCanvas(4, 4);
  const texts: string[] = [];
  const attempt = async (options: object = { context: "webgpu" }) => {
    const x = zeros([4, 4]);
    texts.push(await toCanvas(x, canvas, options).then(() => "drawn", String));
    x.dispose();
  };
  await attempt();
  const broken = async (target: object, name: string, fake: () => unknown) => {
    const methods = target as Record<string, unknown>;
    const real = methods[name];
    methods[name] = fake;
    await attempt();
    methods[name] = real;
    await attempt();
  };
  await broken(GPUCommandEncoder.prototype, "copyBufferToTexture", () => {
    throw new RangeError("injected");
  });
  await broken(GPUCanvasContext.prototype, "configure", () => {
    throw new TypeError("injected");
  });
  // A texture of another format is one that the device refuses.
  const other = own.device.createTexture({ size: [1, 1], format: "rgba8unorm", usage: 2 });
  await broken(GPUCanvasContext.prototype, "getCurrentTexture", () => other);
  await attempt({ context: "2d" });
  return texts;
}
