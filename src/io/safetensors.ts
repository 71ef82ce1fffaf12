import { asBytes, copyBytes } from "../core/bytes.ts";
import { SAFETENSORS_ARRAYS, type SafetensorsDType } from "./safetensors-dtype.ts";
import { readHeader } from "./safetensors-header.ts";

/** One tensor of a file: row-major data; `shape` is empty for a scalar. */
export type SafetensorsTensor = {
  [D in SafetensorsDType]: {
    dtype: D;
    shape: number[];
    data: InstanceType<(typeof SAFETENSORS_ARRAYS)[D]>;
  };
}[SafetensorsDType];

/** The content of a file: tensors by name in the order of their data, and its free text. */
export interface Safetensors {
  tensors: Map<string, SafetensorsTensor>;
  metadata: Record<string, string>;
}

/**
 * Reads a safetensors file into typed arrays that share no memory with it.
 *
 * Layout: the header's length as a little-endian u64, the header (JSON: name → dtype, shape and
 * data_offsets), then the data without gap or overlap. Source: the format's description in
 * https://github.com/huggingface/safetensors. Throws `FormatError` for every file that differs.
 */
export function readSafetensors(input: Uint8Array | ArrayBuffer): Safetensors {
  return parseSafetensors("readSafetensors", input);
}

/** Reads a file as `readSafetensors` does; messages name `op`. */
export function parseSafetensors(op: string, input: Uint8Array | ArrayBuffer): Safetensors {
  const bytes = asBytes(op, input);
  const { entries, metadata, start } = readHeader(op, bytes);
  const tensors = new Map<string, SafetensorsTensor>();
  for (const { name, dtype, shape, begin, end } of entries) {
    const { buffer } = copyBytes(bytes, start + begin, start + end);
    const data = new SAFETENSORS_ARRAYS[dtype](buffer);
    tensors.set(name, { dtype, shape, data } as SafetensorsTensor);
  }
  return { tensors, metadata };
}
