import { GradusError, ShapeError } from "./errors.ts";

/** Options by name. */
type Numbers = Readonly<Record<string, number>>;

/** Throws a `GradusError` unless options are finite numbers from 0. */
export function checkNotNegative(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (Number.isFinite(x) && x >= 0) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected a finite number from 0`);
  }
}

/** Throws a `GradusError` unless options are finite numbers above 0. */
export function checkPositive(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (Number.isFinite(x) && x > 0) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected a finite number above 0`);
  }
}

/** Throws a `GradusError` unless the weights of averages' pasts lie in [0, 1). */
export function checkDecay(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (x >= 0 && x < 1) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected a number from 0 and below 1`);
  }
}

/** Throws a `GradusError` unless numbers of steps are integers from 1. */
export function checkSteps(op: string, options: Numbers): void {
  for (const [name, x] of Object.entries(options)) {
    if (Number.isSafeInteger(x) && x >= 1) continue;
    throw new GradusError(`${op}: ${name} ${x}; expected an integer from 1`);
  }
}

/** Throws a `ShapeError` unless sizes are integers from 1. */
export function checkSizes(op: string, sizes: Numbers): void {
  for (const [name, x] of Object.entries(sizes)) {
    if (Number.isSafeInteger(x) && x > 0) continue;
    throw new ShapeError(`${op}: ${name} ${x}; expected a positive integer`);
  }
}

/**
 * Throws a `GradusError` unless options are an object with no other names than the known ones. The
 * table of known names is total: a type asks for each of `Options`.
 * @example checkOptions<ReduceOptions>("sum", options, { axis: true, keepDims: true });
 */
export function checkOptions<Options extends object>(
  op: string,
  options: Options,
  known: Readonly<Record<keyof Required<Options>, true>>,
): void {
  const names = Object.keys(known);
  if (typeof options !== "object" || options === null || Array.isArray(options)) {
    const given = Array.isArray(options) ? "an array" : String(options);
    throw new GradusError(`${op}: options ${given}; expected an object of ${names.join(", ")}`);
  }
  for (const name of Object.keys(options)) {
    if (Object.hasOwn(known, name)) continue;
    const near = nearestName(name, names);
    throw new GradusError(
      `${op}: unknown option "${name.slice(0, 80)}"; expected ${names.join(", ")}` +
        (near ? `. Did you mean "${near}"?` : ""),
    );
  }
}

/** The name most like a given one, if any is so alike that it may have been meant. */
export function nearestName(given: string, names: readonly string[]): string | undefined {
  const plain = (name: string) => name.toLowerCase().replace(/[^a-z0-9]/g, "");
  const wanted = plain(given.slice(0, 80));
  const distances = names.map((name) => ({ name, distance: editDistance(wanted, plain(name)) }));
  distances.sort((a, b) => a.distance - b.distance);
  const [best] = distances;
  return best && best.distance <= Math.max(1, wanted.length / 3) ? best.name : undefined;
}

/** How many letters must be put in, left out or replaced to make one text of another. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      next.push(Math.min(replaced, row[j] + 1, next[j - 1] + 1));
    }
    row = next;
  }
  return row[b.length];
}
