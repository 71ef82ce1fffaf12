import { checkDecay, checkOptions, checkSizes, describeValue, type Known } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { foldIn, givenKey } from "../core/random.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { gelu } from "../ops/activations.ts";
import { add } from "../ops/arithmetic.ts";
import { relu } from "../ops/unary.ts";
import { MultiheadAttention } from "./attention.ts";
import {
  ATTENTION_MASKS,
  ATTENTION_SETTINGS,
  type AttentionCallOptions,
  type AttentionSettings,
  checkAttends,
} from "./attention-inputs.ts";
import { Dropout } from "./dropout.ts";
import { LayerNorm } from "./layer-norm.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of the layers of a transformer. */
export interface TransformerLayerOptions extends AttentionSettings {
  /** Features between the two dense layers; 2048 when left out. */
  dimFeedforward?: number;
  /** The share that is dropped of weights and features in training mode, from 0 and below 1; 0.1 when left out. */
  dropout?: number;
  /** `"relu"`, as when left out, `"gelu"`, or a function of a tensor. */
  activation?: "relu" | "gelu" | ((x: Tensor) => Tensor);
  /** ε of the normalisations; 1e-5 when left out. */
  layerNormEps?: number;
  /** Whether inputs of parts are normalised, rather than sums behind them; false when left out. */
  normFirst?: boolean;
}

/** The names of `TransformerLayerOptions`. */
export const TRANSFORMER_LAYER: Known<TransformerLayerOptions> = {
  ...ATTENTION_SETTINGS,
  dimFeedforward: "number",
  dropout: true,
  activation: true,
  layerNormEps: true,
  normFirst: "boolean",
};

/** Who may attend to whom at a call of a decoder's layer: in the inputs, and in what is remembered. */
export interface DecoderCallOptions extends AttentionCallOptions {
  /** As `mask`, for the attention to what is remembered. */
  memoryMask?: Tensor;
  /** As `keyPaddingMask`, for what is remembered. */
  memoryKeyPaddingMask?: Tensor;
}

/** The names of `DecoderCallOptions` but the cache's. */
export const DECODER_MASKS = {
  ...ATTENTION_MASKS,
  memoryMask: true,
  memoryKeyPaddingMask: true,
} as const;

const DECODER_CALL: Known<DecoderCallOptions> = { ...DECODER_MASKS, cache: true };

const ACTIVATIONS = { relu, gelu: (x: Tensor) => gelu(x) };

/** Makes the parts of a layer, each by a key of its own. */
class LayerParts {
  #number = 0;
  readonly dropoutRate: number;
  readonly activation: (x: Tensor) => Tensor;

  constructor(
    readonly op: string,
    readonly dModel: number,
    readonly options: TransformerLayerOptions,
    surplus: readonly unknown[],
    numHeads: number,
  ) {
    checkOptions(op, options, TRANSFORMER_LAYER, surplus);
    const { dropout = 0.1, activation = "relu" } = options;
    checkSizes(op, { dModel, numHeads, dimFeedforward: this.dimFeedforward });
    checkDecay(op, { dropout });
    this.dropoutRate = dropout;
    this.activation = activationOf(op, activation);
  }

  get dimFeedforward(): number {
    return this.options.dimFeedforward ?? 2048;
  }

