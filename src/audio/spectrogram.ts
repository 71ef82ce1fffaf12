import {
  checkEach,
  checkNotNegative,
  checkOptions,
  checkPositive,
  checkSizes,
  checkWords,
  isInteger,
  type Known,
} from "../core/check.ts";
import { type DType, expectDType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add, neg, square } from "../ops/arithmetic.ts";
import { tensor } from "../ops/creation.ts";
import { matmul } from "../ops/matmul.ts";
import { pad } from "../ops/pad.ts";
import { transpose } from "../ops/reshape.ts";
import { sqrt } from "../ops/unary.ts";
import { windows } from "../ops/windows.ts";
import { checkRates } from "./resample.ts";

/** How a sound is cut into frames. */
export interface StftOptions {
  /** Samples of a frame, from 1 to 2¹⁴; 400 when left out. */
  fftSize?: number;
  /**
   * How far a frame begins behind the one before; when left out, a quarter of `fftSize` in `stft`, as PyTorch
   * has it, and half in spectrograms, as torchaudio, rounded down.
   */
  hopLength?: number;
  /** By what a frame is multiplied: Hann's window, periodic, when left out. */
  window?: "hann" | "hamming" | "none";
  /**
   * Whether frames lie around their places, so that the sound is mirrored at its ends by half a frame; true
   * when left out.
   */
  center?: boolean;
}

/** Options of `spectrogram`. */
export interface SpectrogramOptions extends StftOptions {
  /** 2 for power, when left out, or 1 for amplitude, which has no gradient where it is 0. */
  power?: 1 | 2;
}

/** Options of `melFilters`. */
export interface MelFilterOptions {
  /** Samples a second of the sound. */
  sampleRate: number;
  /** Samples of a frame, as of the spectrogram; 400 when left out. */
  fftSize?: number;
  /** How many filters there are; 128 when left out. */
  mels?: number;
  /** The lowest frequency, in Hz; 0 when left out. */
  low?: number;
  /** The highest frequency, in Hz; half of `sampleRate` when left out. */
  high?: number;
  /** Where filters lie: by the formula of HTK, when left out, or of Slaney's Auditory Toolbox. */
  scale?: "htk" | "slaney";
  /** Whether all filters have the same area; false when left out, for the same height. */
  normalize?: boolean;
  dtype?: DType;
  /** The device of `init` when left out. */
  device?: Device;
}

/** Options of `melSpectrogram`. */
export type MelSpectrogramOptions = SpectrogramOptions & Omit<MelFilterOptions, "dtype" | "device">;

const STFT: Known<StftOptions> = {
  fftSize: "number",
  hopLength: true,
  window: "string",
  center: "boolean",
};
const MEL: Known<Omit<MelFilterOptions, "fftSize" | "dtype" | "device">> = {
  sampleRate: "number",
  mels: true,
  low: true,
  high: true,
  scale: "string",
  normalize: "boolean",
};

/** The longest frame, whose matrices have twice as many columns as half of it, and the most filters. */
const LONGEST = 2 ** 14;

/**
 * Gives the Fourier transforms of a sound's frames, the real and the imaginary part, each
 * `[…, ⌊fftSize / 2⌋ + 1, frames]`: X[f, t] = Σ w[n] · x[t · hop + n] · e^(−2πi · f · n / fftSize). As
 * PyTorch's `stft`, by products of matrices, which have a gradient of any order on every device.
 * @param x floats `[…, samples]`.
 * @throws ShapeError for a sound shorter than a frame, or than half of one and a sample where it is
 * mirrored; GradusError for other options.
 * @example
 * const { real, imaginary } = stft(zeros([16_000]));
 * await real.shape; // [201, 161]
 */
export function stft(
  x: Tensor,
  options: StftOptions = {},
  ...surplus: never[]
): { real: Tensor; imaginary: Tensor } {
  checkOptions<StftOptions>("stft", options, STFT, surplus);
  return transformed("stft", x, options, 4);
}

/**
 * Gives how strong each frequency of a sound is at each time, `[…, ⌊fftSize / 2⌋ + 1, frames]`: |X|² of
 * `stft`, or |X|. As torchaudio's `Spectrogram`, with its defaults.
 * @param x floats `[…, samples]`.
 * @throws what `stft` throws.
 * @example await spectrogram(zeros([2, 16_000])).shape; // [2, 201, 81]
 */
