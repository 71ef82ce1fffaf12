import { numbersOf } from "../core/advice.ts";
import { describeValue } from "../core/check.ts";
import { DTypeError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";

/** The error for data of which no tensor can be made, with what to use. */
export function foreignData(data: unknown): DTypeError {
  const kind = kindOf(data);
  const isBuiltIn = typeof data === "object" && data !== null && kind !== "Object";
  const given = isBuiltIn ? kind : describeValue(data);
  return new DTypeError(
    `tensor: data is ${given}; expected numbers, booleans, nested arrays of them or a typed array` +
      numbersOf(data),
  );
}
