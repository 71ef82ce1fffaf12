import {
  checkEach,
  checkFunctions,
  checkOptions,
  checkSizes,
  describeValue,
  type Known,
} from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { foldIn, givenKey } from "../core/random.ts";
import { sizeOf } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { ATTENTION_MASKS, type AttentionCallOptions, axisOfRows } from "./attention-inputs.ts";
import { KvCache, type KvCacheOptions } from "./kv-cache.ts";
import { LayerNorm } from "./layer-norm.ts";
import { Module } from "./module.ts";
import {
  DECODER_MASKS,
  type DecoderCallOptions,
  TRANSFORMER_LAYER,
  TransformerDecoderLayer,
  TransformerEncoderLayer,
  type TransformerLayerOptions,
} from "./transformer-layers.ts";

/** Options of `TransformerEncoder` and `TransformerDecoder`. */
export interface TransformerStackOptions {
  /** What is applied behind the last layer, such as a `LayerNorm`; nothing when left out. */
  norm?: Module;
}

const STACK: Known<TransformerStackOptions> = { norm: true };

/** Options of a call of `TransformerEncoder`. */
export interface EncoderCallOptions extends Omit<AttentionCallOptions, "cache"> {
  /** What each layer has seen, as `caches` makes them. */
  caches?: readonly KvCache[];
}

/** Options of a call of `TransformerDecoder`. */
export interface DecoderStackCallOptions extends Omit<DecoderCallOptions, "cache"> {
  /** What each layer has seen, as `caches` makes them. */
  caches?: readonly KvCache[];
}

const ENCODER_CALL: Known<EncoderCallOptions> = { ...ATTENTION_MASKS, caches: true };
const DECODER_STACK_CALL: Known<DecoderStackCallOptions> = { ...DECODER_MASKS, caches: true };

/** Layers one behind the other, and what follows. */
abstract class Stack<
  L extends TransformerEncoderLayer | TransformerDecoderLayer,
  In extends readonly unknown[],
> extends Module<In> {
  readonly layers: readonly L[];
  readonly norm: Module | null;

  constructor(
    makeLayer: (i: number) => L,
    numLayers: number,
    options: TransformerStackOptions = {},
    ...surplus: never[]
  ) {
    super();
    const op = new.target.name;
    checkOptions(op, options, STACK, surplus);
    checkFunctions(op, { makeLayer });
    checkSizes(op, { numLayers });
    this.layers = Array.from({ length: numLayers }, (_, i) => {
      const layer = makeLayer(i);
      checkEach(op, { [`makeLayer(${i}) gives`]: layer }, (x) => x instanceof Module, "a module");
      return layer;
    });
    this.norm = options.norm ?? null;
    if (this.norm !== null && !(this.norm instanceof Module)) {
      throw new GradusError(`${op}: norm ${describeValue(options.norm)}; expected a module`);
    }
  }

  /**
   * Makes a cache for each layer, to be given at each call with the next rows.
   * @throws GradusError or ShapeError, as `KvCache` does.
   */
  caches(options: KvCacheOptions, ...surplus: never[]): KvCache[] {
    return this.layers.map(({ selfAttn }) => new KvCache(selfAttn, options, ...surplus));
  }

  /** Checks the caches of all layers before the first one is written. */
  #checkCaches({ shape }: Tensor, caches: readonly KvCache[]): void {
    const { length } = this.layers;
    const { name } = this.constructor;
    const areCaches = (x: unknown) => Array.isArray(x) && x.every((one) => one instanceof KvCache);
    checkEach(name, { caches }, areCaches, "an array of KvCaches, as its caches() makes");
    const { size } = new Set(caches);
    if (size !== length || caches.length !== length) {
      const rule = `one ${size < caches.length ? "of its own " : ""}for each of ${length} layers`;
      const given = size < caches.length ? `${size} of ` : "";
      throw new GradusError(`${name}: ${given}${caches.length} caches; expected ${rule}`);
    }
    if (shape.length < 2) return; // which the first layer refuses
    for (const [i, { selfAttn }] of this.layers.entries()) {
      const { kvHeads, headDim, batchFirst } = selfAttn;
      const axis = axisOfRows(shape.length, batchFirst);
      const batch = sizeOf(shape.slice(0, -1).filter((_, i) => i !== axis));
      caches[i].checkRows([batch, kvHeads, shape[axis], headDim]);
    }
  }

  /** Applies all layers, each with its cache. */
  protected through(
    x: Tensor,
    caches: readonly KvCache[] | undefined,
    apply: (layer: L, y: Tensor, cache: KvCache | undefined) => Tensor,
  ): Tensor {
    if (caches !== undefined) this.#checkCaches(x, caches);
    const y = this.layers.reduce((z, layer, i) => apply(layer, z, caches?.[i]), x);
    return this.norm ? this.norm.call(y) : y;
  }
}

