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
