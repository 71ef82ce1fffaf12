import { beforeAll, expect, test } from "vitest";
import { DTypeError, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

const USE = "Use fromPixels(source) of gradus/pictures";

test("tensor names what to use for canvases, images, videos and pixels, and takes the pixels", async () => {
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [2, 1];
  const context = canvas.getContext("2d") as CanvasRenderingContext2D;
  context.fillStyle = "rgb(1, 2, 3)";
  context.fillRect(0, 0, 2, 1);
  const pixels = context.getImageData(0, 0, 2, 1);
  const advice: [unknown, string, string][] = [
    [canvas, "HTMLCanvasElement", USE],
    [new OffscreenCanvas(1, 1), "OffscreenCanvas", USE],
    [context, "CanvasRenderingContext2D", "Use fromPixels(context.canvas) of gradus/pictures"],
    [new Image(), "HTMLImageElement", USE],
    [document.createElement("video"), "HTMLVideoElement", USE],
    [await createImageBitmap(canvas), "ImageBitmap", USE],
    [pixels, "ImageData", USE],
  ];
  for (const [data, kind, use] of advice) {
    const rule = "expected numbers, booleans, nested arrays of them or a typed array";
    const says = `tensor: data is ${kind}; ${rule}. ${use}`;
    expect(() => tensor(data as never)).toThrow(new DTypeError(says));
  }
  using x = tensor(pixels.data, { shape: [pixels.height, pixels.width, 4] });
  expect(await x.toArray()).toEqual([
    [
      [1, 2, 3, 255],
      [1, 2, 3, 255],
    ],
  ]);
});

test("tensor takes arrays of an iframe", async () => {
  const frame = document.body.appendChild(document.createElement("iframe"));
  const { Float32Array: Other, Array: List } = frame.contentWindow as unknown as typeof globalThis;
  using x = tensor(Other.of(1, 2));
  using y = tensor(List.of(3, 4));
  expect([await x.toArray(), await y.toArray()]).toEqual([
    [1, 2],
    [3, 4],
  ]);
});
