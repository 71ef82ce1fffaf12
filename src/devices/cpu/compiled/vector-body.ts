import { getOrInsert } from "../../../core/get-or-insert.ts";
import { divisionFactor } from "../../../forms/division.ts";
import type { Body, Term } from "../../../forms/indices.ts";
import { type FunctionWriter, V128 } from "./assembler.ts";
import * as simd from "./simd.ts";

/** A vector of four lanes that a function computes, by its number among the values of its body. */
export type Vector = number;

/** An instruction on vectors. */
export type Instruction = (typeof simd)[keyof typeof simd];

/** What is known of a vector. */
interface Kind {
  /** Whether it may differ between runs of the loop that the body is in; true when left out. */
  readonly isVarying?: boolean;
  /** Whether all lanes are equal; false when left out. */
  readonly isUniform?: boolean;
}

/** What belongs to an instruction itself. */
interface Immediate {
  readonly bytes?: readonly number[];
  /** By how many bits it shifts. */
  readonly count?: number;
  readonly bits?: number;
  /** Whether all lanes are equal, where that is not so because those of its inputs are. */
  readonly isUniform?: boolean;
}

/** What a vector is made of: an instruction of others, or whatever `write` leaves on the stack. */
interface Made {
  readonly inputs: readonly Vector[];
  readonly isVarying: boolean;
  readonly isUniform: boolean;
  write(f: FunctionWriter, locals: readonly number[]): void;
  /** Whether `write` finds its inputs on the stack, or their locals in `locals`. */
  readonly takesStack: boolean;
  /** The 32 bits of each lane, where they are known. */
  readonly bits?: number;
}

/**
 * Vectors as instructions of WebAssembly, of which equal ones are one value. Nothing is written until
 * all is known: `prepare` writes before a loop what does not change in it, `emit` the rest in it.
 */
export class VectorBody implements Body<Vector> {
  /** Values from 1 on. */
  readonly #made: Made[] = [];
  readonly #known = new Map<string, Vector>();
  /** Locals of values that have been computed. */
  readonly #locals = new Map<Vector, number>();

  constructor(
    readonly writer: FunctionWriter,
    /** Whether there is a multiply-add. */
    readonly isFused: boolean,
  ) {}

  /** What values are divided by. */
  readonly divisors = new Map<Vector, Set<number>>();

  /** How many values there are, written or not. */
  get size(): number {
    return this.#made.length;
  }

  bind(value: Vector): Vector {
    return value;
  }

  once(key: string, write: () => Vector): Vector {
    const known = this.#known.get(key) ?? write();
    this.#known.set(key, known);
    return known;
  }

  /** Σ ⌊value / divisor⌋ · factor + constant, in whole numbers that wrap. */
  sum(terms: readonly Term<Vector>[], constant: number): Vector {
    const parts = terms.map(([value, divisor, factor, size]) => {
      const quotient = this.quotient(value, divisor, size);
      return factor === 1 ? quotient : this.op(simd.i32x4_mul, quotient, this.whole(factor));
    });
    if (constant || parts.length === 0) parts.push(this.whole(constant));
    return parts.reduce((a, b) => this.op(simd.i32x4_add, a, b));
  }

