import { DTYPES, type DType } from "../../core/dtype.ts";
import { getOrInsert } from "../../core/get-or-insert.ts";
import type { BufferPlaces } from "./places.ts";

/** A buffer as a kernel sees it. */
export interface Binding {
  /** Which buffer it is: a step of the program, or one that values share. */
  readonly key: number;
  readonly name: string;
  readonly dtype: DType;
  written: boolean;
  /** Whether it lies elsewhere in each dispatch, by an offset that is told then. */
  readonly isMoving?: boolean;
}

/** The buffers of one kernel, in the order in which its code first names them. */
export class Bindings {
  readonly #bindings = new Map<number, Binding>();
  /** Whether buffers are arrays of four-wide vectors, where they might be. */
  readonly #wide = new Map<number, boolean>();

  constructor(readonly places?: BufferPlaces) {}

  get all(): readonly Binding[] {
    return [...this.#bindings.values()];
  }

  /**
   * Declares a buffer as an array of four-wide vectors, for every part of the kernel, or says that it
   * must not be one, as invocations store single elements: to store one of a vector, a GPU may write
   * all four, over what others have written.
   */
  mark(key: number, isWide: boolean): void {
    this.#wide.set(this.#bufferOf(key), isWide && this.isWide(key, true));
  }

  isWide(key: number, unknown = false): boolean {
    return this.#wide.get(this.#bufferOf(key)) ?? unknown;
  }

  /** The place in its buffer of a value's element or, by fours, of four neighbours. */
  placed(key: number, place: string, byFours = false): string {
    const start = this.places?.start(key);
    return start ? `(${byFours ? `(${start} >> 2u)` : start} + (${place}))` : place;
  }

  /** Gives the name of the buffer of a value that is read. */
  read(key: number, dtype: DType): string {
    return this.#use(key, dtype).name;
  }

  /** Gives the name of the buffer of a value that is written. */
  write(key: number, dtype: DType): string {
    const binding = this.#use(key, dtype);
    binding.written = true;
    return binding.name;
  }

  /** The declarations in WGSL. */
  declarations(): string[] {
    return this.all.map(({ key, name, dtype, written }, i) => {
      const { word } = DTYPES[dtype];
      const type = this.isWide(key) ? `array<vec4<${word}>>` : `array<${word}>`;
      const access = written ? "read_write" : "read";
      return `@group(0) @binding(${i}) var<storage, ${access}> ${name}: ${type};`;
    });
  }

  #bufferOf(key: number): number {
    return this.places?.buffer(key) ?? key;
  }

  #use(value: number, dtype: DType): Binding {
    const key = this.#bufferOf(value);
    return getOrInsert(this.#bindings, key, () => {
      return { key, name: `buffer${this.#bindings.size}`, dtype, written: false };
    });
  }
}
