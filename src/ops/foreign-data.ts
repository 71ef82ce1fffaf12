import { describeValue } from "../core/check.ts";
import { DTypeError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";

const PIXELS = 'getContext("2d").getImageData(0, 0, width, height)';

/** How to get numbers out of what is none, by kinds of objects. */
const ADVICE: readonly (readonly [RegExp, string])[] = [
  [/^ImageData$/, "Use tensor(image.data, { shape: [image.height, image.width, 4] }), bytes as u8"],
  [/Context2D$/, "Use its getImageData(0, 0, width, height)"],
  [/Canvas/, `Use its ${PIXELS}`],
  [/Image|Video/, `Draw it to a canvas and use its ${PIXELS}`],
  [/Buffer$/, "Use a typed array of its numbers, such as new Float32Array(buffer)"],
  [/^(Blob|File|Response)$/, "Await its arrayBuffer() and use a typed array of it"],
  [/^Promise$/, "Await it first"],
  [/^(Set|Map)$/, "Use [...data.values()]"],
  [/^(String|BigInt)$/, "Use Number(value)"],
];

/** The error for data of which no tensor can be made, with what to use. */
export function foreignData(data: unknown): DTypeError {
  const kind = kindOf(data);
  const isBuiltIn = typeof data === "object" && data !== null && kind !== "Object";
  const given = isBuiltIn ? kind : describeValue(data);
  const advice = ADVICE.find(([kinds]) => kinds.test(kind));
  return new DTypeError(
    `tensor: data is ${given}; expected numbers, booleans, nested arrays of them or a typed array` +
      (advice ? `. ${advice[1]}` : ""),
  );
}
