import type { DType } from "../../../core/dtype.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import { type FunctionWriter, I32 } from "./assembler.ts";
import { ADD, LESS_UNSIGNED, MULTIPLY, SELECT, SHIFT_LEFT, SUBTRACT } from "./instructions.ts";
import { bytesOfElement } from "./lanes.ts";
import * as simd from "./simd.ts";

/** Where an element lies, in elements from a memory on: Σ factor · local + constant, and by lane. */
export interface ElementPlace {
  readonly counts: ReadonlyMap<number, number>;
  /** Values of the body that are the same for all lanes, with their factors. */
  readonly values: readonly (readonly [value: number, factor: number])[];
  readonly constant: number;
  readonly stride: number;
}

/** A place behind a pointer. */
export interface Access extends ElementPlace {
  readonly pointer: number;
  readonly dtype: DType;
  /** Whether it may lie anywhere, and what is read is not used then. */
  readonly isGuarded: boolean;
}

const MEMORY_PAGES = [0x3f, 0x00];

/** Addresses in one stretch of code: what inner loops do not count is added up once. */
export class Addresses {
  /** Where elements lie that are read or written, but for those that are looked for lane by lane. */
  readonly accesses: Access[] = [];
  readonly #bases = new Map<string, number>();
  /** An address, and the last one from which a vector may be read. */
  #own: readonly [address: number, limit: number] | null = null;

  /**
   * @param pointers step → the parameter with the address of its memory.
   * @param inner the local that counts within the stretch, if there is one.
   */
  constructor(
    readonly f: FunctionWriter,
    readonly schedule: KernelSchedule,
    readonly pointers: ReadonlyMap<number, number>,
    readonly inner?: number,
  ) {}

  /** Whether what is read may differ within the stretch. */
  isVarying({ counts }: Access): boolean {
    return this.inner === undefined || counts.has(this.inner);
  }

  /** The parameter with the address of a step's memory. */
  pointer(step: number): number {
    return this.pointers.get(this.schedule.homes.get(step) ?? step) as number;
  }

  /** Computes, before the stretch, what is the same in all of it. */
  start(): void {
    for (const access of this.accesses) this.#base(access);
    if (!this.accesses.some(({ isGuarded }) => isGuarded)) return;
    const { f } = this;
    this.#own ??= [f.local(I32), f.local(I32)];
    f.emit(...MEMORY_PAGES)
      .i32(16)
      .emit(SHIFT_LEFT)
      .i32(16)
      .emit(SUBTRACT)
      .set(this.#own[1]);
  }

  /** Leaves an address on the stack, but for a distance in bytes, which it gives. */
  put(access: Access, locals: readonly number[]): number {
    const { f, inner } = this;
    const { dtype, counts, values, constant } = access;
    const bytes = bytesOfElement(dtype);
    f.get(this.#base(access));
    const factor = inner === undefined ? undefined : counts.get(inner);
    if (inner !== undefined && factor) this.#times(inner, factor * bytes).emit(ADD);
    locals.forEach((local, i) => {
      f.get(local).simd(simd.i32x4_extract_lane, 0);
      f.i32(values[i][1] * bytes)
        .emit(MULTIPLY)
        .emit(ADD);
    });
    const offset = this.offsetOf(access);
    if (offset !== constant * bytes) f.i32(constant * bytes).emit(ADD);
    if (access.isGuarded) this.#clamp();
    return offset;
  }

  /** The distance in bytes that an instruction adds itself: to what is no address below 0. */
  offsetOf({ dtype, counts, values, constant, isGuarded }: Access): number {
    const factors = [constant, ...counts.values(), ...values.map(([, factor]) => factor)];
    if (isGuarded || factors.some((factor) => factor < 0)) return 0;
    return constant * bytesOfElement(dtype);
  }

  /** Makes an address one of the memory where it is beyond. */
  #clamp(): void {
    const [address, limit] = this.#own as readonly [number, number];
    this.f.tee(address).get(limit).get(address).get(limit).emit(LESS_UNSIGNED, SELECT);
  }

  #times(local: number, factor: number): FunctionWriter {
    const { f } = this;
    f.get(local);
    return factor === 1 ? f : f.i32(factor).emit(MULTIPLY);
  }

  #base({ pointer, dtype, counts }: Access): number {
    const bytes = bytesOfElement(dtype);
    const outer = [...counts].filter(([local]) => local !== this.inner);
    if (outer.length === 0) return pointer;
    const key = `${pointer}:${bytes}:${outer}`;
    const known = this.#bases.get(key);
    if (known !== undefined) return known;
    const { f } = this;
    const base = f.local(I32);
    this.#bases.set(key, base);
    f.get(pointer);
    for (const [local, factor] of outer) this.#times(local, factor * bytes).emit(ADD);
    f.set(base);
    return base;
  }
}
