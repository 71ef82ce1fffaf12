import { FormatError } from "../core/errors.ts";

/** The key of what stands for a number that JSON lacks. */
const NUMBER = "$number";

const NUMBERS = ["NaN", "Infinity", "-Infinity", "-0"];

/** Writes plain values as JSON, in which NaN, infinities and −0 stay what they are. */
export function encodeValues(values: unknown): string {
  return JSON.stringify(values, (_, value: unknown) => {
    if (typeof value !== "number") return value;
    if (Object.is(value, -0)) return { [NUMBER]: "-0" };
    return Number.isFinite(value) ? value : { [NUMBER]: `${value}` };
  });
}

/** Reads what `encodeValues` wrote, and other JSON; throws a `FormatError`, as `op`, for other text. */
export function decodeValues(op: string, text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? "", (_, value: unknown) => {
      if (typeof value !== "object" || value === null || !Object.hasOwn(value, NUMBER))
        return value;
      const text = (value as Record<string, unknown>)[NUMBER];
      return NUMBERS.includes(text as string) ? Number(text) : value;
    });
  } catch (error) {
    throw new FormatError(`${op}: ${(error as Error).message.slice(0, 200)}; expected JSON`);
  }
}
