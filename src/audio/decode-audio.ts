import { asBytes, type Bytes, copyBytes } from "../core/bytes.ts";
import { checkOptions } from "../core/check.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import { kindOf } from "../core/kind.ts";
import type { Device } from "../graph/device.ts";
import type { Tensor } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { checkRates, resample } from "./resample.ts";
import { parseWav } from "./wav.ts";

/** Options of `decodeAudio`. */
export interface DecodeAudioOptions {
  /** Samples a second that the result has, of each channel; the file's are turned into these. */
  sampleRate: number;
  /** The device of `init` when left out. */
  device?: Device;
}

/**
 * Decodes a sound: f32 `[channels, samples]` in [−1, 1]. In a page it may be of any form that the browser
 * plays, through `decodeAudioData`, which changes its rate, too; in Node, and in workers, it is a WAV file
 * (`readWav`), whose rate `resample` changes.
 * @param input a file, such as `await (await fetch(url)).blob()`.
 * @throws FormatError for what cannot be decoded, GradusError for other options.
 * @example
 * const sound = await decodeAudio(new Blob([wavBytes]), { sampleRate: 16_000 });
 * await sound.shape[0]; // 1
 */
export async function decodeAudio(
  input: Blob | Uint8Array | ArrayBuffer,
  options: DecodeAudioOptions,
  ...surplus: never[]
): Promise<Tensor> {
  const op = "decodeAudio";
  checkOptions<DecodeAudioOptions>(op, options, { sampleRate: "number", device: true }, surplus);
  const { sampleRate, device } = options;
  checkRates(op, { sampleRate });
  const isBlob = ["Blob", "File"].includes(kindOf(input));
  const bytes = asBytes(op, isBlob ? await (input as Blob).arrayBuffer() : (input as ArrayBuffer));
  if (typeof OfflineAudioContext === "undefined") {
    const wav = parseWav(op, bytes);
    return resample(planes(wav.channels, device), { from: wav.sampleRate, to: sampleRate });
  }
  return planes(await decoded(op, bytes, sampleRate), device);
}

/** The channels of a file as the browser decodes it. */
async function decoded(op: string, bytes: Uint8Array, sampleRate: number): Promise<Float32Array[]> {
  const context = contextOf(op, sampleRate);
  // Decoding takes the buffer away.
  const own: Bytes = copyBytes(bytes, 0, bytes.length);
  try {
    const buffer = await context.decodeAudioData(own.buffer);
    return Array.from({ length: buffer.numberOfChannels }, (_, i) => buffer.getChannelData(i));
  } catch (cause) {
    throw new FormatError(
      `${op}: ${bytes.length} bytes that the browser does not decode; expected a sound that it plays`,
      { cause },
    );
  }
}

function contextOf(op: string, sampleRate: number): OfflineAudioContext {
  try {
    return new OfflineAudioContext({ numberOfChannels: 1, length: 1, sampleRate });
  } catch (cause) {
    throw new GradusError(
      `${op}: sampleRate ${sampleRate}; expected one that the browser has, such as 8000 to 96000`,
      { cause },
    );
  }
}

function planes(channels: readonly Float32Array[], device: Device | undefined): Tensor {
  const samples = channels[0].length;
  const all = new Float32Array(channels.length * samples);
  for (const [i, channel] of channels.entries()) all.set(channel, i * samples);
  return tensor(all, { shape: [channels.length, samples], device });
}
