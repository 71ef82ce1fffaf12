import { type ParseArgsConfig, parseArgs } from "node:util";

/** Wrong arguments, told to the user in one line. */
export class UsageError extends Error {}

/** Reads options such as `--seed 3` by their descriptions, as `parseArgs` does. */
export function parseOptions<T extends NonNullable<ParseArgsConfig["options"]>>(
  args: string[],
  options: T,
) {
  try {
    return parseArgs({ args, options }).values;
  } catch (error) {
    throw new UsageError((error as Error).message.split(". ")[0]);
  }
}

/** Describes an option that takes a text. */
export function text(value: string) {
  return { type: "string", default: value } as const;
}

/** Reads a number of an option, an integer unless told otherwise. */
export function numberOf(
  values: Readonly<Record<string, unknown>>,
  name: string,
  [low, high]: readonly [number, number],
  whole = true,
): number {
  const given = String(values[name]);
  const value = given.trim() === "" ? Number.NaN : Number(given);
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? "an integer" : "a number";
  throw new UsageError(`--${name}: ${given}; expected ${kind} from ${low} to ${high}`);
}

/** Reads an option that is one of some names. */
export function choiceOf<T extends string>(
  values: Readonly<Record<string, unknown>>,
  name: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === values[name]);
  if (found !== undefined) return found;
  const all = `${choices.slice(0, -1).join(", ")} or ${choices.at(-1)}`;
  throw new UsageError(`--${name}: ${values[name]}; expected ${all}`);
}
