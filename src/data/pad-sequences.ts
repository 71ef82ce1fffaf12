import { dtypeOfArray } from "../core/array-dtype.ts";
import {
  checkCounts,
  checkNumbers,
  checkOptions,
  checkWords,
  describeValue,
} from "../core/check.ts";
import { allocate, type DType } from "../core/dtype.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { checkDType } from "../graph/tensor.ts";
import { tensor } from "../ops/creation.ts";
import { BatchTensors, type TensorBatch } from "./tensor-dataset.ts";

/** A sequence: a number for each element, or as many numbers for each. */
export type Sequence = ArrayLike<number> | ArrayLike<ArrayLike<number>>;

/** Where padding goes and what it is. */
export interface PaddingOptions {
  /** What stands behind, or in front of, a sequence's own elements; 0 when left out. */
  value?: number;
  /** Where padding goes: "right", behind the elements, when left out. */
  side?: "right" | "left";
  /** The first sequence's, if it is a typed array, else `f32`, when left out. */
  dtype?: DType;
  /** The device of `init` when left out. */
  device?: Device;
}

/** The names of `PaddingOptions`. */
export const PADDING = { value: true, side: "string", dtype: true, device: true } as const;

/** Options of `padSequences`. */
export interface PadSequencesOptions extends PaddingOptions {
  /** How many elements each gets, not below the longest sequence; as many when left out. */
  length?: number;
}

/**
 * Makes one tensor of sequences of different lengths: `x` `[n, length]`, or `[n, length, features]` of
 * elements of several numbers, with `lengths` i32 `[n]` and `mask` bool `[n, length]`, which is true
 * where `x` has an element of its sequence. PyTorch's `pad_sequence`, batch first.
 * @throws ShapeError for no sequences, elements of different sizes, and a `length` below a sequence's;
 * GradusError for what is no sequence; DTypeError for numbers that the dtype does not hold.
 * @example
 * const { x, lengths, mask } = padSequences([[5, 6, 7], [8]]);
 * await x.toArray(); // [[5, 6, 7], [8, 0, 0]]
 * await lengths.toArray(); // [3, 1]
 * await mask.toArray(); // [[1, 1, 1], [1, 0, 0]]
 */
export function padSequences(
  sequences: readonly Sequence[],
  options: PadSequencesOptions = {},
  ...surplus: never[]
): TensorBatch<"x" | "lengths" | "mask"> {
  const op = "padSequences";
  checkOptions<PadSequencesOptions>(op, options, { length: "number", ...PADDING }, surplus);
  const facts = checkSequences(op, sequences);
  checkPaddingOptions(op, options);
  const { length = facts.longest } = options;
  checkCounts(op, { length });
  if (length < facts.longest) {
    throw new ShapeError(
      `${op}: length ${length} for a sequence of ${facts.longest} elements; ` +
        `expected at least ${facts.longest}`,
    );
  }
  const all = sequences.map((_, i) => i);
  const named = padded({ op, sequences, ...facts, options }, all, length);
  return new BatchTensors(Object.entries(named), []) as unknown as TensorBatch<
    "x" | "lengths" | "mask"
  >;
}

/** What holds of sequences that were checked. */
export interface SequenceFacts {
  /** Elements of the longest. */
  longest: number;
  /** Numbers of each element; null where it is one. */
  features: number | null;
}

/** Checks sequences, and gives what holds of them. */
export function checkSequences(op: string, sequences: readonly Sequence[]): SequenceFacts {
  const isList = Array.isArray(sequences) && sequences.length > 0;
  if (!isList) {
    const given = Array.isArray(sequences) ? "no sequences" : describeValue(sequences);
    throw new ShapeError(`${op}: ${given}; expected a list of at least one sequence`);
  }
  let longest = 0;
  let features: number | null | undefined;
  for (const [i, sequence] of sequences.entries()) {
    if (typeof sequence !== "object" || !Number.isSafeInteger(sequence?.length)) {
      const given = describeValue(sequence);
      throw new GradusError(`${op}: sequence ${i} is ${given}; expected an array of numbers`);
    }
    longest = Math.max(longest, sequence.length);
    for (let t = 0; t < sequence.length; t++) {
      const own = featuresOf(op, i, sequence[t]);
      features = features === undefined ? own : features;
      if (own === features) continue;
      const [a, b] = [own, features].map((size) =>
        size === null ? "a number" : `${size} numbers`,
      );
      throw new ShapeError(
        `${op}: element ${t} of sequence ${i} is ${a}, others ${b}; expected one size`,
      );
    }
  }
  return { longest, features: features ?? null };
}

function featuresOf(op: string, i: number, element: number | ArrayLike<number>): number | null {
  if (typeof element === "number") return null;
  const isList = typeof element === "object" && Number.isSafeInteger(element?.length);
  const wrong = isList ? Array.from(element).findIndex((x) => typeof x !== "number") : -1;
  if (isList && wrong < 0) return element.length;
  const given = isList
    ? `${describeValue(element)} with ${describeValue(element[wrong])}`
    : describeValue(element);
  throw new GradusError(`${op}: sequence ${i} holds ${given}; expected numbers, or arrays of them`);
}

/** Throws unless padding is as it may be. */
export function checkPaddingOptions(op: string, options: PaddingOptions): void {
  const { value = 0, side = "right", dtype, device = defaultDevice() } = options;
  checkNumbers(op, { value });
  checkWords(op, { side }, ["right", "left"]);
  if (dtype !== undefined) checkDType(op, dtype, device);
}

/** Sequences, what holds of them, and how they are padded. */
export interface PaddedSequences extends SequenceFacts {
  op: string;
  sequences: readonly Sequence[];
  options: PaddingOptions;
}

/** Makes `x`, `lengths` and `mask` of some of the sequences. */
export function padded(padding: PaddedSequences, chosen: ArrayLike<number>, length: number) {
  const { op, sequences, features, options } = padding;
  const { value = 0, side = "right", dtype, device } = options;
  const n = chosen.length;
  const width = features ?? 1;
  const own = ArrayBuffer.isView(sequences[0]) ? dtypeOfArray(op, sequences[0]) : "f32";
  const values = new Float64Array(n * length * width).fill(value);
  const lengths = new Int32Array(n);
  const mask = allocate("bool", n * length);
  for (let row = 0; row < n; row++) {
    const sequence = sequences[chosen[row]];
    lengths[row] = sequence.length;
    const begin = row * length + (side === "right" ? 0 : length - sequence.length);
    mask.fill(1, begin, begin + sequence.length);
    for (let t = 0; t < sequence.length; t++) {
      const element = sequence[t];
      if (typeof element === "number") values[begin + t] = element;
      else values.set(element, (begin + t) * width);
    }
  }
  const shape = features === null ? [n, length] : [n, length, width];
  return {
    x: tensor(values, { shape, dtype: dtype ?? own, device }),
    lengths: tensor(lengths, { device }),
    mask: tensor(mask, { shape: [n, length], dtype: "bool", device }),
  };
}
