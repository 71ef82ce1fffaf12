import { asOption, didYouMean, GO_ON } from "./advice.ts";
import { DeviceError, GradusError, ShapeError } from "./errors.ts";
import { isPlainObject } from "./kind.ts";
import { describeValue } from "./quote.ts";

export { didYouMean } from "./advice.ts";
export { describeValue } from "./quote.ts";

/** Options by name. */
type NumberOptions = Readonly<Record<string, number>>;

/** Throws a `DeviceError`, as `op`, unless a device has made as many steps as it was asked for. */
export function checkMade(op: string, made: number, asked: number): void {
  if (made === asked) return;
  throw new DeviceError(
    `${op}: the device is at step ${made}, the run at step ${asked}; expected the same${GO_ON}`,
  );
}

/**
 * Throws a `GradusError`, or another `Kind` of it, for the first option of which a rule does not hold.
 * @param expected the rule as messages say it, such as `an integer from 1`.
 */
export function checkEach(
  op: string,
  options: Readonly<Record<string, unknown>>,
  holds: (value: unknown) => boolean,
  expected: string,
  Kind: new (message: string) => GradusError = GradusError,
): void {
  for (const name in options) {
    if (holds(options[name])) continue;
    throw new Kind(`${op}: ${name} ${describeValue(options[name])}; expected ${expected}`);
  }
}

/** Throws a `GradusError` unless options are numbers, NaN and infinities among them. */
export function checkNumbers(op: string, options: NumberOptions): void {
  checkEach(op, options, (x) => typeof x === "number", "a number");
}

/** Throws a `GradusError` unless options are finite numbers. */
export function checkFinite(op: string, options: NumberOptions): void {
  checkEach(op, options, Number.isFinite, "a finite number");
}

/** Throws a `GradusError` unless options are integers. */
export function checkIntegers(op: string, options: NumberOptions): void {
  checkEach(op, options, Number.isSafeInteger, "an integer");
}

/** Throws a `GradusError` unless options are finite numbers from 0. */
export function checkNotNegative(op: string, options: NumberOptions): void {
  const holds = (x: unknown) => Number.isFinite(x) && (x as number) >= 0;
  checkEach(op, options, holds, "a finite number from 0");
}

/** Throws a `GradusError` unless options are finite numbers above 0. */
export function checkPositive(op: string, options: NumberOptions): void {
  const holds = (x: unknown) => Number.isFinite(x) && (x as number) > 0;
  checkEach(op, options, holds, "a finite number above 0");
}

/** Throws a `GradusError` unless the weights of averages' pasts lie in [0, 1). */
export function checkDecay(op: string, options: NumberOptions): void {
  const holds = (x: unknown) => typeof x === "number" && x >= 0 && x < 1;
  checkEach(op, options, holds, "a number from 0 and below 1");
}

/** Says whether a value is an integer from `low` to `high`. */
export function isInteger(
  x: unknown,
  low: number,
  high: number = Number.MAX_SAFE_INTEGER,
): x is number {
  return Number.isSafeInteger(x) && (x as number) >= low && (x as number) <= high;
}

/** Throws a `GradusError` unless counts are integers from 0. */
export function checkCounts(op: string, options: NumberOptions): void {
  checkEach(op, options, (x) => isInteger(x, 0), "an integer from 0");
}

/** Throws a `GradusError` unless numbers of steps or threads are integers from 1. */
export function checkSteps(op: string, options: NumberOptions): void {
  checkEach(op, options, (x) => isInteger(x, 1), "an integer from 1");
}

/** Throws a `ShapeError` unless sizes are integers from 1. */
export function checkSizes(op: string, sizes: NumberOptions): void {
  checkEach(op, sizes, (x) => isInteger(x, 1), "a positive integer", ShapeError);
}

