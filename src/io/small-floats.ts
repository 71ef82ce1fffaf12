/** A binary floating-point format of 16 bits: sign, biased exponent, fraction, as IEEE 754 lays them out. */
export interface SmallFloat {
  readonly exponentBits: number;
  readonly fractionBits: number;
}

/** IEEE 754 binary16. */
export const F16: SmallFloat = { exponentBits: 5, fractionBits: 10 };

/** The upper half of an f32, as Google Brain's. */
export const BF16: SmallFloat = { exponentBits: 8, fractionBits: 7 };

/** The exponent of the smallest normal number; subnormal ones have its step. */
function leastExponent({ exponentBits }: SmallFloat): number {
  return 2 - 2 ** (exponentBits - 1);
}

/** The bits of ∞; a NaN has more. */
export function infinityBits({ exponentBits, fractionBits }: SmallFloat): number {
  return (2 ** exponentBits - 1) * 2 ** fractionBits;
}

/** Gives the numbers that words of 16 bits stand for, all exact in f32. */
export function decodeSmallFloats(words: Uint16Array, format: SmallFloat): Float32Array {
  const { fractionBits } = format;
  const infinity = infinityBits(format);
  const least = leastExponent(format);
  const numbers = new Float32Array(0x10000); // of all words
  for (let bits = 0; bits < 0x8000; bits++) {
    const exponent = Math.max(1, bits >> fractionBits);
    const fraction = bits - (exponent - 1) * 2 ** fractionBits; // with the leading 1 of normal ones
    let value = fraction * 2 ** (least - 1 + exponent - fractionBits);
    if (bits >= infinity) value = bits === infinity ? Number.POSITIVE_INFINITY : Number.NaN;
    numbers[bits] = value;
    numbers[bits + 0x8000] = -value;
  }
  return Float32Array.from(words, (bits) => numbers[bits]);
}

/**
 * Gives the words that stand for numbers, rounded to the nearest, ties to even; what is too large
 * becomes ∞.
 */
export function encodeSmallFloats(values: ArrayLike<number>, format: SmallFloat): Uint16Array {
  const { fractionBits } = format;
  const infinity = infinityBits(format);
  const least = leastExponent(format);
  const number = new Float64Array(1);
  const high = new Uint32Array(Float64Array.of(1).buffer)[0] === 0 ? 1 : 0; // which word has the sign
  const words = new Uint32Array(number.buffer);
  const encoded = new Uint16Array(values.length);
  for (let i = 0; i < values.length; i++) {
    number[0] = values[i];
    const sign = (words[high] >>> 31) << 15;
    const magnitude = Math.abs(number[0]);
    let bits = infinity;
    if (Number.isNaN(magnitude)) bits += 2 ** (fractionBits - 1);
    else if (magnitude !== Number.POSITIVE_INFINITY) {
      const exponent = Math.max(least, ((words[high] >>> 20) & 0x7ff) - 1023);
      const steps = magnitude * 2 ** (fractionBits - exponent);
      const even = steps + 2 ** 52 - 2 ** 52; // rounds to a whole number
      bits = Math.min(infinity, (exponent - least) * 2 ** fractionBits + even);
    }
    encoded[i] = sign | bits;
  }
  return encoded;
}
