import { type Bytes, joinBytes } from "./bytes.ts";

/** Reads a stream to its end; null if it gives more than `most` bytes. `onPart` hears of each part. */
export async function readBytes(
  stream: ReadableStream<Uint8Array>,
  most: number = Number.POSITIVE_INFINITY,
  onPart?: (length: number) => void,
): Promise<Bytes | null> {
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > most) {
      await reader.cancel();
      return null;
    }
    parts.push(part.value);
    onPart?.(length);
  }
  return joinBytes(parts);
}

/** What bytes become in a stream that packs or unpacks them; null if that is more than `most`. */
export async function passBytes(
  data: Uint8Array,
  stream: DecompressionStream | CompressionStream,
  most?: number,
): Promise<Bytes | null> {
  const source = new Blob([data as Bytes]).stream();
  return readBytes(source.pipeThrough(stream) as ReadableStream<Uint8Array>, most);
}