/** Throws a `GradusError` where a function gave a promise of its result instead of the result. */
export function checkSynchronous(op: string, result: unknown): void {
  if (typeof (result as PromiseLike<unknown> | null | undefined)?.then !== "function") return;
  Promise.resolve(result).catch(() => {}); // what went wrong in it follows from being called here
  throw new GradusError(`${op}: fn returned a promise; expected a synchronous function`);
}

/**
 * The names of options. The type asks for each of `Options`; `"number"`, `"boolean"` and `"string"`
 * say that a bare value of that kind, given in place of the options, is meant for this name, and
 * `"boolean"` that it takes no other: the text "false" would count as true.
 */
export type Known<Options extends object> = Readonly<
  Record<keyof Required<Options>, true | "number" | "boolean" | "string">
>;

/**
 * Throws a `GradusError` unless options are an object with no other names than the known ones, and
 * unless nothing was given after them.
 * @param surplus what a rest parameter `...surplus: never[]` collected.
 * @example checkOptions("sum", options, { axis: "number", keepDims: "boolean" }, surplus);
 */
export function checkOptions<Options extends object>(
  op: string,
  options: Options,
  known: Known<Options>,
  surplus: readonly unknown[] = [],
): void {
  const names = () => Object.keys(known);
  const notObject = (advice: string) =>
    new GradusError(
      `${op}: options ${describeValue(options)}; expected an object of ${names().join(", ")}${advice}`,
    );
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw notObject(asOption(options, known));
  }
  for (const name of Object.keys(options) as (keyof Options & string)[]) {
    const value = options[name];
    if (!Object.hasOwn(known, name)) {
      throw isPlainObject(options) ? unknownOption(op, name, names()) : notObject("");
    }
    if (known[name] !== "boolean" || value === undefined) continue;
    checkEach(op, { [name]: value }, (x) => typeof x === "boolean", "true or false");
  }
  if (surplus.length > 0) {
    throw new GradusError(
      `${op}: ${describeValue(surplus[0])} after the options; expected nothing there`,
    );
  }
}

function unknownOption(op: string, name: string, names: readonly string[]): GradusError {
  const expected = names.join(", ") || "none";
  return new GradusError(
    `${op}: unknown option ${describeValue(name)}; expected ${expected}${didYouMean(name, names)}`,
  );
}

/** Throws a `GradusError` unless options are among the words that they may be. */
export function checkWords(
  op: string,
  options: Readonly<Record<string, unknown>>,
  words: readonly string[],
): void {
  for (const [name, given] of Object.entries(options)) {
    if (words.includes(given as string)) continue;
    const text = typeof given === "string" ? given.slice(0, 80) : describeValue(given);
    const advice = didYouMean(String(given), words);
    throw new GradusError(`${op}: ${name} ${text}; expected ${words.join(", ")}${advice}`);
  }
}

/**
 * Throws a `GradusError` if more was given than a function takes.
 * @param call how it is called, such as `clip(x, low, high)`.
 * @param surplus what a rest parameter `...surplus: never[]` collected.
 */
export function checkSurplus(call: string, surplus: readonly unknown[]): void {
  if (surplus.length === 0) return;
  const op = call.slice(0, call.indexOf("("));
  throw new GradusError(`${op}: ${describeValue(surplus[0])} too much; expected ${call}`);
}

/**
 * Throws a `GradusError` for the first argument that is not what it must be.
 * @param expected what that is, such as `a function`.
 */
export function checkKinds(
  op: string,
  given: Readonly<Record<string, unknown>>,
  holds: (value: unknown) => boolean,
  expected: string,
): void {
  for (const name in given) {
    if (holds(given[name])) continue;
    throw new GradusError(`${op}: ${name} is ${describeValue(given[name])}; expected ${expected}`);
  }
}

/** Throws a `GradusError` unless arguments are functions. */
export function checkFunctions(op: string, given: Readonly<Record<string, unknown>>): void {
  checkKinds(op, given, (x) => typeof x === "function", "a function");
}
