import { expect } from "vitest";

/** Expects values, in order, within half a unit of a decimal place. */
export function expectClose(
  values: ArrayLike<number>,
  expected: readonly number[],
  digits = 5,
): void {
  expect(values.length).toBe(expected.length);
  for (const [i, value] of expected.entries()) expect(values[i]).toBeCloseTo(value, digits);
}

/** Throws unless |actual − expected| ≤ tolerance(expected, i); NaN and ±∞ must be equal. */
export function expectWithin(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: (expected: number, i: number) => number,
): void {
  if (actual.length !== expected.length) throw new Error(`length ${actual.length}`);
  for (let i = 0; i < expected.length; i++) {
    const isEqual = Object.is(actual[i], expected[i]) || actual[i] === expected[i];
    const error = Math.abs(actual[i] - expected[i]);
    const isClose = Number.isFinite(expected[i]) && error <= tolerance(expected[i], i);
    if (isEqual || isClose) continue;
    throw new Error(`[${i}]: ${actual[i]}; expected ${expected[i]} ± ${tolerance(expected[i], i)}`);
  }
}
