import { V128 } from "./assembler.ts";
import type { KeptMemory } from "./group-code.ts";
import { MoreMath } from "./more-math.ts";
import { FIRST_ROUND, type RoundDomain, RoundWords } from "./round-words.ts";
import * as simd from "./simd.ts";
import { type Vector, VectorBody } from "./vector-body.ts";

/** Two words in each lane: a key, a counter or a block. */
export type Words = readonly [Vector, Vector];

// See src/core/random.ts, which has the sources.
const ROTATIONS = [13, 15, 26, 6, 17, 29, 16, 24];
const PARITY = 0x1bd11bda;

/** The upper words of four numbers of 64 bits. */
const UPPER_WORDS = [1, 3, 5, 7];

/** Gives what a round adds to a half below `side`, of the other half. */
type WordOf = (round: number, other: Vector, side: Vector) => Vector;

/** Random words, and numbers made of them, from keys and places alone: those of src/core/. */
export class Draws {
  readonly body: VectorBody;

  /** @param memory where it may keep what it computes, if there is any. */
  constructor(
    readonly math: MoreMath,
    readonly memory?: KeptMemory,
  ) {
    this.body = math.body;
  }

  /** The block of a key at a counter: Threefry-2×32 with 20 rounds. */
  threefry(key: Words, [c0, c1]: Words): Words {
    const { body } = this;
    const add = (a: Vector, b: Vector) => body.op(simd.i32x4_add, a, b);
    const xor = (a: Vector, b: Vector) => body.op(simd.v128_xor, a, b);
    const [k0, k1] = key;
    const schedule = [k0, k1, xor(body.whole(PARITY), xor(k0, k1))];
    let [x0, x1] = [add(c0, k0), add(c1, k1)];
    for (let group = 0; group < 5; group++) {
      for (let round = 0; round < 4; round++) {
        const bits = ROTATIONS[4 * (group % 2) + round];
        x0 = add(x0, x1);
        const left = body.shift(simd.i32x4_shl, x1, bits);
        x1 = xor(body.op(simd.v128_or, left, body.shift(simd.i32x4_shr_u, x1, 32 - bits)), x0);
      }
      x0 = add(x0, schedule[(group + 1) % 3]);
      x1 = add(x1, add(schedule[(group + 2) % 3], body.whole(group + 1)));
    }
    return [x0, x1];
  }

