import { type ParseArgsConfig, parseArgs } from "node:util";
import { didYouMean } from "../../src/core/check.ts";

/** What was asked for cannot be had; told to the user in one line. */
export class UsageError extends Error {}

type Known = NonNullable<ParseArgsConfig["options"]>;
type Values<T extends Known> = ReturnType<typeof parseArgs<{ options: T }>>["values"];

/** Reads options; throws a `UsageError` for what is none, and for one without its value. */
export function parse<const T extends Known>(args: string[], options: T): Values<T> {
  // What is wrong is told here: the parser's own messages take several lines.
  const { values, tokens } = parseArgs({ args, options, strict: false, tokens: true });
  for (const token of tokens) {
    if (token.kind === "positional") {
      throw new UsageError(`${shown(token.value)}: no option; expected ${all(options)}`);
    }
    if (token.kind === "option") checkOption(token, options);
  }
  return values as Values<T>;
}

type OptionToken = { name: string; rawName: string; value?: string; inlineValue?: boolean };

function checkOption({ name, rawName, value, inlineValue }: OptionToken, options: Known): void {
  if (!Object.hasOwn(options, name)) {
    const given = `${shown(rawName)}: no option; expected ${all(options)}`;
    throw new UsageError(given + adviceFor(name, Object.keys(options)));
  }
  if (options[name].type === "boolean") {
    if (value === undefined) return;
    throw new UsageError(`--${name}: ${shown(value)}; expected no value`);
  }
  const isNext = value?.startsWith("--") && !inlineValue;
  if (value === undefined || isNext) {
    throw new UsageError(`--${name}: no value; expected one, as in --${name}=VALUE`);
  }
}

/** Advice as the library gives it, which knows other words for its options. */
function adviceFor(given: string, names: readonly string[]): string {
  const inCode = (name: string) => name.replace(/-(.)/g, (_, letter) => letter.toUpperCase());
  const asOption = (name: string) => name.replace(/[A-Z]/g, (c) => `-${c.toLowerCase()}`);
  const advice = didYouMean(inCode(given), names.map(inCode));
  return advice.replace(/"(\w+)"/g, (_, name) => `--${asOption(name)}`);
}

function all(options: Known): string {
  return oneOf(Object.keys(options).map((name) => `--${name}`));
}

function oneOf(names: readonly string[]): string {
  return `${names.slice(0, -1).join(", ")} or ${names.at(-1)}`;
}

/** A text as a message shows it: in one line, without control characters, cut where it is long. */
export function shown(text: string): string {
  const cut = text.length > 80 ? `${text.slice(0, 79)}…` : text;
  const hidden = /[\p{C}\p{Zl}\p{Zp}]/gu;
  return cut.replace(hidden, (c) => `\\u{${c.codePointAt(0)?.toString(16)}}`) || '""';
}

/** An option with a value, which is `value` when it is left out. */
export function text<const T extends string>(value: T) {
  return { type: "string", default: value } as const;
}

/** An option without a value. */
export const flag = { type: "boolean", default: false } as const;

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Reads an integer from `low` to `high`, or any number there. */
export function readNumber(
  name: string,
  given: string,
  [low, high]: readonly [low: number, high: number],
  whole = true,
): number {
  const value = DECIMAL.test(given.trim()) ? Number(given) : Number.NaN;
  if (value >= low && value <= high && (!whole || Number.isInteger(value))) return value || 0;
  const kind = whole ? "an integer" : "a number";
  throw new UsageError(`--${name}: ${shown(given)}; expected ${kind} from ${low} to ${high}`);
}

/** Reads one of some names. */
export function readChoice<const T extends string>(
  name: string,
  given: string,
  choices: readonly T[],
): T {
  const found = choices.find((choice) => choice === given);
  if (found !== undefined) return found;
  throw new UsageError(`--${name}: ${shown(given)}; expected ${oneOf(choices)}`);
}

/** Reads the name of a device. */
export function readDevice(name: string): "auto" | "webgpu" | "cpu" {
  return readChoice("device", name, ["auto", "webgpu", "cpu"]);
}

/** Reads the name of a file or a folder. */
export function readPath(name: string, given: string): string {
  if (given !== "") return given;
  throw new UsageError(`--${name}: ""; expected a name`);
}
