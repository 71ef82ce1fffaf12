import { FormatError, GradusError } from "../core/errors.ts";
import { shorten } from "../core/quote.ts";

/** The key of what stands for a number that JSON lacks. */
const NUMBER = "$number";

const NUMBERS = ["NaN", "Infinity", "-Infinity", "-0"];

/**
 * Writes plain values as JSON, in which NaN, infinities and −0 stay what they are.
 * @throws GradusError, as `op`, for what JSON cannot hold, such as cycles.
 */
export function encodeValues(op: string, values: unknown): string {
  try {
    return JSON.stringify(values, (_, value: unknown) => {
      if (typeof value !== "number") return value;
      if (Object.is(value, -0)) return { [NUMBER]: "-0" };
      return Number.isFinite(value) ? value : { [NUMBER]: `${value}` };
    });
  } catch (error) {
    throw new GradusError(`${op}: ${reason(error)}; expected what JSON can hold`);
  }
}

/** Reads what `encodeValues` wrote, and other JSON; throws a `FormatError`, as `op`, for other text. */
export function decodeValues(op: string, text: string | undefined): unknown {
  try {
    const holder = [JSON.parse(text ?? "")];
    restoreNumbers(holder);
    return holder[0];
  } catch (error) {
    throw new FormatError(`${op}: ${reason(error)}; expected JSON`);
  }
}

/** Puts numbers where they are written as objects, in place; a function for `JSON.parse` is slower. */
function restoreNumbers(root: object): void {
  const open = [root as Record<string | number, unknown>];
  for (let item = open.pop(); item !== undefined; item = open.pop()) {
    for (const key of Array.isArray(item) ? item.keys() : Object.keys(item)) {
      const value = item[key];
      if (typeof value !== "object" || value === null) continue;
      if (isNumber(value)) item[key] = Number(value[NUMBER]);
      else open.push(value as Record<string | number, unknown>);
    }
  }
}

function isNumber(value: object): value is Record<typeof NUMBER, string> {
  return NUMBERS.includes((value as Record<string, unknown>)[NUMBER] as string);
}

/** What the engine says, in one line: too deep a nesting is an error of the stack's. */
function reason(error: unknown): string {
  if (error instanceof RangeError) return "values nested too deeply";
  return shorten((error as Error).message.split("\n")[0], 300);
}
