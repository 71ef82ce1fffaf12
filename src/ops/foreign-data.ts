import { describeValue } from "../core/check.ts";
import { DTypeError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";

const PIXELS = 'getContext("2d").getImageData(0, 0, width, height)';
const DRAW = `Draw it to a canvas and use its ${PIXELS}`;
const BYTES = "Use a typed array of its numbers, such as new Float32Array(buffer)";

/** How to get numbers out of what is none. */
const ADVICE: Readonly<Record<string, string>> = {
  ImageData: "Use tensor(image.data, { shape: [image.height, image.width, 4] }), bytes as u8",
  HTMLCanvasElement: `Use its ${PIXELS}`,
  OffscreenCanvas: `Use its ${PIXELS}`,
  CanvasRenderingContext2D: "Use its getImageData(0, 0, width, height)",
  OffscreenCanvasRenderingContext2D: "Use its getImageData(0, 0, width, height)",
  HTMLImageElement: DRAW,
  HTMLVideoElement: DRAW,
  ImageBitmap: DRAW,
  VideoFrame: DRAW,
  ArrayBuffer: BYTES,
  SharedArrayBuffer: BYTES,
  Blob: "Await its arrayBuffer() and use a typed array of it",
  File: "Await its arrayBuffer() and use a typed array of it",
  Response: "Await its arrayBuffer() and use a typed array of it",
  Promise: "Await it first",
  Set: "Use [...set]",
  Map: "Use [...map.values()]",
  String: "Use Number(text), or a reader such as readCsv",
  BigInt: "Use Number(value)",
};

/** The error for data of which no tensor can be made, with what to use. */
export function foreignData(data: unknown): DTypeError {
  const kind = kindOf(data);
  const given = typeof data === "object" && data !== null && kind !== "Object" ? a(kind) : null;
  const advice = Object.hasOwn(ADVICE, kind) ? `. ${ADVICE[kind]}` : "";
  return new DTypeError(
    `tensor: data is ${given ?? describeValue(data)}; expected numbers, booleans, nested arrays of ` +
      `them or a typed array${advice}`,
  );
}

function a(kind: string): string {
  return /^([AEIOU]|HTML)/.test(kind) ? `an ${kind}` : `a ${kind}`;
}
