import { checkEach, checkOptions, isInteger } from "../core/check.ts";
import { expectDType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { inMemory } from "../core/host-memory.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { conv1d } from "../ops/conv.ts";
import { tensor } from "../ops/creation.ts";
import { pad } from "../ops/pad.ts";
import { reshape, transpose } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";

/** Options of `resample`. */
export interface ResampleOptions {
  /** Samples a second that there are. */
  from: number;
  /** Samples a second that there are to be. */
  to: number;
}

/** How many zeros of the sinc function lie on each side of a filter. */
const ZEROS = 6;

/** The highest frequency that passes, of the lower rate's own highest. */
const ROLLOFF = 0.99;

/** The most numbers of all filters together: 2 GiB while they are made. */
const MOST_WEIGHTS = 2 ** 28;

/**
 * Changes the rate of a sound: a sinc filter below the lower rate's highest frequency, in a Hann window,
 * as torchaudio's `resample` has it with what it takes when it is told nothing. n samples become
 * ⌈n · to / from⌉.
 *
 * Source: Smith, "Digital audio resampling home page".
 * @param x floats `[…, samples]`.
 * @throws ShapeError for a scalar, GradusError for rates that are no integers from 1 to 2²⁴, and for
 * two that have so little in common that their filters would be of more than 2²⁸ numbers.
 * @example await resample(zeros([2, 44_100]), { from: 44_100, to: 16_000 }).shape; // [2, 16000]
 */
export function resample(x: Tensor, options: ResampleOptions, ...surplus: never[]): Tensor {
  const op = "resample";
  checkTensors(op, [x]);
  checkOptions<ResampleOptions>(op, options, { from: true, to: true }, surplus);
  expectDType(`${op}: x has dtype`, x.dtype, "float");
  const { from, to } = options;
  checkRates(op, { from, to });
  if (x.rank === 0) throw new ShapeError(`${op}: x has shape []; expected at least one axis`);
  if (from === to) return x;
  const divisor = commonDivisor(from, to);
  const [own, wanted] = [from / divisor, to / divisor];
  const samples = x.shape[x.rank - 1];
  const lead = x.shape.slice(0, -1);
  const count = lead.reduce((product, size) => product * size, 1);
  const width = Math.ceil((ZEROS * own) / (ROLLOFF * Math.min(own, wanted)));
  const length = 2 * width + own;
  if (wanted * length > MOST_WEIGHTS) {
    throw new GradusError(
      `${op}: from ${from} to ${to} by filters of ${wanted * length} numbers; expected at most ` +
        `${MOST_WEIGHTS}, as of rates with a larger common divisor`,
    );
  }
  const filters = inMemory(op, () => filtersOf(own, wanted, width));
  const kernel = tensor(filters, {
    shape: [wanted, 1, length],
    dtype: x.dtype,
    device: x.device,
  });
  const padded = pad(reshape(x, [count, 1, samples]), [
    [0, 0],
    [0, 0],
    [width, width + own],
  ]);
  const phases = conv1d(padded, kernel, { stride: own }); // [count, wanted, …]
  const joined = reshape(transpose(phases, 1, 2), [count, phases.shape[1] * phases.shape[2]]);
  const end = Math.ceil((wanted * samples) / own);
  return reshape(slice(joined, [{}, { end }]), [...lead, end]);
}

/** Throws a `GradusError` unless rates are integers from 1 to 2²⁴. */
export function checkRates(op: string, rates: Readonly<Record<string, number>>): void {
  checkEach(op, rates, (x) => isInteger(x, 1, 2 ** 24), "an integer from 1 to 2^24");
}

/** A filter for each of the places between samples at which there are to be some, one row each. */
function filtersOf(own: number, wanted: number, width: number): Float64Array {
  const base = ROLLOFF * Math.min(own, wanted);
  const length = 2 * width + own;
  return Float64Array.from({ length: wanted * length }, (_, i) => {
    const [phase, place] = [Math.floor(i / length), i % length];
    const t = base * ((place - width) / own - phase / wanted);
    const within = Math.max(-ZEROS, Math.min(ZEROS, t));
    const angle = Math.PI * within;
    const sinc = angle === 0 ? 1 : Math.sin(angle) / angle;
    return (base / own) * sinc * Math.cos(angle / (2 * ZEROS)) ** 2;
  });
}

function commonDivisor(a: number, b: number): number {
  return b === 0 ? a : commonDivisor(b, a % b);
}
