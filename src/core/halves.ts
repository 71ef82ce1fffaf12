import { allocate, convert, type DType, isHalf, type NumericArray } from "./dtype.ts";

/** Gives the number that a word stands for: see src/core/small-floats.ts. */
export function decodeFloat(word: number, fractionBits = 10, least = -14): number {
  const unit = 2 ** fractionBits;
  const infinity = (3 - 2 * least) * unit;
  const bits = word & 0x7fff;
  const exponent = Math.max(1, bits >> fractionBits);
  const fraction = bits - (exponent - 1) * unit; // with the leading 1 of normal ones
  let value = fraction * 2 ** (least - 1 + exponent - fractionBits);
  if (bits >= infinity) value = bits > infinity ? Number.NaN : Number.POSITIVE_INFINITY;
  return word > bits ? -value : value;
}

/** Gives the number that an element of a dtype stands for: itself, unless elements are held as bits. */
export function numberHeld(element: number, dtype: DType): number {
  return isHalf(dtype) ? decodeFloat(element) : element;
}

/** Gives the numbers that elements of a dtype stand for, in an array of theirs. */
export function numbersIn(elements: NumericArray, dtype: DType): NumericArray {
  if (!isHalf(dtype)) return elements;
  const numbers = new Float32Array(elements.length);
  for (let i = 0; i < numbers.length; i++) numbers[i] = decodeFloat(elements[i]);
  return numbers;
}

/** Gives the elements that stand for numbers of a dtype. */
export function elementsOf(numbers: NumericArray, dtype: DType): NumericArray {
  if (!isHalf(dtype)) return numbers;
  const elements = allocate(dtype, numbers.length);
  for (let i = 0; i < numbers.length; i++) elements[i] = convert(numbers[i], dtype);
  return elements;
}
