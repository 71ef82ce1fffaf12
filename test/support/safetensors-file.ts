const encoder = new TextEncoder();

/** A file of any header text and data, with the header's true length unless told otherwise. */
export function safetensorsFile(
  header: string | Uint8Array,
  data: number[] = [],
  length?: bigint,
): Uint8Array {
  const text = typeof header === "string" ? encoder.encode(header) : header;
  const bytes = new Uint8Array(8 + text.length + data.length);
  new DataView(bytes.buffer).setBigUint64(0, length ?? BigInt(text.length), true);
  bytes.set(text, 8);
  bytes.set(data, 8 + text.length);
  return bytes;
}
