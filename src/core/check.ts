import { GradusError, ShapeError } from "./errors.ts";
import { isPlainObject } from "./kind.ts";
import { meantBy, plainName } from "./synonyms.ts";

/** Options by name. */
type Numbers = Readonly<Record<string, number>>;

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
  for (const [name, value] of Object.entries(options)) {
    if (holds(value)) continue;
    throw new Kind(`${op}: ${name} ${describeValue(value)}; expected ${expected}`);
  }
}

/** Throws a `GradusError` unless options are numbers, NaN and infinities among them. */
export function checkNumbers(op: string, options: Numbers): void {
  checkEach(op, options, (x) => typeof x === "number", "a number");
}

/** Throws a `GradusError` unless options are finite numbers. */
export function checkFinite(op: string, options: Numbers): void {
  checkEach(op, options, Number.isFinite, "a finite number");
}

/** Throws a `GradusError` unless options are integers. */
export function checkIntegers(op: string, options: Numbers): void {
  checkEach(op, options, Number.isSafeInteger, "an integer");
}

/** Throws a `GradusError` unless options are finite numbers from 0. */
export function checkNotNegative(op: string, options: Numbers): void {
  const holds = (x: unknown) => Number.isFinite(x) && (x as number) >= 0;
  checkEach(op, options, holds, "a finite number from 0");
}

/** Throws a `GradusError` unless options are finite numbers above 0. */
export function checkPositive(op: string, options: Numbers): void {
  const holds = (x: unknown) => Number.isFinite(x) && (x as number) > 0;
  checkEach(op, options, holds, "a finite number above 0");
}

/** Throws a `GradusError` unless the weights of averages' pasts lie in [0, 1). */
export function checkDecay(op: string, options: Numbers): void {
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
export function checkCounts(op: string, options: Numbers): void {
  checkEach(op, options, (x) => isInteger(x, 0), "an integer from 0");
}

/** Throws a `GradusError` unless numbers of steps are integers from 1. */
export function checkSteps(op: string, options: Numbers): void {
  checkEach(op, options, (x) => isInteger(x, 1), "an integer from 1");
}

/** Throws a `ShapeError` unless sizes are integers from 1. */
export function checkSizes(op: string, sizes: Numbers): void {
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
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    throw new GradusError(
      `${op}: options ${describeValue(options)}; expected an object of ` +
        `${Object.keys(known).join(", ")}${meantFor(options, known)}`,
    );
  }
  for (const name of Object.keys(options)) {
    if (!Object.hasOwn(known, name)) throw unknownOption(op, name, options, Object.keys(known));
    const value = options[name as keyof Options];
    if (known[name as keyof Options] !== "boolean" || value === undefined) continue;
    checkEach(op, { [name]: value }, (x) => typeof x === "boolean", "true or false");
  }
  if (surplus.length > 0) {
    throw new GradusError(
      `${op}: ${describeValue(surplus[0])} after the options; expected nothing there`,
    );
  }
}

/** Advice to write a bare value as an option, where one of its kind is known. */
function meantFor(value: unknown, known: Readonly<Record<string, unknown>>): string {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const kind = typeof items[0];
  const name = Object.keys(known).find((key) => known[key] === kind);
  if (!name || items.length > 8 || items.some((item) => typeof item !== kind)) return "";
  const text = items.map(describeValue).join(", ");
  return `. Did you mean { ${name}: ${Array.isArray(value) ? `[${text}]` : text} }?`;
}

function unknownOption(op: string, name: string, options: object, names: string[]): GradusError {
  if (!isPlainObject(options)) {
    const given = `options ${describeValue(options)}`;
    return new GradusError(`${op}: ${given}; expected an object of ${names.join(", ")}`);
  }
  const expected = names.length > 0 ? names.join(", ") : "none";
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

/** Throws a `GradusError` unless arguments are functions. */
export function checkFunctions(op: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") continue;
    throw new GradusError(`${op}: ${name} is ${describeValue(value)}; expected a function`);
  }
}

/** Says in few words what a value is, for messages: `0.5`, `"sum"`, `null`, `an array`, `a Tensor`. */
export function describeValue(value: unknown): string {
  if (typeof value === "string") {
    return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}…` : value);
  }
  if (Array.isArray(value)) return "an array";
  if (typeof value === "function") return "a function";
  if (typeof value !== "object" || value === null) return String(value).slice(0, 80);
  const name = String(value.constructor?.name || "Object").slice(0, 80);
  if (name === "Object") return "an object";
  return /^[AEIO]/.test(name) ? `an ${name}` : `a ${name}`;
}

/** Advice that names what an unknown name may stand for, `. Did you mean "axis"?`, or nothing. */
export function didYouMean(given: string, names: readonly string[]): string {
  const meant = nearestNames(given, names).map((name) => JSON.stringify(name));
  return meant.length > 0 ? `. Did you mean ${meant.join(" and ")}?` : "";
}

/** The names that another library's name stands for, else the one most like it, if one is. */
function nearestNames(given: string, names: readonly string[]): string[] {
  const wanted = plainName(given.slice(0, 80));
  const meant = meantBy(wanted, names);
  if (meant.length > 0) return meant;
  const distances = names.map((name) => ({
    name,
    distance: editDistance(wanted, plainName(name)),
  }));
  const [best] = distances.sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, wanted.length / 3) ? [best.name] : [];
}

/**
 * How many letters must be put in, left out, replaced or swapped with the next to make one text of
 * another. Source: Damerau 1964, "A technique for computer detection and correction of spelling
 * errors", in the form in which no letter changes twice.
 */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, rows[i - 1][j] + 1, row[j - 1] + 1));
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}
