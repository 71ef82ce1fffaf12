import { DTypeError } from "./errors.ts";
import { encodeFloat } from "./small-floats.ts";

/**
 * Element types. `f64` lives on the CPU only; those of 8 and 16 bits are storage: they are moved and
 * gathered as they are, and cast before arithmetic. `f16` is IEEE 754's binary16.
 */
export type DType = "f32" | "i32" | "u32" | "bool" | "f64" | "u8" | "i8" | "u16" | "i16" | "f16";

/** Typed arrays that hold tensor elements; `bool` and `u8` share `Uint8Array`, `u16` and the bits of `f16` `Uint16Array`. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int32Array
  | Uint32Array
  | Uint8Array
  | Int8Array
  | Uint16Array
  | Int16Array;

type ArrayKind =
  | Float32ArrayConstructor
  | Float64ArrayConstructor
  | Int32ArrayConstructor
  | Uint32ArrayConstructor
  | Uint8ArrayConstructor
  | Int8ArrayConstructor
  | Uint16ArrayConstructor
  | Int16ArrayConstructor;

/** What may be said of a dtype; ops take those of which one of these is true. */
export type Trait =
  | "float"
  | "integer"
  | "bool"
  /** Has numbers below 0, and can be computed with. */
  | "signed"
  /** Can be computed with, and is no bool. */
  | "number"
  /** Names elements: whole numbers that are computed with. */
  | "index"
  /** Counts as random numbers are drawn: words of 32 bits. */
  | "counter"
  /** Whole numbers from 0 to 255. */
  | "byte"
  /** Can be computed with, bools too; others are storage, to be cast first. */
  | "any"
  /** WebGPU devices have it; the CPU has all. */
  | "gpu";

/** What there is to know of a dtype. Code asks for one of these facts, never which dtype it is. */
export interface ElementType {
  readonly traits: readonly Trait[];
  /** The typed array that holds elements on the host. */
  readonly array: ArrayKind;
  /** The smallest element as it is held, −∞ of floats. */
  readonly min: number;
  /** The largest element as it is held, ∞ of floats. */
  readonly max: number;
  /** How far the next larger element is from 1. */
  readonly epsilon: number;
  /** How many decimal digits an element has, at most those of a JavaScript number. */
  readonly digits: number;
  /** The rule by which every cast turns a number into an element that is none of bits, on all devices. */
  readonly convert: (value: number) => number;
  /** Names the typed array of numbers that elements stand for which are held as their bits. */
  readonly numbers?: string;
  /** The WGSL type of an element in expressions; f32 for floats, as functions are written for it. */
  readonly wgsl: string;
  /** The WGSL type of what lies in buffers: an element, or several as bits. */
  readonly word: string;
  /** Bytes of that. */
  readonly wordBytes: number;
  /** How many elements share a word, the first one lowest. */
  readonly perWord: number;
  /** The dtype in which kernels accumulate elements. */
  readonly accumulate: DType;
}

function row(
  traits: readonly Trait[],
  array: ArrayKind,
  min: number,
  max: number,
  wgsl: DType,
  more: Partial<ElementType> = {},
): ElementType {
  const convert = (value: number) =>
    Number.isNaN(value) ? 0 : Math.min(max, Math.max(min, Math.trunc(value)));
  const buffer = { word: wgsl, wordBytes: 4, perWord: 1 };
  const usual = { epsilon: 1, digits: 16, convert, ...buffer, accumulate: wgsl };
  return { traits, array, min, max, wgsl, ...usual, ...more };
}

const FLOAT = ["float", "signed", "number", "any"] as const;
const INTEGER = ["integer", "number", "index", "any", "gpu"] as const;
const STORAGE = ["integer", "gpu"] as const;
const [MIN, MAX] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];

/** The table of dtypes: a new one is a row here. */
export const DTYPES: Readonly<Record<DType, ElementType>> = {
  f32: row([...FLOAT, "gpu"], Float32Array, MIN, MAX, "f32", {
    convert: Math.fround,
    epsilon: 2 ** -23,
    digits: 6,
  }),
  i32: row([...INTEGER, "signed"], Int32Array, -(2 ** 31), 2 ** 31 - 1, "i32"),
  u32: row([...INTEGER, "counter"], Uint32Array, 0, 2 ** 32 - 1, "u32"),
  bool: row(["bool", "any", "gpu"], Uint8Array, 0, 1, "bool", {
    convert: (value) => (value !== 0 ? 1 : 0),
    word: "u32",
  }),
  // As f32 where a program of the CPU is planned for a GPU to be explained.
  f64: row(FLOAT, Float64Array, MIN, MAX, "f32", { convert: Number, epsilon: 2 ** -52 }),
  u8: row([...STORAGE, "byte"], Uint8Array, 0, 255, "u32", { perWord: 4 }),
  i8: row(STORAGE, Int8Array, -128, 127, "i32", { perWord: 4 }),
  u16: row(STORAGE, Uint16Array, 0, 2 ** 16 - 1, "u32", { perWord: 2 }),
  i16: row(STORAGE, Int16Array, -(2 ** 15), 2 ** 15 - 1, "i32", { perWord: 2 }),
  f16: row(["gpu"], Uint16Array, 0, 2 ** 16 - 1, "u32", {
    epsilon: 2 ** -10,
    digits: 3,
    numbers: "Float16Array",
    perWord: 2,
  }),
};

/** The names of dtypes, in the table's order. */
export const DTYPE_NAMES = Object.keys(DTYPES) as readonly DType[];

/** Says whether something is true of a dtype. */
export function is(dtype: DType, trait: Trait): boolean {
  return DTYPES[dtype].traits.includes(trait);
}

/** Lists the dtypes of which something is true: floats, then integers, then bools. */
export function dtypesOf(trait: Trait): DType[] {
  return (["float", "integer", "bool"] as const).flatMap((kind) =>
    DTYPE_NAMES.filter((dtype) => is(dtype, kind) && is(dtype, trait)),
  );
}

/** Throws a `DTypeError` unless a dtype has a trait; `what` is what the message says before it. */
export function expectDType(what: string, dtype: DType, trait: Trait): void {
  if (is(dtype, trait)) return;
  throw new DTypeError(`${what} ${dtype}; expected ${either(dtypesOf(trait))}`);
}

/** Lists alternatives as a sentence does: `a, b or c`. */
export function either(names: readonly string[]): string {
  return names.join(", ").replace(/, ([^,]*)$/, " or $1");
}

/** Says whether a value names a dtype. */
export function isDType(value: unknown): value is DType {
  return DTYPE_NAMES.includes(value as DType);
}

/** Says whether a dtype is a floating-point one. */
export function isFloat(dtype: DType): boolean {
  return is(dtype, "float");
}

/** Says whether a dtype's elements are floats that are held as their bits. */
export function isHalf(dtype: DType): boolean {
  return DTYPES[dtype].numbers !== undefined;
}

/** Turns a number into an element as every cast does. */
export function convert(value: number, dtype: DType): number {
  return isHalf(dtype) ? encodeFloat(value) : DTYPES[dtype].convert(value);
}

/** Allocates `size` zeros of a dtype. */
export function allocate(dtype: DType, size: number): NumericArray {
  return new DTYPES[dtype].array(size);
}

/** The form of one element where only its type changes: stores round. */
export function asIs(x: number): number {
  return x;
}
