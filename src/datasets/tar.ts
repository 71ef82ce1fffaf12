import { FormatError } from "../core/errors.ts";

const BLOCK = 512;

/**
 * Gives the plain files of a tar archive by their names, as parts of its bytes. Source: POSIX.1-1988,
 * ustar. Throws `FormatError`, as `op`, for any other.
 */
export function readTar(op: string, bytes: Uint8Array): Map<string, Uint8Array> {
  const files = new Map<string, Uint8Array>();
  for (let at = 0; at + BLOCK <= bytes.length; ) {
    const header = bytes.subarray(at, at + BLOCK);
    if (header.every((byte) => byte === 0)) break;
    const size = octal(header, 124, 12);
    const end = at + BLOCK + size;
    if (octal(header, 148, 8) !== headerSum(header) || !(end <= bytes.length)) {
      throw new FormatError(`${op}: no file at byte ${at} of an archive; expected a tar archive`);
    }
    const [prefix, name] = [text(header, 345, 155), text(header, 0, 100)];
    const isPlain = header[156] === 0 || header[156] === 0x30; // "0"
    if (isPlain) files.set(prefix ? `${prefix}/${name}` : name, bytes.subarray(at + BLOCK, end));
    at += BLOCK * (1 + Math.ceil(size / BLOCK));
  }
  return files;
}

/** The sum of a header's bytes, its own field taken for blanks. */
function headerSum(header: Uint8Array): number {
  return header.reduce((sum, byte, i) => sum + (i >= 148 && i < 156 ? 0x20 : byte), 0);
}

function text(header: Uint8Array, begin: number, length: number): string {
  const field = header.subarray(begin, begin + length);
  const end = field.indexOf(0);
  return String.fromCharCode(...(end < 0 ? field : field.subarray(0, end)));
}

function octal(header: Uint8Array, begin: number, length: number): number {
  const digits = text(header, begin, length).trim();
  return /^[0-7]+$/.test(digits) ? Number.parseInt(digits, 8) : Number.NaN;
}