/**
 * Applies layers one behind the other, and a normalisation behind them where one is given, as
 * `torch.nn.TransformerEncoder` does.
 * @param makeLayer makes the layer of a number, from 0; give each a seed of its own.
 * @throws ShapeError for a number of layers that is no positive integer.
 * @example
 * const encoder = new TransformerEncoder(
 *   (i) => new TransformerEncoderLayer(16, 4, { dimFeedforward: 64, normFirst: true, seed: i }),
 *   2,
 *   { norm: new LayerNorm(16) },
 * );
 * encoder.call(ones([2, 10, 16])).shape; // [2, 10, 16]
 */
export class TransformerEncoder extends Stack<
  TransformerEncoderLayer,
  [x: Tensor, options?: EncoderCallOptions]
> {
  override forward(x: Tensor, options?: EncoderCallOptions): Tensor {
    checkTensors("TransformerEncoder", [x]);
    checkOptions("TransformerEncoder", options ?? {}, ENCODER_CALL);
    const { caches, ...own } = options ?? {};
    return this.through(x, caches, (layer, y, cache) => layer.call(y, { ...own, cache }));
  }
}

/**
 * Applies layers that attend to what is remembered one behind the other, and a normalisation behind
 * them where one is given, as `torch.nn.TransformerDecoder` does.
 * @param makeLayer makes the layer of a number, from 0; give each a seed of its own.
 * @throws ShapeError for a number of layers that is no positive integer.
 * @example
 * const decoder = new TransformerDecoder(
 *   (i) => new TransformerDecoderLayer(16, 4, { dimFeedforward: 64, seed: i }),
 *   2,
 * );
 * decoder.call(ones([2, 5, 16]), ones([2, 7, 16]), { causal: true }).shape; // [2, 5, 16]
 */
export class TransformerDecoder extends Stack<
  TransformerDecoderLayer,
  [x: Tensor, memory: Tensor, options?: DecoderStackCallOptions]
> {
  override forward(x: Tensor, memory: Tensor, options?: DecoderStackCallOptions): Tensor {
    checkTensors("TransformerDecoder", [x, memory]);
    checkOptions("TransformerDecoder", options ?? {}, DECODER_STACK_CALL);
    const { caches, ...own } = options ?? {};
    return this.through(x, caches, (layer, y, cache) => layer.call(y, memory, { ...own, cache }));
  }
}

/** Options of `Transformer`. */
export interface TransformerOptions extends TransformerLayerOptions {
  /** Features of the sequences; 512 when left out. */
  dModel?: number;
  /** Heads of each attention; 8 when left out. */
  numHeads?: number;
  /** Layers of the encoder; 6 when left out. */
  numEncoderLayers?: number;
  /** Layers of the decoder; 6 when left out. */
  numDecoderLayers?: number;
}

const TRANSFORMER: Known<TransformerOptions> = {
  ...TRANSFORMER_LAYER,
  dModel: true,
  numHeads: true,
  numEncoderLayers: true,
  numDecoderLayers: true,
};

