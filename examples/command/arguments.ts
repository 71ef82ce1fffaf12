import { type ParseArgsConfig, parseArgs } from "node:util";

/** Wrong arguments, told to the user in one line. */
export class UsageError extends Error {}

/** Reads options; throws a `UsageError` for those that there are not. */
export function parse<const T extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: T,
) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
}

/** An option with a value, which is `value` when it is left out. */
export function text<const T extends string>(value: T) {
  return { type: "string", default: value } as const;
}

/** An option without a value. */
export const flag = { type: "boolean", default: false } as const;

/** Reads an integer from `low` to `high`, or any number there. */
export function readNumber(
  name: string,
  given: string,
  [low, high]: readonly [low: number, high: number],
  whole = true,
): number {
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "an integer" : "a number";
  throw new UsageError(`--${name}: ${given}; expected ${kind} from ${low} to ${high}`);
}

/** Reads one of some names. */
export function readChoice<const T extends string>(
  name: string,
  given: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return found;
  const all = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
  throw new UsageError(`--${name}: ${given}; expected ${all}`);
}

/** Reads the name of a device. */
export function readDevice(name: string): "auto" | "webgpu" | "cpu" {
  return readChoice("device", name, ["auto", "webgpu", "cpu"]);
}
