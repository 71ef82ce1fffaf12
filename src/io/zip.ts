import { decodeUtf8, joinBytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";
import { passBytes } from "../core/packed.ts";
import { quote } from "../core/quote.ts";

/** A file in an archive. */
export interface ZipFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

const LOCAL = 0x04034b50;
const CENTRAL = 0x02014b50;
const END = 0x06054b50;

/** Bytes of the records' fixed parts. */
const [LOCAL_BYTES, CENTRAL_BYTES, END_BYTES] = [30, 46, 22];

/** The longest comment behind an archive. */
const COMMENT = 0xffff;

const STORED = 0;
const DEFLATED = 8;

/** As any time is as good: 1 January 1980, so that equal files give equal archives. */
const DATE = 0x21;

/**
 * Reads a ZIP archive of stored and deflated files, of less than 4 GiB and without encryption.
 * Source: PKWARE's APPNOTE.TXT 6.3. Throws `FormatError`, as `op`, for any other.
 */
export async function readZip(op: string, bytes: Uint8Array): Promise<ZipFile[]> {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = findEnd(op, view);
  const files: ZipFile[] = [];
  let at = view.getUint32(end + 16, true);
  for (let count = view.getUint16(end + 10, true); count > 0; count--) {
    if (at + CENTRAL_BYTES > end || view.getUint32(at, true) !== CENTRAL) {
      throw damaged(op, `nothing listed at ${at}`);
    }
    const nameEnd = at + CENTRAL_BYTES + view.getUint16(at + 28, true);
    const name = decodeUtf8(bytes.subarray(at + CENTRAL_BYTES, nameEnd));
    if (name === null) throw damaged(op, `a name at ${at + CENTRAL_BYTES} that is no text`);
    files.push({ name, bytes: await content(op, name, view, at) });
    at = nameEnd + view.getUint16(at + 30, true) + view.getUint16(at + 32, true);
  }
  return files;
}

/** Finds the record at the archive's end, behind which there may be a comment. */
function findEnd(op: string, view: DataView): number {
  const last = view.byteLength - END_BYTES;
  for (let at = last; at >= Math.max(0, last - COMMENT); at--) {
    if (view.getUint32(at, true) === END) return at;
  }
  throw damaged(op, "no list of files");
}

/** The content of the file that is listed at a place. */
async function content(op: string, name: string, view: DataView, listed: number) {
  const method = view.getUint16(listed + 10, true);
  const packed = view.getUint32(listed + 20, true);
  const size = view.getUint32(listed + 24, true);
  const local = view.getUint32(listed + 42, true);
  const given = `file ${quote(name)}`;
  if (local + LOCAL_BYTES > view.byteLength || view.getUint32(local, true) !== LOCAL) {
    throw damaged(op, `${given} listed at ${local}, where none is`);
  }
  const start =
    local + LOCAL_BYTES + view.getUint16(local + 26, true) + view.getUint16(local + 28, true);
  if (start + packed > view.byteLength) throw damaged(op, `${given} beyond the archive's end`);
  const isEncrypted = (view.getUint16(listed + 8, true) & 1) === 1;
  if (isEncrypted || (method !== STORED && method !== DEFLATED)) {
    const how = isEncrypted ? "encrypted" : `compressed by method ${method}`;
    throw new FormatError(`${op}: ${given} ${how}; expected files stored or deflated`);
  }
  const data = new Uint8Array(view.buffer, view.byteOffset + start, packed);
  const bytes = method === STORED ? data : await inflate(data, size);
  if (bytes?.length !== size || crc32(bytes) !== view.getUint32(listed + 16, true)) {
    throw damaged(op, `${given} of other content than its checksum says`);
  }
  return bytes;
}

function damaged(op: string, given: string): FormatError {
  return new FormatError(`${op}: ${given}; expected a ZIP archive`);
}

/** Unpacks deflated bytes; null for what is none, or becomes more than `size`. */
async function inflate(data: Uint8Array, size: number): Promise<Uint8Array | null> {
  try {
    return await passBytes(data, new DecompressionStream("deflate-raw"), size);
  } catch {
    return null;
  }
}

/**
 * Writes a ZIP archive, its files deflated or stored; the same files give the same bytes. Throws
 * `FormatError`, as `op`, where it would be of 4 GiB or more.
 */
export async function writeZip(
  op: string,
  files: readonly ZipFile[],
  isDeflated: boolean,
): Promise<Uint8Array<ArrayBuffer>> {
  const parts: Uint8Array[] = [];
  const list: Uint8Array[] = [];
  let at = 0;
  for (const { name, bytes } of files) {
    const text = new TextEncoder().encode(name);
    const data = isDeflated ? await deflated(bytes) : bytes;
    const sizes = [crc32(bytes), data.length, bytes.length];
    // What a file has in front of it and in the list: flags say that its name is UTF-8.
    const method = isDeflated ? DEFLATED : STORED;
    const facts = [...words(2, 20, 0x800, method, 0, DATE), ...words(4, ...sizes)];
    const common = [...facts, ...words(2, text.length, 0)];
    parts.push(Uint8Array.from([...words(4, LOCAL), ...common]), text, data);
    const attributes = [...words(2, 0, 0, 0), ...words(4, 0, at)];
    const line = [...words(4, CENTRAL), ...words(2, 20), ...common, ...attributes];
    list.push(Uint8Array.from(line), text);
    at += LOCAL_BYTES + text.length + data.length;
  }
  const length = list.reduce((sum, part) => sum + part.length, 0);
  const counts = words(2, 0, 0, files.length, files.length);
  const end = Uint8Array.from([...words(4, END), ...counts, ...words(4, length, at), 0, 0]);
  const whole = at + length + END_BYTES;
  if (whole < 2 ** 32 && files.length < 0xffff) return joinBytes([...parts, ...list, end]);
  const given = `${op}: ${files.length} files of ${whole} bytes together`;
  throw new FormatError(`${given}; expected less than 65,535 files and 4 GiB`);
}

async function deflated(bytes: Uint8Array): Promise<Uint8Array> {
  return (await passBytes(bytes, new CompressionStream("deflate-raw"))) as Uint8Array;
}

/** Bytes of whole numbers, the lowest byte of each first. */
function words(size: number, ...numbers: readonly number[]): number[] {
  return numbers.flatMap((number) =>
    Array.from({ length: size }, (_, i) => Math.floor(number / 2 ** (8 * i)) % 256),
  );
}

/** The checksum of ZIP: CRC-32 of IEEE 802.3, bits reflected. */
function crc32(bytes: Uint8Array): number {
  let crc = 0xffffffff;
  for (let i = 0; i < bytes.length; i++) crc = (crc >>> 8) ^ CRC[(crc ^ bytes[i]) & 0xff];
  return ~crc >>> 0;
}

/** What a byte adds to the checksum. */
const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  return crc;
});