/** Who may attend to whom at a call of `Transformer`: in the source, in the target, and from that to the source. */
export interface TransformerCallOptions {
  /** As `mask` of attention, within the source. */
  srcMask?: Tensor;
  /** Bools `[…, s]` that hold where a row of the source is padding. */
  srcKeyPaddingMask?: Tensor;
  /** As `mask` of attention, within the target. */
  tgtMask?: Tensor;
  /** Bools `[…, l]` that hold where a row of the target is padding. */
  tgtKeyPaddingMask?: Tensor;
  /** Whether row i of the target may attend to its rows j ≤ i only; false when left out. */
  tgtCausal?: boolean;
  /** As `mask` of attention, from the target to the source. */
  memoryMask?: Tensor;
  /** Bools `[…, s]` that hold where a row of what the encoder gives is padding. */
  memoryKeyPaddingMask?: Tensor;
}

const TRANSFORMER_CALL: Known<TransformerCallOptions> = {
  srcMask: true,
  srcKeyPaddingMask: true,
  tgtMask: true,
  tgtKeyPaddingMask: true,
  tgtCausal: "boolean",
  memoryMask: true,
  memoryKeyPaddingMask: true,
};

/**
 * Encodes a source and decodes a target with it, each behind a normalisation of its own, as
 * `torch.nn.Transformer` does: source `[…, s, dModel]` and target `[…, l, dModel]` to `[…, l, dModel]`,
 * unless `batchFirst` is false.
 * Source: Vaswani et al. 2017, "Attention is all you need".
 * @throws ShapeError for sizes that are no positive integers or do not divide.
 * @example
 * const sizes = { dModel: 16, numHeads: 4, dimFeedforward: 32, seed: 1 };
 * const transformer = new Transformer({ ...sizes, numEncoderLayers: 1, numDecoderLayers: 1 });
 * transformer.call(ones([2, 7, 16]), ones([2, 5, 16]), { tgtCausal: true }).shape; // [2, 5, 16]
 */
export class Transformer extends Module<
  [source: Tensor, target: Tensor, options?: TransformerCallOptions]
> {
  readonly encoder: TransformerEncoder;
  readonly decoder: TransformerDecoder;

  constructor(options: TransformerOptions = {}, ...surplus: never[]) {
    super();
    checkOptions("Transformer", options, TRANSFORMER, surplus);
    const { dModel = 512, numHeads = 8, numEncoderLayers = 6, numDecoderLayers = 6 } = options;
    const key = givenKey("Transformer", options);
    const { dimFeedforward, dropout, activation, layerNormEps, normFirst } = options;
    const { bias, kvHeads, rotary, batchFirst, device, dtype } = options;
    const epsilon = layerNormEps;
    const shared = { dimFeedforward, dropout, activation, layerNormEps, normFirst };
    const rest = { ...shared, bias, kvHeads, rotary, batchFirst, device, dtype };
    const norm = () => new LayerNorm(dModel, { epsilon, bias, device, dtype });
    const own = (i: number) => ({ ...rest, key: key && foldIn(key, i) });
    this.encoder = new TransformerEncoder(
      (i) => new TransformerEncoderLayer(dModel, numHeads, own(i)),
      numEncoderLayers,
      { norm: norm() },
    );
    this.decoder = new TransformerDecoder(
      (i) => new TransformerDecoderLayer(dModel, numHeads, own(numEncoderLayers + i)),
      numDecoderLayers,
      { norm: norm() },
    );
  }

  override forward(source: Tensor, target: Tensor, options?: TransformerCallOptions): Tensor {
    checkTensors("Transformer", [source, target]);
    checkOptions("Transformer", options ?? {}, TRANSFORMER_CALL);
    const { srcMask, srcKeyPaddingMask, tgtMask, tgtKeyPaddingMask, tgtCausal, ...memory } =
      options ?? {};
    const remembered = this.encoder.call(source, {
      mask: srcMask,
      keyPaddingMask: srcKeyPaddingMask,
    });
    return this.decoder.call(target, remembered, {
      mask: tgtMask,
      keyPaddingMask: tgtKeyPaddingMask,
      causal: tgtCausal,
      ...memory,
    });
  }
}