export function spectrogram(
  x: Tensor,
  options: SpectrogramOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions<SpectrogramOptions>("spectrogram", options, { ...STFT, power: true }, surplus);
  return strengths("spectrogram", x, options);
}

/**
 * Gives triangular filters that lie evenly on the mel scale, `[⌊fftSize / 2⌋ + 1, mels]`: each column says
 * how much of each frequency is in one. As torchaudio's `melscale_fbanks`.
 *
 * Source: O'Shaughnessy 1987, "Speech communication: human and machine"; Slaney 1998, "Auditory Toolbox".
 * @throws GradusError for options out of range.
 * @example await melFilters({ sampleRate: 16_000, mels: 40 }).shape; // [201, 40]
 */
export function melFilters(options: MelFilterOptions, ...surplus: never[]): Tensor {
  const known = { ...MEL, fftSize: true, dtype: true, device: true } as const;
  checkOptions<MelFilterOptions>("melFilters", options, known, surplus);
  checkMel("melFilters", options);
  const { fftSize = 400, mels = 128, dtype, device } = options;
  const shape = [Math.floor(fftSize / 2) + 1, mels];
  return tensor(triangles(options), { shape, dtype: dtype ?? "f32", device });
}

/**
 * Gives a sound's spectrogram in the bands of the mel scale, `[…, mels, frames]`: `melFilters` of
 * `spectrogram`. As torchaudio's `MelSpectrogram`, with its defaults but for the rate, which is to be told.
 * @param x floats `[…, samples]`.
 * @throws what `stft` and `melFilters` throw.
 * @example await melSpectrogram(zeros([16_000]), { sampleRate: 16_000, mels: 40 }).shape; // [40, 81]
 */
export function melSpectrogram(
  x: Tensor,
  options: MelSpectrogramOptions,
  ...surplus: never[]
): Tensor {
  const op = "melSpectrogram";
  checkOptions<MelSpectrogramOptions>(op, options, { ...STFT, power: true, ...MEL }, surplus);
  checkMel(op, options);
  const strength = strengths(op, x, options);
  const { fftSize = 400, mels = 128 } = options;
  const shape = [Math.floor(fftSize / 2) + 1, mels];
  const filters = tensor(triangles(options), { shape, dtype: x.dtype, device: x.device });
  return matmul(transpose(filters), strength);
}

function strengths(op: string, x: Tensor, options: SpectrogramOptions): Tensor {
  const { power = 2 } = options;
  checkEach(op, { power }, (x) => x === 1 || x === 2, "1 or 2");
  const { real, imaginary } = transformed(op, x, options, 2);
  const squares = add(square(real), square(imaginary));
  return power === 2 ? squares : sqrt(squares);
}

function transformed(
  op: string,
  x: Tensor,
  options: StftOptions,
  hops: number,
): { real: Tensor; imaginary: Tensor } {
  checkTensors(op, [x]);
  expectDType(`${op}: x has dtype`, x.dtype, "float");
  const { fftSize = 400, window = "hann", center = true } = options;
  const { hopLength = Math.max(1, Math.floor(fftSize / hops)) } = options;
  checkFrame(op, fftSize);
  checkSizes(op, { hopLength });
  checkWords(op, { window }, ["hann", "hamming", "none"]);
  const half = Math.floor(fftSize / 2);
  const least = center ? half + 1 : fftSize;
  if (x.rank === 0 || x.shape[x.rank - 1] < least) {
    throw new ShapeError(
      `${op}: x ${formatShape(x.shape)} with fftSize ${fftSize}; expected […, samples] of at least ` +
        `${least} samples`,
    );
  }
  const edges = x.shape.map((_, axis) =>
    axis === x.rank - 1 ? ([half, half] as const) : ([0, 0] as const),
  );
  const sound = center ? pad(x, edges, { mode: "reflect" }) : x;
  const frames = windows(sound, fftSize, { axis: -1, stride: hopLength }); // […, frames, fftSize]
  const waves = (wave: (angle: number) => number) => {
    const values = wavesOf(fftSize, window, wave);
    const shape = [fftSize, half + 1];
    const matrix = tensor(values, { shape, dtype: x.dtype, device: x.device });
    return transpose(matmul(frames, matrix), -1, -2);
  };
  return { real: waves(Math.cos), imaginary: neg(waves(Math.sin)) };
}

