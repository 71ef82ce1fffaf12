import { FormatError } from "../core/errors.ts";

/** The key of what stands for a number that JSON lacks. */
const NUMBER = "$number";

/** Writes plain values as JSON, in which NaN and infinities stay what they are. */
export function encodeValues(values: unknown): string {
  return JSON.stringify(values, (_, value: unknown) => {
    return typeof value === "number" && !Number.isFinite(value) ? { [NUMBER]: `${value}` } : value;
  });
}

/** Reads what `encodeValues` wrote, and other JSON; throws a `FormatError`, as `op`, for other text. */
export function decodeValues(op: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "", (_, value: unknown) => {
      const isNumber = typeof value === "object" && value !== null && NUMBER in value;
      return isNumber ? Number(value[NUMBER]) : value;
    });
  } catch (error) {
    throw new FormatError(`${op}: ${(error as Error).message}; expected JSON`);
  }
}
