import { asBytes } from "../core/bytes.ts";
import { FormatError } from "../core/errors.ts";

/** Sound as a file has it. */
export interface WavAudio {
  /** Samples a second, of each channel. */
  readonly sampleRate: number;
  /** The samples of each channel, in [−1, 1]. */
  readonly channels: readonly Float32Array<ArrayBuffer>[];
}

const PCM = 1;
const FLOAT = 3;
const EXTENSIBLE = 0xfffe;

/** What is told as a length by who writes a file before its end is known. */
const UNTOLD = 0xffff_ffff;

/** How many bits a sample may have. */
const SAMPLE_BITS: Readonly<Record<number, readonly number[]>> = {
  [PCM]: [8, 16, 24, 32],
  [FLOAT]: [32, 64],
};

/** What a file says of its samples. */
interface SampleForm {
  readonly code: number;
  readonly count: number;
  readonly sampleRate: number;
  readonly bits: number;
}

/**
 * Reads a WAV file of integers of 8, 16, 24 or 32 bits or floats of 32 or 64, of any number of channels.
 * Source: Microsoft and IBM 1991, "Multimedia programming interface and data specifications".
 * @throws FormatError for any other file, and for one that ends before its samples do.
 * @example
 * const { sampleRate, channels } = readWav(wavBytes);
 * const sound = tensor(channels[0]); // [samples]
 */
export function readWav(input: Uint8Array | ArrayBuffer): WavAudio {
  return parseWav("readWav", input);
}

/** Reads a file as `readWav` does; messages name `op`. */
export function parseWav(op: string, input: Uint8Array | ArrayBuffer): WavAudio {
  const bytes = asBytes(op, input);
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 12 || named(view, 0) !== "RIFF" || named(view, 8) !== "WAVE") {
    throw new FormatError(`${op}: ${bytes.length} bytes of another kind; expected a WAV file`);
  }
  let form: SampleForm | null = null;
  for (let at = 12; at + 8 <= bytes.length; ) {
    const name = named(view, at);
    const begin = at + 8;
    const told = view.getUint32(at + 4, true);
    const length = Math.min(told, bytes.length - begin);
    if (name === "data" && told > length && told !== UNTOLD) {
      throw new FormatError(
        `${op}: ${length} bytes of samples; expected ${told}, as the file says. It ends too early`,
      );
    }
    if (name === "fmt ") form = formOf(op, view, begin, length);
    if (name === "data") return samplesOf(op, form, view, begin, length);
    at = begin + length + (length % 2);
  }
  throw new FormatError(`${op}: a WAV file without samples; expected a part called data`);
}

function named(view: DataView, at: number): string {
  return String.fromCharCode(...Array.from({ length: 4 }, (_, i) => view.getUint8(at + i)));
}

function formOf(op: string, view: DataView, at: number, length: number): SampleForm {
  if (length < 16) {
    throw new FormatError(`${op}: a form of ${length} bytes; expected at least 16`);
  }
  const told = view.getUint16(at, true);
  const code = told === EXTENSIBLE && length >= 26 ? view.getUint16(at + 24, true) : told;
  const [count, sampleRate] = [view.getUint16(at + 2, true), view.getUint32(at + 4, true)];
  const bits = view.getUint16(at + 14, true);
  if (count > 0 && sampleRate > 0 && SAMPLE_BITS[code]?.includes(bits)) {
    return { code, count, sampleRate, bits };
  }
  throw new FormatError(
    `${op}: ${count} channels of ${bits} bits of form ${code}, ${sampleRate} times a second; expected ` +
      "integers (1) of 8, 16, 24 or 32 bits, or floats (3) of 32 or 64",
  );
}

function samplesOf(
  op: string,
  form: SampleForm | null,
  view: DataView,
  begin: number,
  length: number,
): WavAudio {
  if (!form) throw new FormatError(`${op}: samples before their form; expected a part called fmt`);
  const { count, sampleRate, bits } = form;
  const read = readerOf(form, view);
  const size = bits / 8;
  const samples = Math.floor(length / (size * count));
  const channels = Array.from({ length: count }, (_, channel) =>
    Float32Array.from({ length: samples }, (_, i) => read(begin + size * (i * count + channel))),
  );
  return { sampleRate, channels };
}

/** What reads a sample at a place: integers are divided by the size of the least. */
function readerOf({ code, bits }: SampleForm, view: DataView): (at: number) => number {
  if (code === FLOAT) {
    return bits === 32 ? (at) => view.getFloat32(at, true) : (at) => view.getFloat64(at, true);
  }
  if (bits === 8) return (at) => view.getUint8(at) / 128 - 1;
  if (bits === 16) return (at) => view.getInt16(at, true) / 2 ** 15;
  if (bits === 32) return (at) => view.getInt32(at, true) / 2 ** 31;
  return (at) => (view.getUint16(at, true) + view.getInt8(at + 2) * 2 ** 16) / 2 ** 23;
}