  /** A vector that code of the caller's leaves on the stack, of the locals of others. */
  leaf(
    write: (locals: readonly number[]) => void,
    inputs: readonly Vector[] = [],
    { isVarying = true, isUniform = false }: Kind = {},
  ): Vector {
    const isOne = isVarying || inputs.some((input) => this.#of(input).isVarying);
    return this.#add({
      inputs,
      isVarying: isOne,
      isUniform,
      takesStack: false,
      write: (_, locals) => write(locals),
    });
  }

  /** A vector that lies in a local, which the caller sets. */
  local(index: number, { isVarying = true, isUniform = false }: Kind = {}): Vector {
    const write = (f: FunctionWriter) => f.get(index);
    const value = this.#add({ inputs: [], isVarying, isUniform, takesStack: true, write });
    this.#locals.set(value, index);
    return value;
  }

  /** Whether all lanes are known to be equal. */
  isUniform(value: Vector): boolean {
    return this.#of(value).isUniform;
  }

  /** An instruction, with counts of shifts as numbers and bytes of others behind it. */
  op(name: Instruction, ...inputs: readonly Vector[]): Vector {
    return this.#instruction(name, inputs);
  }

  /** Shifts each lane by the same count. */
  shift(name: Instruction, value: Vector, count: number): Vector {
    return this.#instruction(name, [value], { count });
  }

  /** Picks lanes of two vectors: below 4 of the first one, from there on of the other. */
  shuffle(a: Vector, b: Vector, lanes: readonly number[], isUniform = false): Vector {
    return this.#instruction(simd.i8x16_shuffle, [a, b], { bytes: laneBytes(lanes), isUniform });
  }

  /** Four equal lanes by their bits. */
  whole(value: number): Vector {
    const bits = value | 0;
    const lane = [bits, bits >> 8, bits >> 16, bits >> 24].map((byte) => byte & 255);
    const bytes = [...lane, ...lane, ...lane, ...lane];
    return this.#instruction(simd.v128_const, [], { bytes, bits });
  }

  /** Four lanes by their bits. */
  words(lanes: readonly number[]): Vector {
    const bytes = [...new Uint8Array(Int32Array.from(lanes).buffer)];
    return this.#instruction(simd.v128_const, [], { bytes, isUniform: false });
  }

  /** Two equal lanes of 64 bits. */
  double(value: number): Vector {
    const [low, high] = new Int32Array(Float64Array.of(value).buffer);
    return this.words([low, high, low, high]);
  }

  /** The bits that all lanes are known to have. */
  bitsOf(value: Vector): number | undefined {
    return this.#of(value).bits;
  }

  /** ⌊value / divisor⌋ of words below a size; anything of others. */
  quotient(value: Vector, divisor: number, size: number): Vector {
    if (divisor !== 1) getOrInsert(this.divisors, value, () => new Set()).add(divisor);
    const [factor, count] = divisionFactor(size, divisor) ?? [0, 0];
    if (factor === 0) return this.divided(value, this.whole(divisor));
    const product = factor === 1 ? value : this.op(simd.i32x4_mul, value, this.whole(factor));
    return count === 0 ? product : this.shift(simd.i32x4_shr_u, product, count);
  }

  /** ⌊a / b⌋ of words. */
  divided(a: Vector, b: Vector): Vector {
    const power = Math.log2((this.bitsOf(b) ?? 0) >>> 0);
    if (power === 0) return a;
    if (Number.isInteger(power)) return this.shift(simd.i32x4_shr_u, a, power);
    // Exact: no quotient lies nearer to the next whole number than 2⁻³², and doubles have 53 bits.
    const [low, high] = [
      [a, b],
      [this.upper(a), this.upper(b)],
    ].map((half) => {
      const [x, y] = half.map((value) => this.op(simd.f64x2_convert_low_i32x4_u, value));
      return this.op(simd.i32x4_trunc_sat_f64x2_u_zero, this.op(simd.f64x2_div, x, y));
    });
    return this.halves(low, high, this.isUniform(a) && this.isUniform(b));
  }

  /** a mod b of words. */
  remainder(a: Vector, b: Vector): Vector {
    const bits = (this.bitsOf(b) ?? 0) >>> 0;
    if (Number.isInteger(Math.log2(bits))) return this.op(simd.v128_and, a, this.whole(bits - 1));
    return this.op(simd.i32x4_sub, a, this.op(simd.i32x4_mul, this.divided(a, b), b));
  }

  /** The upper two lanes of four in the place of the lower ones. */
  upper(value: Vector): Vector {
    return this.shuffle(value, value, [2, 3, 2, 3]);
  }

  /** The lower two lanes of one vector, then those of another. */
  halves(low: Vector, high: Vector, isUniform = false): Vector {
    return this.shuffle(low, high, [0, 1, 4, 5], isUniform);
  }

  /** Has a value computed as another one is. */
  replace(value: Vector, by: Vector): void {
    this.#made[value - 1] = this.#of(by);
  }

  /** Whether some values are made of another one, or are it. */
  uses(roots: readonly Vector[], value: Vector): boolean {
    const seen = new Set(roots);
    for (const root of seen) for (const input of this.#of(root).inputs) seen.add(input);
    return seen.has(value);
  }

  /** Writes before a loop what the values need that does not change in it. */
  prepare(roots: readonly Vector[]): void {
    const seen = new Set<Vector>();
    const fixed: Vector[] = [];
    const visit = (value: Vector): void => {
      if (seen.has(value)) return;
      seen.add(value);
      const made = this.#of(value);
      if (!made.isVarying) fixed.push(value);
      else made.inputs.forEach(visit);
    };
    roots.forEach(visit);
    this.emit(fixed);
  }

  /** Writes what computes values that are not there yet; gives the locals that they lie in then. */
  emit(roots: readonly Vector[]): number[] {
    const uses = new Map<Vector, number>();
    const count = (value: Vector): void => {
      const before = uses.get(value) ?? 0;
      uses.set(value, before + 1);
      if (before === 0 && !this.#locals.has(value)) this.#of(value).inputs.forEach(count);
    };
    roots.forEach(count);
    return roots.map((root) => this.#toLocal(root, uses));
  }

  #toLocal(value: Vector, uses?: ReadonlyMap<Vector, number>): number {
    const known = this.#locals.get(value);
    if (known !== undefined) return known;
    this.#compute(value, uses);
    const local = this.writer.local(V128);
    this.writer.set(local);
    this.#locals.set(value, local);
    return local;
  }

  /** Leaves a value on the stack; in a local too if it is used again. */
  #push(value: Vector, uses?: ReadonlyMap<Vector, number>): void {
    const local = this.#locals.get(value);
    if (local !== undefined) this.writer.get(local);
    else if ((uses?.get(value) ?? 1) > 1) this.writer.get(this.#toLocal(value, uses));
    else this.#compute(value, uses);
  }

  #compute(value: Vector, uses?: ReadonlyMap<Vector, number>): void {
    const { inputs, takesStack, write } = this.#of(value);
    if (takesStack) {
      for (const input of inputs) this.#push(input, uses);
      write(this.writer, []);
    } else {
      write(
        this.writer,
        inputs.map((input) => this.#toLocal(input, uses)),
      );
    }
  }

  #instruction(
    name: Instruction,
    inputs: readonly Vector[],
    { bytes = [], count, bits, isUniform }: Immediate = {},
  ): Vector {
    return this.once(`${name} ${inputs} ${bytes} ${count}`, () =>
      this.#add({
        inputs,
        isVarying: inputs.some((input) => this.#of(input).isVarying),
        isUniform: isUniform ?? inputs.every((input) => this.#of(input).isUniform),
        takesStack: true,
        bits,
        write: (f) => {
          if (count !== undefined) f.i32(count);
          f.simd(name, ...bytes);
        },
      }),
    );
  }

  #add(made: Made): Vector {
    return this.#made.push(made);
  }

  #of(value: Vector): Made {
    return this.#made[value - 1];
  }
}

/** The bytes of lanes, as shuffles name them. */
export function laneBytes(lanes: readonly number[]): number[] {
  return lanes.flatMap((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte));
}
