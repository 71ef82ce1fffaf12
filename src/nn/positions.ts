import { checkDecay, checkOptions, checkPositive, checkSizes, type Known } from "../core/check.ts";
import { allocate, type DType, expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import { defaultDevice } from "../graph/default-device.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import { checkDType, checkTensors, sourceTensor, type Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { iota } from "../ops/creation.ts";
import { embedding } from "../ops/embedding.ts";
import { slice } from "../ops/slice.ts";
import { Dropout } from "./dropout.ts";
import { normal } from "./init.ts";
import { Module } from "./module.ts";

/** Options of `sinusoidalPositions`. */
export interface SinusoidalOptions {
  /** Of the frequencies, above 0; 10,000 when left out. */
  base?: number;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

const SINUSOIDAL: Known<SinusoidalOptions> = { base: "number", device: true, dtype: "string" };

/**
 * Gives a vector for each position: sin(p / base^(2i / dim)) in column 2i, the cosine of the same in
 * column 2i + 1.
 * Source: Vaswani et al. 2017, "Attention is all you need", section 3.5.
 * @param length how many positions, from 0 on.
 * @returns `[length, dim]`, computed in float64 and rounded once.
 * @throws ShapeError for sizes that are no positive integers, GradusError for another base.
 * @example await sinusoidalPositions(2, 2).toArray(); // about [[0, 1], [0.841, 0.54]]
 */
export function sinusoidalPositions(
  length: number,
  dim: number,
  options: SinusoidalOptions = {},
  ...surplus: never[]
): Tensor {
  const op = "sinusoidalPositions";
  checkOptions(op, options, SINUSOIDAL, surplus);
  const { base = 10_000, dtype = "f32", device = defaultDevice() } = options;
  checkSizes(op, { length, dim });
  checkPositive(op, { base });
  checkDType(op, dtype, device);
  expectDType(`${op}: dtype`, dtype, "float");
  const values = allocate(dtype, length * dim);
  for (let p = 0; p < length; p++) {
    for (let c = 0; c < dim; c++) {
      const angle = p / base ** ((c - (c % 2)) / dim);
      values[p * dim + c] = c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
    }
  }
  return sourceTensor(device, [length, dim], dtype, values);
}

/** Options of `PositionalEncoding`. */
export interface PositionalEncodingOptions extends SinusoidalOptions {
  /** How many positions there are; 5000 when left out. */
  maxLength?: number;
  /** Whether vectors are learned, from N(0, 0.02²), rather than sines; false when left out. */
  learned?: boolean;
  /** The share that is dropped in training mode, from 0 and below 1; 0.1 when left out. */
  dropout?: number;
  /** Fixes initial vectors and masks on every device. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
}

const POSITIONAL_ENCODING: Known<PositionalEncodingOptions> = {
  ...SINUSOIDAL,
  maxLength: "number",
  learned: "boolean",
  dropout: true,
  seed: true,
  key: true,
};

/**
 * Adds to each row of a sequence `[…, l, dModel]` a vector of its position, those of
 * `sinusoidalPositions` or learned ones, and drops some features. A second input, an i32 scalar such as
 * the `position` of a `KvCache`, says where the first row is; where it is left out, that is at 0.
 * @throws ShapeError for sizes that are no positive integers, and, when it is called, for other rows and
 * more than there are positions; those behind the last give NaN where the second input says so.
 * @example
 * const positions = new PositionalEncoding(16, { learned: true, maxLength: 64, seed: 1 });
 * positions.call(ones([2, 10, 16])).shape; // [2, 10, 16]
 */
export class PositionalEncoding extends Module<[x: Tensor, start?: Tensor]> {
  /** The vectors, `[maxLength, dModel]`; null unless they are learned. */
  readonly weight: Parameter | null;
  readonly dropout: Dropout;
  readonly maxLength: number;
  readonly #base: number | undefined;

  constructor(
    readonly dModel: number,
    options: PositionalEncodingOptions = {},
    ...surplus: never[]
  ) {
    super();
    const op = "PositionalEncoding";
    checkOptions(op, options, POSITIONAL_ENCODING, surplus);
    const { maxLength = 5000, learned = false, dropout = 0.1, base, device, dtype } = options;
    checkSizes(op, { dModel, maxLength });
    checkDecay(op, { dropout });
    if (base !== undefined) checkPositive(op, { base });
    const key = givenKey(op, options);
    const own = (i: number) => ({ key: key && foldIn(key, i), device });
    const context = { fanIn: maxLength, fanOut: dModel, dtype, ...own(0) };
    this.weight = learned
      ? new Parameter(normal(0.02)([maxLength, dModel], context), { name: "weight" })
      : null;
    this.dropout = new Dropout(dropout, own(1));
    this.maxLength = maxLength;
    this.#base = base;
  }

  override forward(x: Tensor, start?: Tensor): Tensor {
    const { dModel, maxLength } = this;
    const length = x.shape[x.rank - 2];
    if (x.rank < 2 || x.shape[x.rank - 1] !== dModel || length > maxLength) {
      const given = `PositionalEncoding: input ${formatShape(x.shape)}`;
      throw new ShapeError(`${given}; expected […, l, ${dModel}] with l up to ${maxLength}`);
    }
    return this.dropout.call(add(x, this.#vectors(x, length, start)));
  }

  /** The vectors of so many positions. */
  #vectors({ device, dtype }: Tensor, length: number, start: Tensor | undefined): Tensor {
    const { weight, dModel, maxLength } = this;
    const sines = (count: number) =>
      sinusoidalPositions(count, dModel, { base: this.#base, device, dtype });
    if (!start) return weight ? slice(weight, [{ end: length }]) : sines(length);
    checkTensors("PositionalEncoding", [start]);
    const places = add(start, iota(length, "i32", device));
    return embedding(weight ?? sines(maxLength), places);
  }
}
