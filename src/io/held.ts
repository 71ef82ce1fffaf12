import { DTYPE_NAMES, DTYPES, type DType, dtypesOf, type NumericArray } from "../core/dtype.ts";
import { DTypeError, FormatError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import type { SafetensorsTensor } from "./safetensors.ts";
import type { SafetensorsDType } from "./safetensors-dtype.ts";
import { decodeSmallFloats, SMALL_FLOATS } from "./small-floats.ts";

/** Elements as tensors hold them. */
export interface HeldElements {
  readonly dtype: DType;
  readonly data: NumericArray;
}

/** How elements of a file are read that no tensor has; `said` says which ones they are. */
interface Reading {
  readonly dtype: DType;
  read(data: SafetensorsTensor["data"], said: () => string): NumericArray;
}

/** The dtypes of files that are read as others, exactly or not at all. */
const READINGS: Partial<Record<SafetensorsDType, Reading>> = {
  F16: { dtype: "f32", read: (data) => decodeSmallFloats(data as Uint16Array, SMALL_FLOATS.F16) },
  BF16: { dtype: "f32", read: (data) => decodeSmallFloats(data as Uint16Array, SMALL_FLOATS.BF16) },
  I64: { dtype: "i32", read: (data, said) => narrowed(data as BigInt64Array, "i32", said) },
  U64: { dtype: "u32", read: (data, said) => narrowed(data as BigUint64Array, "u32", said) },
};

/** Names a dtype as safetensors files do: in capitals. */
export function fileDType(dtype: DType): SafetensorsDType {
  return dtype.toUpperCase() as Uppercase<DType>;
}

/** The dtype as which a tensor holds a file's elements: F16 and BF16 are f32, I64 is i32, U64 is u32. */
export function heldAs(dtype: SafetensorsDType): DType | undefined {
  return READINGS[dtype]?.dtype ?? DTYPE_NAMES.find((own) => fileDType(own) === dtype);
}

/**
 * Gives the elements of a file's tensor as a tensor holds them.
 * @throws DTypeError for a dtype that Gradus cannot hold, FormatError for a number beyond 32 bits.
 */
export function heldElements(
  op: string,
  name: string,
  { dtype, data }: SafetensorsTensor,
): HeldElements {
  const own = heldAs(dtype);
  const given = `${op}: tensor ${quote(name)}`;
  if (!own) {
    const all = (["float", "integer", "bool"] as const).flatMap(dtypesOf).map(fileDType);
    const expected = list([...all, ...Object.keys(READINGS)]);
    throw new DTypeError(`${given} has dtype ${dtype}; expected one of ${expected}`);
  }
  const reading = READINGS[dtype];
  if (!reading) return { dtype: own, data: data as NumericArray };
  return { dtype: own, data: reading.read(data, () => `${given} of dtype ${dtype}`) };
}

/** Whole numbers of 64 bits as numbers of 32; throws a `FormatError` if one is beyond them. */
function narrowed(
  data: BigInt64Array | BigUint64Array,
  dtype: DType,
  said: () => string,
): NumericArray {
  const { array, min, max } = DTYPES[dtype];
  const values = new array(data.length);
  for (let i = 0; i < data.length; i++) {
    const value = Number(data[i]);
    if (value < min || value > max) {
      throw new FormatError(
        `${said()} holds ${data[i]} at ${i}; expected numbers from ${min} to ${max}`,
      );
    }
    values[i] = value;
  }
  return values;
}
