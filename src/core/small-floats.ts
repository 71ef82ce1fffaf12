/*
 * Binary floating-point formats of 16 bits, as IEEE 754 lays them out: sign, exponent, fraction. They are
 * known by how many bits the fraction has, and by the exponent of their smallest normal number, whose
 * step subnormal ones have. Without more that is binary16.
 */

/**
 * Gives the word for a number, rounded to the nearest, ties to even. What is too large becomes ∞, NaN the
 * quiet one without a sign.
 */
export function encodeFloat(value: number, fractionBits = 10, least = -14): number {
  const unit = 2 ** fractionBits;
  const infinity = (3 - 2 * least) * unit;
  const size = Math.abs(value);
  // Beside a power of two, where the logarithm may be inexact, both steps give one word.
  const exponent = Math.max(least, Math.floor(Math.log2(size)));
  const even = (size / 2 ** exponent) * unit + 2 ** 52 - 2 ** 52; // rounds to a whole number
  const bits = Math.min(infinity, (exponent - least) * unit + even); // NaN of what has no exponent
  const own = bits >= 0 ? bits : infinity + (size > 0 ? 0 : unit / 2);
  return Object.is(value, size) ? own : own + 0x8000;
}