/** w[n] · wave(2π · f · n / N), row by row of n. */
function wavesOf(
  size: number,
  window: "hann" | "hamming" | "none",
  wave: (angle: number) => number,
): Float64Array {
  const columns = Math.floor(size / 2) + 1;
  const share = { hann: 0.5, hamming: 0.54, none: 1 }[window];
  const values = new Float64Array(size * columns);
  for (let n = 0; n < size; n++) {
    // A window of one sample takes all of it, in PyTorch too, where the formula would give 0.
    const weight = size === 1 ? 1 : share - (1 - share) * Math.cos((2 * Math.PI * n) / size);
    for (let f = 0; f < columns; f++) {
      values[n * columns + f] = weight * wave((2 * Math.PI * ((f * n) % size)) / size);
    }
  }
  return values;
}

function checkFrame(op: string, fftSize: number): void {
  checkEach(op, { fftSize }, (x) => isInteger(x, 1, LONGEST), `an integer from 1 to ${LONGEST}`);
}

function checkMel(op: string, options: Omit<MelFilterOptions, "dtype" | "device">): void {
  const { sampleRate, fftSize = 400, mels = 128, low = 0, scale = "htk" } = options;
  checkRates(op, { sampleRate });
  checkFrame(op, fftSize);
  const isCount = (x: unknown) => isInteger(x, 1, LONGEST);
  checkEach(op, { mels }, isCount, `an integer from 1 to ${LONGEST}`, ShapeError);
  checkNotNegative(op, { low });
  const { high = sampleRate / 2 } = options;
  checkPositive(op, { high });
  checkWords(op, { scale }, ["htk", "slaney"]);
  if (low < high) return;
  throw new GradusError(`${op}: low ${low} and high ${high}; expected low below high`);
}

/** Row by row of frequencies, how much of each is in each filter. */
function triangles(options: Omit<MelFilterOptions, "dtype" | "device">): Float64Array {
  const { sampleRate, fftSize = 400, mels = 128, low = 0, high = sampleRate / 2 } = options;
  const { scale = "htk", normalize = false } = options;
  const { toMel, toHertz } = SCALES[scale];
  const [first, last] = [toMel(low), toMel(high)];
  // The places where filters begin, are highest and end.
  const at = Array.from({ length: mels + 2 }, (_, i) =>
    toHertz(first + ((last - first) * i) / (mels + 1)),
  );
  const rows = Math.floor(fftSize / 2) + 1;
  const values = new Float64Array(rows * mels);
  for (let row = 0; row < rows; row++) {
    const frequency = rows === 1 ? 0 : (Math.floor(sampleRate / 2) * row) / (rows - 1);
    for (let m = 0; m < mels; m++) {
      const rising = (frequency - at[m]) / (at[m + 1] - at[m]);
      const falling = (at[m + 2] - frequency) / (at[m + 2] - at[m + 1]);
      const height = normalize ? 2 / (at[m + 2] - at[m]) : 1;
      values[row * mels + m] = height * Math.max(0, Math.min(rising, falling));
    }
  }
  return values;
}

/** Where Slaney's scale goes over from steps of 200/3 Hz to steps by a factor. */
const BEND = { hertz: 1000, mel: 15, factor: Math.log(6.4) / 27 };

const SCALES = {
  htk: {
    toMel: (hertz: number) => 2595 * Math.log10(1 + hertz / 700),
    toHertz: (mel: number) => 700 * (10 ** (mel / 2595) - 1),
  },
  slaney: {
    toMel: (hertz: number) =>
      hertz < BEND.hertz
        ? (3 * hertz) / 200
        : BEND.mel + Math.log(hertz / BEND.hertz) / BEND.factor,
    toHertz: (mel: number) =>
      mel < BEND.mel ? (200 * mel) / 3 : BEND.hertz * Math.exp(BEND.factor * (mel - BEND.mel)),
  },
};
