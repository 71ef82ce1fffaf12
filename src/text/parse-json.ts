import { FormatError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";

/** Reads JSON; throws a `FormatError`, as `op`, for other texts. */
export function parseJson(op: string, text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new FormatError(`${op}: ${quote(text)}; expected JSON`, { cause: error });
  }
}
