import { checkEach, isInteger } from "./check.ts";
import { GradusError, ShapeError } from "./errors.ts";

/** A 64-bit random key as two u32 words, low word first. */
export type Key = readonly [number, number];

const TWO_32 = 2 ** 32;

const PARITY = 0x1bd11bda; // Skein's key-schedule constant, folded to 32 bits

function rotated(x: number, by: number): number {
  return (x << by) | (x >>> -by);
}

/**
 * Writes the two u32 words of Threefry-2x32 with 20 rounds to `out[at]` and `out[at + 1]`.
 *
 * Key and counter words are taken modulo 2³². Source: Salmon, Moraes, Dror, Shaw, "Parallel
 * random numbers: as easy as 1, 2, 3" (SC 2011), section 4.2.
 */
export function threefry2x32(
  key0: number,
  key1: number,
  counter0: number,
  counter1: number,
  out: Uint32Array,
  at = 0,
): void {
  let x0 = (counter0 + key0) | 0;
  let x1 = (counter1 + key1) | 0;
  let a = key1 | 0; // the key schedule k0, k1, k2 rotates through a, b, c
  let b = key0 ^ key1 ^ PARITY;
  let c = key0 | 0;
  // Rounds are written out, which takes half the time: all weights are drawn here.
  for (let group = 1; group <= 5; group++) {
    const isOdd = (group & 1) === 1;
    x0 = (x0 + x1) | 0;
    x1 = (isOdd ? rotated(x1, 13) : rotated(x1, 17)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = (isOdd ? rotated(x1, 15) : rotated(x1, 29)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = (isOdd ? rotated(x1, 26) : rotated(x1, 16)) ^ x0;
    x0 = (x0 + x1) | 0;
    x1 = (isOdd ? rotated(x1, 6) : rotated(x1, 24)) ^ x0;
    x0 = (x0 + a) | 0;
    x1 = (x1 + b + group) | 0;
    const next = a;
    a = b;
    b = c;
    c = next;
  }
  out[at] = x0;
  out[at + 1] = x1;
}

/**
 * Makes a key from a seed, a non-negative safe integer; throws `GradusError`, as `op`, for any other
 * number.
 */
export function keyFromSeed(seed: number, op = "keyFromSeed"): Key {
  checkEach(op, { seed }, (x) => isInteger(x, 0), "an integer from 0 to 2^53 - 1");
  return [seed >>> 0, Math.floor(seed / TWO_32)];
}

/** Throws a `GradusError` unless a key is two u32 words. */
export function checkKey(op: string, key: Key): void {
  const holds = (x: unknown) =>
    Array.isArray(x) && x.length === 2 && x.every((word) => isInteger(word, 0, TWO_32 - 1));
  checkEach(op, { key }, holds, "two u32 words, as keyFromSeed(seed) gives them");
}

/** The key that is given, itself or by a seed; undefined when neither is. */
export function givenKey(op: string, { seed, key }: { seed?: number; key?: Key }): Key | undefined {
  if (key !== undefined) checkKey(op, key);
  return key ?? (seed === undefined ? undefined : keyFromSeed(seed, op));
}

/** The key that is given; throws a `GradusError`, as `op`, when none is. */
export function neededKey(op: string, options: { seed?: number; key?: Key }): Key {
  const key = givenKey(op, options);
  if (!key) throw new GradusError(`${op}: no seed and no key; expected one of them`);
  return key;
}

/**
 * Derives a new key from a key and a u32 (an epoch, a layer's number), as the block at counter
 * `(data, 1)`, which `randomBits` never reads; throws `GradusError` if `data` is no u32.
 */
export function foldIn(key: Key, data: number): Key {
  checkKey("foldIn", key);
  const holds = (x: unknown) => isInteger(x, 0, TWO_32 - 1);
  checkEach("foldIn", { data }, holds, "an integer from 0 to 2^32 - 1");
  const out = new Uint32Array(2);
  threefry2x32(key[0], key[1], data, 1, out);
  return [out[0], out[1]];
}

/**
 * Returns elements `offset` to `offset + count - 1` of a key's u32 stream, whose element i is word
 * `i & 1` of the block at counter `(i >> 1, 0)`; both are whole, with a sum of at most 2³².
 */
export function randomBits(key: Key, count: number, offset = 0): Uint32Array {
  const first = offset & 1;
  const out = new Uint32Array(first + count);
  for (let i = 0; i < out.length; i += 2) {
    threefry2x32(key[0], key[1], (offset + i) >>> 1, 0, out, i); // a word past the end is kept nowhere
  }
  return out.subarray(first);
}

/** Maps a u32 to [0, 1) in steps of 2⁻²⁴, so that the result is exact in float32. */
export function uniformFromBits(bits: number): number {
  return (bits >>> 8) * 2 ** -24;
}

/**
 * Draws `count` normal numbers in float64; elements 2j and 2j + 1 come from block j of the key.
 *
 * Box and Muller, "A note on the generation of random normal deviates" (1958), with u1 in (0, 1],
 * so that no draw is infinite. Throws `ShapeError` for a bad count, `GradusError` for a bad `std`.
 */
export function normals(key: Key, count: number, mean = 0, std = 1): Float64Array {
  if (!isInteger(count, 0, TWO_32)) {
    throw new ShapeError(`normals: count ${count}; expected an integer from 0 to 2^32`);
  }
  if (!Number.isFinite(mean) || !Number.isFinite(std) || std < 0) {
    throw new GradusError(
      `normals: mean ${mean} and std ${std}; expected finite numbers with std ≥ 0`,
    );
  }
  const out = new Float64Array(count);
  const pair = new Uint32Array(2);
  for (let i = 0; i < count; i += 2) {
    threefry2x32(key[0], key[1], i / 2, 0, pair);
    // z = √(−2 ln u1) · (cos 2πu2, sin 2πu2)
    const radius = std * Math.sqrt(-2 * Math.log((pair[0] + 1) / TWO_32));
    const angle = 2 * Math.PI * (pair[1] / TWO_32);
    out[i] = mean + radius * Math.cos(angle);
    out[i + 1] = mean + radius * Math.sin(angle); // past the end of an odd count: kept nowhere
  }
  return out;
}

/**
 * Returns the numbers 0 to n − 1 in an order drawn uniformly by the key (Fisher and Yates in
 * Durstenfeld's form, 1964); throws `ShapeError` if `n` is not an integer from 0 to 2³².
 */
export function permutation(key: Key, n: number): Uint32Array {
  if (!isInteger(n, 0, TWO_32)) {
    throw new ShapeError(`permutation: n ${n}; expected an integer from 0 to 2^32`);
  }
  const draw = boundedDraws(key);
  const order = new Uint32Array(n);
  for (let i = 0; i < n; i++) order[i] = i;
  for (let last = n - 1; last > 0; last--) {
    const chosen = draw(last + 1);
    const value = order[chosen];
    order[chosen] = order[last];
    order[last] = value;
  }
  return order;
}

// Reads the key's stream word by word; words past the last multiple of the bound are rejected.
function boundedDraws(key: Key): (bound: number) => number {
  const pair = new Uint32Array(2);
  let position = 0;
  const next = () => {
    if (position % 2 === 0) threefry2x32(key[0], key[1], position / 2, 0, pair);
    return pair[position++ % 2];
  };
  return (bound) => {
    const limit = TWO_32 - (TWO_32 % bound);
    let word = next();
    while (word >= limit) word = next();
    return word % bound;
  };
}