  #own() {
    const key = givenKey(this.op, this.options);
    const { device, dtype } = this.options;
    return { key: key && foldIn(key, this.#number++), device, dtype };
  }

  attention(numHeads: number, isRotary: boolean): MultiheadAttention {
    const { bias, kvHeads, rotary, batchFirst } = this.options;
    const own = { ...this.#own(), bias, kvHeads, batchFirst, rotary: isRotary && rotary };
    return new MultiheadAttention(this.dModel, numHeads, { ...own, dropout: this.dropoutRate });
  }

  linear(inputs: number, outputs: number): Linear {
    return new Linear(inputs, outputs, { ...this.#own(), bias: this.options.bias });
  }

  norm(): LayerNorm {
    const { layerNormEps: epsilon, bias, device, dtype } = this.options;
    return new LayerNorm(this.dModel, { epsilon, bias, device, dtype });
  }

  dropout(): Dropout {
    const { key, device } = this.#own();
    return new Dropout(this.dropoutRate, { key, device });
  }
}

/**
 * Attends to its input, then applies two dense layers to each row, each behind a sum with what went in
 * and a normalisation. Sequences lie batch first, `[…, l, dModel]`, unless `batchFirst` is false; names,
 * order and other defaults are those of `torch.nn.TransformerEncoderLayer`, weights of dense layers begin as those of `Linear`. With
 * `{ causal: true }` it is a layer of a decoder that remembers nothing, such as GPT.
 * Source: Vaswani et al. 2017, "Attention is all you need", section 3.1; Xiong et al. 2020, "On layer
 * normalization in the transformer architecture", for `normFirst`.
 * @throws ShapeError for sizes that are no positive integers or do not divide.
 * @example
 * const layer = new TransformerEncoderLayer(16, 4, { dimFeedforward: 64, seed: 1 });
 * layer.call(ones([2, 10, 16]), { causal: true }).shape; // [2, 10, 16]
 */
export class TransformerEncoderLayer extends Module<[x: Tensor, options?: AttentionCallOptions]> {
  readonly selfAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly normFirst: boolean;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(
    readonly dModel: number,
    readonly numHeads: number,
    options: TransformerLayerOptions = {},
    ...surplus: never[]
  ) {
    super();
    const parts = new LayerParts("TransformerEncoderLayer", dModel, options, surplus, numHeads);
    this.selfAttn = parts.attention(numHeads, true);
    this.linear1 = parts.linear(dModel, parts.dimFeedforward);
    this.dropout = parts.dropout();
    this.linear2 = parts.linear(parts.dimFeedforward, dModel);
    this.norm1 = parts.norm();
    this.norm2 = parts.norm();
    this.dropout1 = parts.dropout();
    this.dropout2 = parts.dropout();
    this.normFirst = options.normFirst ?? false;
    this.#activation = parts.activation;
  }

  override forward(x: Tensor, options?: AttentionCallOptions): Tensor {
    const attend = (y: Tensor) => this.dropout1.call(this.selfAttn.call(y, options));
    const feed = (y: Tensor) => this.dropout2.call(dense(this, this.#activation, y));
    const first = besides(x, attend, this.norm1, this.normFirst);
    return besides(first, feed, this.norm2, this.normFirst);
  }
}

/**
 * Attends to its input, then to what is remembered, then applies two dense layers to each row, each
 * behind a sum with what went in and a normalisation. Sequences lie batch first unless `batchFirst` is
 * false: x `[…, l, dModel]`, memory `[…, s, dModel]`; names, order and other defaults are those of `torch.nn.TransformerDecoderLayer`.
 * `rotary` turns the attention to the input only.
 * Source: Vaswani et al. 2017, "Attention is all you need", section 3.1.
 * @throws ShapeError for sizes that are no positive integers or do not divide.
 * @example
 * const layer = new TransformerDecoderLayer(16, 4, { dimFeedforward: 64, seed: 1 });
 * layer.call(ones([2, 10, 16]), ones([2, 7, 16]), { causal: true }).shape; // [2, 10, 16]
 */
export class TransformerDecoderLayer extends Module<
  [x: Tensor, memory: Tensor, options?: DecoderCallOptions]
> {
  readonly selfAttn: MultiheadAttention;
  readonly multiheadAttn: MultiheadAttention;
  readonly linear1: Linear;
  readonly dropout: Dropout;
  readonly linear2: Linear;
  readonly norm1: LayerNorm;
  readonly norm2: LayerNorm;
  readonly norm3: LayerNorm;
  readonly dropout1: Dropout;
  readonly dropout2: Dropout;
  readonly dropout3: Dropout;
  readonly normFirst: boolean;
  readonly #activation: (x: Tensor) => Tensor;

  constructor(
    readonly dModel: number,
    readonly numHeads: number,
    options: TransformerLayerOptions = {},
    ...surplus: never[]
  ) {
    super();
    const parts = new LayerParts("TransformerDecoderLayer", dModel, options, surplus, numHeads);
    this.selfAttn = parts.attention(numHeads, true);
    this.multiheadAttn = parts.attention(numHeads, false);
    this.linear1 = parts.linear(dModel, parts.dimFeedforward);
    this.dropout = parts.dropout();
    this.linear2 = parts.linear(parts.dimFeedforward, dModel);
    this.norm1 = parts.norm();
    this.norm2 = parts.norm();
    this.norm3 = parts.norm();
    this.dropout1 = parts.dropout();
    this.dropout2 = parts.dropout();
    this.dropout3 = parts.dropout();
    this.normFirst = options.normFirst ?? false;
    this.#activation = parts.activation;
  }

  override forward(x: Tensor, memory: Tensor, options?: DecoderCallOptions): Tensor {
    checkTensors("TransformerDecoderLayer", [x, memory]);
    checkOptions("TransformerDecoderLayer", options ?? {}, DECODER_CALL);
    const { memoryMask: mask, memoryKeyPaddingMask: keyPaddingMask, ...own } = options ?? {};
    // Nothing is cached or dropped where what is remembered does not fit.
    const { numHeads, dtype, batchFirst } = this.multiheadAttn;
    const features = [this.dModel, this.dModel, this.dModel];
    const sizes = { numHeads, dtype, features, batchFirst };
    const read = { query: x, key: memory, value: memory, options: { mask, keyPaddingMask } };
    const names = ["memoryMask", "memoryKeyPaddingMask"];
    checkAttends("TransformerDecoderLayer", sizes, read, names);
    const attend = (y: Tensor) => this.dropout1.call(this.selfAttn.call(y, own));
    const remember = (y: Tensor) => {
      const z = this.multiheadAttn.call(y, memory, { mask, keyPaddingMask });
      return this.dropout2.call(z);
    };
    const feed = (y: Tensor) => this.dropout3.call(dense(this, this.#activation, y));
    const first = besides(x, attend, this.norm1, this.normFirst);
    const second = besides(first, remember, this.norm2, this.normFirst);
    return besides(second, feed, this.norm3, this.normFirst);
  }
}

/** What the two dense layers make of each row. */
function dense(
  { linear1, dropout, linear2 }: Pick<TransformerEncoderLayer, "linear1" | "dropout" | "linear2">,
  activation: (x: Tensor) => Tensor,
  x: Tensor,
): Tensor {
  return linear2.call(dropout.call(activation(linear1.call(x))));
}

/** x + part(norm(x)), or norm(x + part(x)). */
function besides(
  x: Tensor,
  part: (x: Tensor) => Tensor,
  norm: LayerNorm,
  normFirst: boolean,
): Tensor {
  return normFirst ? add(x, part(norm.call(x))) : norm.call(add(x, part(x)));
}

function activationOf(
  op: string,
  given: NonNullable<TransformerLayerOptions["activation"]>,
): (x: Tensor) => Tensor {
  if (typeof given === "function") return given;
  if (Object.hasOwn(ACTIVATIONS, given)) return ACTIVATIONS[given];
  throw new GradusError(
    `${op}: activation ${describeValue(given)}; expected "relu", "gelu" or a function`,
  );
}
