import { checkFunctions, checkOptions, checkSizes, type Known } from "../core/check.ts";
import { type DType, expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { givenKey, type Key } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { notEqual } from "../ops/compare.ts";
import { iota } from "../ops/creation.ts";
import { embedding, LOOKUP, type LookupOptions, paddingRow } from "../ops/embedding.ts";
import { reshape } from "../ops/reshape.ts";
import { where } from "../ops/where.ts";
import { type Initializer, normal, zerosInit } from "./init.ts";
import { Module } from "./module.ts";

/** Options of `Embedding`. */
export interface EmbeddingOptions extends LookupOptions {
  /** `normal(1)` when left out. */
  weightInit?: Initializer;
  /** Fixes the initial weights on every device; give each layer of a model its own. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

const EMBEDDING: Known<EmbeddingOptions> = {
  ...LOOKUP,
  weightInit: true,
  seed: true,
  key: true,
  device: true,
  dtype: "string",
};

/** Options of `Embedding.fromPretrained`. */
export interface PretrainedOptions extends LookupOptions {
  /** Whether the weights stay as they are, as by `freeze`; true when left out. */
  freeze?: boolean;
}

/**
 * Gives a vector for each id: a row of a table that is trained. The row of `paddingIndex` begins as
 * zeros and gets no gradient. With `sparse: true` a step of a compiled function costs what the ids of
 * its batch cost, however many rows there are.
 * @throws ShapeError for sizes that are no positive integers and a padding that is no row's.
 * @example
 * const words = new Embedding(10_000, 64, { seed: 1 });
 * words.call(tensor([[3, 1], [2, 0]], { dtype: "i32" })); // [2, 2, 64]
 */
export class Embedding extends Module {
  /** `[numEmbeddings, embeddingDim]`. */
  readonly weight: Parameter;
  /** The row that gets no gradient, from 0; null when all do. */
  readonly paddingIndex: number | null;
  readonly sparse: boolean;

  constructor(
    readonly numEmbeddings: number,
    readonly embeddingDim: number,
    options: EmbeddingOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("Embedding", options, EMBEDDING, surplus);
    checkSizes("Embedding", { numEmbeddings, embeddingDim });
    const { weightInit = normal(1), device, dtype, sparse = false } = options;
    checkFunctions("Embedding", { weightInit });
    const padding = paddingRow("Embedding", numEmbeddings, options.paddingIndex);
    const key = givenKey("Embedding", options);
    const context = { fanIn: numEmbeddings, fanOut: embeddingDim, key, device, dtype };
    const drawn = weightInit([numEmbeddings, embeddingDim], context);
    this.weight = new Parameter(padding === null ? drawn : withoutRow(drawn, padding), {
      name: "weight",
    });
    this.paddingIndex = padding;
    this.sparse = sparse;
  }

  /**
   * Makes a layer of vectors that there are already, such as those of words, which stay as they are
   * unless `freeze` is false.
   * @param weights `[numEmbeddings, embeddingDim]`, f32 or f64; they are copied.
   * @throws ShapeError for another rank, and a padding that is no row's.
   * @example Embedding.fromPretrained(tensor([[1, 2], [3, 4]]), { freeze: false });
   */
  static fromPretrained(
    weights: Tensor,
    options: PretrainedOptions = {},
    ...surplus: never[]
  ): Embedding {
    const op = "Embedding.fromPretrained";
    checkOptions<PretrainedOptions>(op, options, { ...LOOKUP, freeze: "boolean" }, surplus);
    checkTensors(op, [weights]);
    expectDType(`${op}: weights have dtype`, weights.dtype, "float");
    if (weights.rank !== 2) {
      throw new ShapeError(
        `${op}: weights ${formatShape(weights.shape)}; expected [numEmbeddings, embeddingDim]`,
      );
    }
    const { freeze = true, ...lookup } = options;
    const [rows, columns] = weights.shape;
    const { device, dtype } = weights;
    const layer = new Embedding(rows, columns, { ...lookup, device, dtype, weightInit: zerosInit });
    layer.weight.assign(weights);
    return layer.freeze(freeze);
  }

  override forward(ids: Tensor): Tensor {
    const { weight, paddingIndex, sparse } = this;
    return embedding(weight, ids, { paddingIndex: paddingIndex ?? undefined, sparse });
  }
}

/** A table with zeros in a row. */
function withoutRow(weights: Tensor, row: number): Tensor {
  const [rows] = weights.shape;
  const isOther = notEqual(iota(rows, "i32", weights.device), row);
  return where(reshape(isOther, [rows, 1]), weights, 0);
}