  /** Word i of a key's stream. */
  bits(key: Words, i: Vector): Vector {
    const [even, odd] = this.#block(key, i);
    const isOdd = this.body.op(simd.i32x4_eq, this.#parity(i), this.body.whole(1));
    return this.math.select(even, odd, isOdd);
  }

  /** The upper 24 bits as a number from 0 to 1. */
  unit(bits: Vector): Vector {
    return this.#scaled(this.body.shift(simd.i32x4_shr_u, bits, 8), 2 ** -24);
  }

  /** low + u · range for u = bits / 2²⁴, with the range as two parts of 12 bits and u's too. */
  uniform(bits: Vector, low: Vector, high: Vector, rangeHigh: Vector, rangeLow: Vector): Vector {
    const { body, math } = this;
    const upper = this.#scaled(body.shift(simd.i32x4_shr_u, bits, 20), 2 ** -12);
    const middleBits = body.op(
      simd.v128_and,
      body.shift(simd.i32x4_shr_u, bits, 8),
      body.whole(0xfff),
    );
    const lower = this.#scaled(middleBits, 2 ** -24);
    const middle = math.add(math.mul(upper, rangeLow), math.mul(lower, rangeHigh));
    const first = math.add(math.add(low, math.mul(upper, rangeHigh)), middle);
    const y = math.add(first, math.mul(lower, rangeLow));
    return math.select(low, y, body.op(simd.f32x4_lt, y, high)); // rounding may reach high
  }

  /** √(−2 ln v) · cos 2πw, or sin for an odd i, with v = (word 0 + 1) / 2³² and w = word 1 / 2³². */
  normal(key: Words, i: Vector): Vector {
    const { body, math } = this;
    const [first, second] = this.#block(key, i);
    // Near v = 1 the logarithm needs the bits of 1 − v.
    const fromOne = this.#converted(body.op(simd.v128_not, first));
    const nearOne = math.log1p(math.mul(fromOne, math.number(-(2 ** -32))));
    const v = math.add(this.#converted(first), math.number(1));
    const elsewhere = math.log(math.mul(v, math.number(2 ** -32)));
    const isNear = body.op(simd.i32x4_lt_s, first, body.whole(0)); // from 2³¹ on
    const log = math.select(elsewhere, nearOne, isNear);
    const radius = body.op(simd.f32x4_sqrt, math.mul(log, math.number(-2)));
    // The angle is the nearest quarter turn and a rest of at most an eighth.
    const quarters = body.shift(
      simd.i32x4_shr_u,
      body.op(simd.i32x4_add, second, body.whole(0x20000000)),
      30,
    );
    const rest = body.op(simd.i32x4_sub, second, body.shift(simd.i32x4_shl, quarters, 30));
    const angle = math.mul(
      body.op(simd.f32x4_convert_i32x4_s, rest),
      math.number(Math.PI * 2 ** -31),
    );
    const turns = body.op(
      simd.i32x4_sub,
      body.op(simd.i32x4_add, quarters, body.whole(1)),
      this.#parity(i),
    );
    return math.mul(radius, math.sinShifted(angle, turns));
  }

  /** What lies at place i when the numbers below n are shuffled: see `shuffledIndex` of src/core/. */
  shuffled(key: Words, n: Vector, sides: Words, roundPairs: Vector, i: Vector): Vector {
    const { body } = this;
    const { writer: f } = body;
    const [limit, low, high, pairs] = [n, ...sides, roundPairs].map(
      (x) => body.bitsOf(x) as number,
    );
    const domain = { low, high, roundPairs: pairs };
    const isOneKey = key.every((word) => body.isUniform(word));
    const words = RoundWords.of(isOneKey ? this.memory : undefined, domain);
    // Lanes behind the last element may hold anything, from where no walk need end.
    const known = body.op(simd.i32x4_lt_u, i, n);
    const write = ([k0, k1, place, isKnown]: readonly number[]) => {
      const [x, isOpen] = [f.local(V128), f.local(V128)];
      f.get(isKnown).tee(isOpen).get(place).simd(simd.v128_and).set(x);
      // Walked along its cycle until all lanes are below n; those that are stay there.
      f.repeat(() => {
        const inner = this.in(new VectorBody(f, body.isFused));
        const before = inner.body.local(x);
        const key: Words = [inner.body.local(k0), inner.body.local(k1)];
        const walked = inner.#rounds(domain, before, (round, other, side) =>
          words
            ? words.word(inner.body, round, other)
            : inner.roundWord(key, inner.body.whole(FIRST_ROUND + round), other, side),
        );
        const open = inner.body.local(isOpen);
        const next = inner.body.op(simd.v128_bitselect, walked, before, open);
        const isOutside = inner.body.op(simd.i32x4_ge_u, next, inner.body.whole(limit));
        const [nextLocal, openLocal] = inner.body.emit([
          next,
          inner.body.op(simd.v128_and, open, isOutside),
        ]);
        f.get(nextLocal).set(x).get(openLocal).tee(isOpen).simd(simd.v128_any_true);
      });
      f.get(x);
    };
    const ready = words?.prepared(body, key, (inner, ...rest) => this.in(inner).roundWord(...rest));
    return body.leaf(write, [...key, i, known, ...(ready === undefined ? [] : [ready])]);
  }

  /** The number below n that is drawn for place i: ⌊w · n / 2⁶⁴⌋ of a word w of 64 bits. */
  drawn(key: Words, n: Vector, i: Vector): Vector {
    const { body } = this;
    const [upper, lower] = this.threefry(key, [i, body.whole(2)]);
    const low = body.op(simd.i32x4_mul, upper, n);
    const sum = body.op(simd.i32x4_add, low, this.#productHigh(lower, n));
    const carried = body.op(simd.i32x4_lt_u, sum, low);
    return body.op(simd.i32x4_sub, this.#productHigh(upper, n), carried); // a mask is −1
  }

  /** What a round adds to a half below `side`, of the other half. */
  roundWord(key: Words, counter: Vector, other: Vector, side: Vector): Vector {
    return this.body.remainder(this.threefry(key, [other, counter])[0], side);
  }

  /** The same values in another body. */
  in(body: VectorBody): Draws {
    return new Draws(new MoreMath(body), this.memory);
  }

  /** A Feistel network on x = h · low + l, l below `low` and h below `high`. */
  #rounds({ low, high, roundPairs }: RoundDomain, x: Vector, wordOf: WordOf): Vector {
    const { body } = this;
    const [lows, highs] = [body.whole(low), body.whole(high)];
    let h = body.quotient(x, low, low * high);
    let l = body.op(simd.i32x4_sub, x, body.op(simd.i32x4_mul, h, lows));
    const mixed = (half: Vector, other: Vector, round: number, side: Vector) => {
      const sum = body.op(simd.i32x4_add, half, wordOf(round, other, side));
      const isBeyond = body.op(simd.i32x4_ge_u, sum, side);
      return body.op(simd.i32x4_sub, sum, body.op(simd.v128_and, isBeyond, side));
    };
    for (let pair = 0; pair < roundPairs; pair++) {
      l = mixed(l, h, 2 * pair, lows);
      h = mixed(h, l, 2 * pair + 1, highs);
    }
    return body.op(simd.i32x4_add, body.op(simd.i32x4_mul, h, lows), l);
  }

  /** ⌊a · b / 2³²⌋ of words. */
  #productHigh(a: Vector, b: Vector): Vector {
    const { body } = this;
    const low = body.op(simd.i64x2_extmul_low_i32x4_u, a, b);
    const high = body.op(simd.i64x2_extmul_high_i32x4_u, a, b);
    return body.shuffle(low, high, UPPER_WORDS);
  }

  #block(key: Words, i: Vector): Words {
    const { body } = this;
    return this.threefry(key, [body.shift(simd.i32x4_shr_u, i, 1), body.whole(0)]);
  }

  /** The lowest bit. */
  #parity(i: Vector): Vector {
    return this.body.op(simd.v128_and, i, this.body.whole(1));
  }

  /** Words as floats. */
  #converted(bits: Vector): Vector {
    return this.body.op(simd.f32x4_convert_i32x4_u, bits);
  }

  /** Numbers below 2²⁴ times a power of 2. */
  #scaled(bits: Vector, by: number): Vector {
    const { math, body } = this;
    return math.mul(body.op(simd.f32x4_convert_i32x4_s, bits), math.number(by));
  }
}
