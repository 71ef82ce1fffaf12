import { GradusError } from "../core/errors.ts";

/** Throws a `GradusError` unless an option is a finite number from 0. */
export function checkNotNegative(op: string, name: string, value: number): void {
  if (Number.isFinite(value) && value >= 0) return;
  throw new GradusError(`${op}: ${name} ${value}; expected a finite number from 0`);
}

/** Throws a `GradusError` unless an option is a finite number above 0. */
export function checkPositive(op: string, name: string, value: number): void {
  if (Number.isFinite(value) && value > 0) return;
  throw new GradusError(`${op}: ${name} ${value}; expected a finite number above 0`);
}

/** Throws a `GradusError` unless the weight of an average's past lies in [0, 1). */
export function checkDecay(op: string, name: string, value: number): void {
  if (value >= 0 && value < 1) return;
  throw new GradusError(`${op}: ${name} ${value}; expected a number from 0 and below 1`);
}

/** Throws a `GradusError` unless a number of steps is an integer from 1. */
export function checkSteps(op: string, name: string, value: number): void {
  if (Number.isSafeInteger(value) && value >= 1) return;
  throw new GradusError(`${op}: ${name} ${value}; expected an integer from 1`);
}
