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
