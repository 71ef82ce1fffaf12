import { decodeFloat } from "../core/halves.ts";
import { encodeFloat } from "../core/small-floats.ts";

/** A format of 16 bits: see src/core/small-floats.ts. */
export interface SmallFloat {
  readonly fractionBits: number;
  readonly least: number;
}

/** The formats by the names that files have for them: BF16 is the upper half of an f32. */
export const SMALL_FLOATS = {
  F16: { fractionBits: 10, least: -14 },
  BF16: { fractionBits: 7, least: -126 },
} as const satisfies Record<string, SmallFloat>;

/** Gives the numbers that words of 16 bits stand for, all exact in f32. */
export function decodeSmallFloats(
  words: Uint16Array,
  { fractionBits, least }: SmallFloat,
): Float32Array {
  const numberAt = (_: unknown, word: number) => decodeFloat(word, fractionBits, least);
  const numbers = Float32Array.from({ length: 0x10000 }, numberAt); // of all words
  return Float32Array.from(words, (word) => numbers[word]);
}

/** Gives the words that stand for numbers. */
export function encodeSmallFloats(
  values: ArrayLike<number>,
  { fractionBits, least }: SmallFloat,
): Uint16Array<ArrayBuffer> {
  const words = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) words[i] = encodeFloat(values[i], fractionBits, least);
  return words;
}
