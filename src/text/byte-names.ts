/** Bytes that are written as themselves: what is printed in Latin-1. */
const PRINTED: readonly (readonly [number, number])[] = [
  [0x21, 0x7e],
  [0xa1, 0xac],
  [0xae, 0xff],
];

const isPrinted = (byte: number) => PRINTED.some(([low, high]) => byte >= low && byte <= high);

/**
 * A character for each byte, by which tokens are written in vocabularies: itself where it is printed,
 * else U+0100 and so on, so that a blank is Ġ. Source: GPT-2's encoder.py, `bytes_to_unicode`.
 */
export const BYTE_NAMES: readonly string[] = named();

function named(): string[] {
  let other = 0x100;
  return Array.from({ length: 256 }, (_, byte) =>
    String.fromCharCode(isPrinted(byte) ? byte : other++),
  );
}

const BYTES = /* @__PURE__ */ new Map(BYTE_NAMES.map((name, byte) => [name, byte]));

/** The bytes that a name is written for; null for one of other characters. */
export function bytesNamed(name: string): Uint8Array | null {
  const bytes = new Uint8Array(name.length);
  for (let i = 0; i < name.length; i++) {
    const byte = BYTES.get(name[i]);
    if (byte === undefined) return null;
    bytes[i] = byte;
  }
  return bytes;
}
