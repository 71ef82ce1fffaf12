import { type FunctionWriter, I32, V128 } from "./assembler.ts";
import type { KeptMemory } from "./group-code.ts";
import {
  ADD,
  IS_ZERO,
  LESS_UNSIGNED,
  LOAD_I32,
  NOT_EQUAL,
  SHIFT_LEFT,
  STORE_I32,
} from "./instructions.ts";
import * as simd from "./simd.ts";
import { type Vector, VectorBody } from "./vector-body.ts";

/** Writes what a round with a counter adds to halves below `side`, of the other halves. */
type WriteWord = (
  body: VectorBody,
  key: readonly [Vector, Vector],
  counter: Vector,
  other: Vector,
  side: Vector,
) => Vector;

/** A shuffle's domain as literals: see `shuffleDomain` of src/core/. */
export interface RoundDomain {
  readonly low: number;
  readonly high: number;
  readonly roundPairs: number;
}

const OR = 0x72;
/** Before the words: the key that they are of, and whether there are any. */
const HEAD_BYTES = 16;
/** Longer tables would not stay in a cache. */
const MOST_BYTES = 2 ** 16;

/**
 * What the rounds of a shuffle add to its halves, by round and other half: as long as the key stays, as
 * for all steps of an epoch, these are the same few words, in memory that is kept from run to run.
 */
export class RoundWords {
  readonly #offset: number;
  readonly #rowBytes: number;

  private constructor(
    readonly memory: KeptMemory,
    readonly domain: RoundDomain,
    offset: number,
  ) {
    this.#offset = offset;
    this.#rowBytes = RoundWords.#rowBytesOf(domain);
  }

  /** Takes memory for a domain; gives null where the words would take too much. */
  static of(memory: KeptMemory | undefined, domain: RoundDomain): RoundWords | null {
    const bytes = HEAD_BYTES + 2 * domain.roundPairs * RoundWords.#rowBytesOf(domain);
    if (!memory || bytes > MOST_BYTES) return null;
    return new RoundWords(memory, domain, memory.take(bytes));
  }

  static #rowBytesOf({ low, high }: RoundDomain): number {
    return 16 * Math.ceil(Math.max(low, high) / 4);
  }

  /** Writes what computes the words where they are of another key; gives a value that stands for that. */
  prepared(body: VectorBody, key: readonly Vector[], writeWord: WriteWord): Vector {
    const { writer: f } = body;
    const write = (locals: readonly number[]) => {
      this.#at(f, LOAD_I32, 8).emit(IS_ZERO);
      for (const [i, local] of locals.entries()) {
        f.get(local).simd(simd.i32x4_extract_lane, 0);
        this.#at(f, LOAD_I32, 4 * i).emit(NOT_EQUAL, OR);
      }
      f.when(() => this.#fill(body, locals, writeWord));
      f.get(locals[0]);
    };
    return body.leaf(write, key, { isVarying: false, isUniform: true });
  }

  /** What a round adds to each lane whose other half is below the sides. */
  word(body: VectorBody, round: number, half: Vector): Vector {
    const { writer: f } = body;
    const offset = this.#offset + HEAD_BYTES + round * this.#rowBytes;
    return body.leaf(
      ([local]) => {
        const result = f.local(V128);
        f.zeros();
        for (let lane = 0; lane < 4; lane++) {
          f.set(result);
          f.get(this.memory.pointer).get(local).simd(simd.i32x4_extract_lane, lane);
          f.i32(2).emit(SHIFT_LEFT, ADD);
          f.get(result).vectorMemory(simd.v128_load32_lane, 2, offset, lane);
        }
      },
      [half],
    );
  }

  /** A load or store of a number of the head. */
  #at(f: FunctionWriter, code: number, at: number): FunctionWriter {
    return f.get(this.memory.pointer).memory(code, 2, this.#offset + at);
  }

  #fill({ writer: f, isFused }: VectorBody, key: readonly number[], writeWord: WriteWord): void {
    const { low, high, roundPairs } = this.domain;
    const [round, row, item, count, side, swapped] = Array.from({ length: 6 }, () => f.local(I32));
    f.get(this.memory.pointer)
      .i32(this.#offset + HEAD_BYTES)
      .emit(ADD)
      .set(row);
    f.i32(high).set(count).i32(low).set(side); // even rounds change the lower half, by the upper one
    f.count(round, 1, 2 * roundPairs, () => {
      f.i32(0).set(item);
      f.repeat(() => {
        const body = new VectorBody(f, isFused);
        const splat = (local: number) => body.leaf(() => f.get(local).simd(simd.i32x4_splat));
        const half = body.op(simd.i32x4_add, splat(item), body.words([0, 1, 2, 3]));
        const counter = body.op(simd.i32x4_add, splat(round), body.whole(FIRST_ROUND));
        const [k0, k1] = key.map((local) => body.local(local));
        const [words] = body.emit([writeWord(body, [k0, k1], counter, half, splat(side))]);
        f.get(row)
          .get(item)
          .i32(2)
          .emit(SHIFT_LEFT, ADD)
          .get(words)
          .vectorMemory(simd.v128_store, 2, 0);
        f.get(item).i32(4).emit(ADD).tee(item).get(count).emit(LESS_UNSIGNED);
      });
      f.get(row).i32(this.#rowBytes).emit(ADD).set(row);
      f.get(count).set(swapped).get(side).set(count).get(swapped).set(side);
    });
    for (const [i, local] of key.entries()) {
      f.get(this.memory.pointer).get(local).simd(simd.i32x4_extract_lane, 0);
      f.memory(STORE_I32, 2, this.#offset + 4 * i);
    }
    f.get(this.memory.pointer)
      .i32(1)
      .memory(STORE_I32, 2, this.#offset + 8);
  }
}

/** The second word of a round's counter in its first round: see src/core/shuffle.ts. */
export const FIRST_ROUND = 3;
