import { checkDecay, checkOptions, checkPositive, checkSizes, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter, type State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { type AttentionOptions, scaledDotProductAttention } from "../ops/attention.ts";
import { less } from "../ops/compare.ts";
import { eye, iota, zeros } from "../ops/creation.ts";
import { matmul } from "../ops/matmul.ts";
import { keyOf } from "../ops/random.ts";
import { mean } from "../ops/reduce.ts";
import { inShape, withAxes } from "../ops/reshape.ts";
import { rotaryEmbedding } from "../ops/rotary-embedding.ts";
import { split } from "../ops/split.ts";
import { where } from "../ops/where.ts";
import {
  ATTENTION_CALL,
  ATTENTION_SETTINGS,
  ATTENTION_WEIGHTS,
  type AttentionCallOptions,
  type AttentionInputs,
  type AttentionSettings,
  type AttentionWeightsOptions,
  checkAttends,
  type ReadInputs,
  type RotaryPositions,
  readInputs,
} from "./attention-inputs.ts";
import {
  cachedMask,
  causalMask,
  joinedMask,
  widenedMask,
  withNewColumns,
  withRows,
} from "./attention-mask.ts";
import { nextStep, stepState } from "./dropout.ts";
import { heUniform, type Initializer, xavierNormal, xavierUniform, zerosInit } from "./init.ts";
import type { KvCache } from "./kv-cache.ts";
import { Linear } from "./linear.ts";
import { Module } from "./module.ts";
import { matrices, weightIn } from "./weight-in.ts";

/** Options of `MultiheadAttention`. */
export interface MultiheadAttentionOptions extends AttentionSettings {
  /** The share of the weights that is dropped in training mode, from 0 and below 1; 0 when left out. */
  dropout?: number;
  /** Whether a row that is learned follows keys and values; false when left out. */
  addBiasKv?: boolean;
  /** Whether a row of zeros follows keys and values; false when left out. */
  addZeroAttn?: boolean;
  /** Features of keys; `embedDim` when left out. */
  kdim?: number;
  /** Features of values; `embedDim` when left out. */
  vdim?: number;
}

const MULTIHEAD_ATTENTION: Known<MultiheadAttentionOptions> = {
  ...ATTENTION_SETTINGS,
  dropout: "number",
  addBiasKv: "boolean",
  addZeroAttn: "boolean",
  kdim: true,
  vdim: true,
};

const ROTARY: Known<RotaryPositions> = { base: "number", interleaved: "boolean" };

const OP = "MultiheadAttention";

/** Heads of queries, keys and values, and how they attend. */
interface Prepared {
  readonly q: Tensor;
  readonly k: Tensor;
  readonly v: Tensor;
  readonly options: AttentionOptions;
  /** Whether rows have a place in the cache, `[l, 1]`; null without one. */
  readonly isRoom: Tensor | null;
  readonly averageWeights: boolean;
}

/**
 * Lets each row of the queries take an average of the values in several heads side by side, by weights
 * of each head: softmax(q · kᵀ / √headDim) · v of projections of the inputs, joined and projected once
 * more. `call(x)` attends to x itself, `call(x, memory)` to another sequence. Sequences lie batch first
 * unless `batchFirst` is false: queries `[…, l, embedDim]`, keys `[…, s, kdim]`, values `[…, s, vdim]`. Weights, their names in
 * files and defaults are those of `torch.nn.MultiheadAttention`, but a mask of bools holds where a row
 * *may* attend, as for `scaledDotProductAttention`; a row that may attend to none takes zeros.
 * Source: Vaswani et al. 2017, "Attention is all you need", section 3.2.2.
 * @throws ShapeError for sizes that are no positive integers or do not divide, and, when it is called,
 * for inputs of others.
 * @example
 * const attention = new MultiheadAttention(16, 4, { seed: 1 });
 * attention.call(ones([2, 10, 16]), { causal: true }).shape; // [2, 10, 16]
 */
export class MultiheadAttention extends Module<AttentionInputs> {
  /** The three projections side by side, `[embedDim, embedDim + 2 · kvHeads · headDim]`; or null. */
  readonly inProjWeight: Parameter | null;
  /** That of queries, `[embedDim, embedDim]`, with another `kdim` or `vdim`; or null. */
  readonly qProjWeight: Parameter | null;
  /** That of keys, `[kdim, kvHeads · headDim]`. */
  readonly kProjWeight: Parameter | null;
  /** That of values, `[vdim, kvHeads · headDim]`. */
  readonly vProjWeight: Parameter | null;
  /** `[embedDim + 2 · kvHeads · headDim]`; null without bias. */
  readonly inProjBias: Parameter | null;
  /** The row behind the keys, `[1, 1, kvHeads · headDim]`; null without `addBiasKv`. */
  readonly biasK: Parameter | null;
  /** The row behind the values. */
  readonly biasV: Parameter | null;
  /** The last projection. */
  readonly outProj: Linear;
  /** The number of masks drawn so far, a u32 scalar; null without dropout. */
  readonly step: State | null;
  /** How many heads keys and values have. */
  readonly kvHeads: number;
  /** Features of each head. */
  readonly headDim: number;
  readonly dropout: number;
  readonly batchFirst: boolean;
  readonly #features: Shape;
  readonly #key: Key;
  readonly #rotary: RotaryPositions | null;
  readonly #hasZero: boolean;

  constructor(
    readonly embedDim: number,
    readonly numHeads: number,
    options: MultiheadAttentionOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions(OP, options, MULTIHEAD_ATTENTION, surplus);
    const { bias = true, dropout = 0, addBiasKv = false, addZeroAttn = false } = options;
    const { kvHeads = numHeads, kdim = embedDim, vdim = embedDim, device, dtype } = options;
    const { batchFirst = true } = options;
    checkSizes(OP, { embedDim, numHeads, kvHeads, kdim, vdim });
    checkDecay(OP, { dropout });
    checkMultiple({ embedDim }, { numHeads });
    checkMultiple({ numHeads }, { kvHeads });
    this.kvHeads = kvHeads;
    this.headDim = embedDim / numHeads;
    this.dropout = dropout;
    this.batchFirst = batchFirst;
    this.#features = [embedDim, kdim, vdim];
    this.#rotary = rotaryOf(options.rotary, this.headDim);
    this.#hasZero = addZeroAttn;
    const key = givenKey(OP, options);
    const width = kvHeads * this.headDim;
    const whole = embedDim + 2 * width;
    const make = (name: string, init: Initializer, shape: Shape, number: number) => {
      const own = key && foldIn(key, number);
      const [fanIn, fanOut] = shape.slice(-2);
      const theirs = name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
      // PyTorch keeps the transpose of a weight.
      const pytorch = { name: theirs, axes: shape.length === 2 ? [1, 0] : undefined };
      const value = init(shape, { fanIn, fanOut, key: own, device, dtype });
      return new Parameter(value, { name, pytorch });
    };
    const isPacked = kdim === embedDim && vdim === embedDim;
    const weight = (isThere: boolean, name: string, shape: Shape, number: number) =>
      isThere ? make(name, xavierUniform(), shape, number) : null;
    this.inProjWeight = weight(isPacked, "inProjWeight", [embedDim, whole], 0);
    this.qProjWeight = weight(!isPacked, "qProjWeight", [embedDim, embedDim], 0);
    this.kProjWeight = weight(!isPacked, "kProjWeight", [kdim, width], 1);
    this.vProjWeight = weight(!isPacked, "vProjWeight", [vdim, width], 2);
    this.inProjBias = bias ? make("inProjBias", zerosInit, [whole], 3) : null;
    const row = (name: string, number: number) =>
      addBiasKv ? make(name, xavierNormal(), [1, 1, width], number) : null;
    this.biasK = row("biasK", 4);
    this.biasV = row("biasV", 5);
    const own = { key: key && foldIn(key, 6), device, dtype };
    const weightInit = heUniform(Math.sqrt(5));
    this.outProj = new Linear(embedDim, embedDim, { bias, weightInit, ...own });
    this.step = dropout > 0 ? stepState(device) : null;
    this.#key = dropout > 0 ? keyOf(OP, { key: key && foldIn(key, 7) }) : [0, 0];
  }

  /** Where the weights lie. */
  get device(): Device {
    return this.outProj.weight.device;
  }

  /** The dtype of the weights. */
  get dtype(): DType {
    return this.outProj.weight.dtype;
  }

  /** Names the projections that adapters are added to. */
  [matrices](): readonly string[] {
    return this.inProjWeight ? ["inProjWeight"] : ["qProjWeight", "kProjWeight", "vProjWeight"];
  }

  override forward(
    query: Tensor,
    key?: Tensor | AttentionCallOptions,
    value?: Tensor | AttentionCallOptions,
    options?: AttentionCallOptions,
  ): Tensor {
    const prepared = this.#prepare(readInputs(OP, [query, key, value, options], ATTENTION_CALL));
    return this.#joined(prepared, prepared.v);
  }

  /**
   * Gives the weights beside what `call` gives: `[…, l, s]`, their mean over the heads, or
   * `[…, numHeads, l, s]` with `averageWeights: false`. They take memory that `call` does not need.
   * @example
   * const attention = new MultiheadAttention(16, 4, { seed: 1 });
   * const [y, weights] = attention.withWeights(ones([2, 10, 16]));
   * weights.shape; // [2, 10, 10]
   */
  withWeights(...inputs: AttentionInputs<AttentionWeightsOptions>): [y: Tensor, weights: Tensor] {
    const prepared = this.#prepare(readInputs(OP, inputs, ATTENTION_WEIGHTS));
    const { q, k, v, options, averageWeights } = prepared;
    const rows = k.shape[k.rank - 2];
    // weights · 1 are the weights.
    const one = inShape(eye(rows, rows, { dtype: k.dtype, device: k.device }), [1, rows, rows]);
    const weights = scaledDotProductAttention(q, k, one, options);
    const all = withRoom(prepared, weights);
    return [this.#joined(prepared, v), averageWeights ? mean(all, { axis: -3 }) : all];
  }

  #prepare(read: ReadInputs): Prepared {
    const { numHeads, dtype, batchFirst } = this;
    checkAttends(OP, { numHeads, dtype, features: this.#features, batchFirst }, read);
    const { options: given } = read;
    const { mask, keyPaddingMask, causal = false, cache, averageWeights = true } = given;
    const start = cache?.position();
    const [q, ...rows] = this.#projected(...this.#batchFirst(read));
    const turned = this.#turned(rows[0], start);
    const [k, v] = cache && start ? appended(cache, turned, rows[1], start) : [turned, rows[1]];
    const [l, s] = [q, k].map(({ shape, rank }) => shape[rank - 2]);
    const more = Number(this.biasK !== null) + Number(this.#hasZero);
    const known = joinedMask(mask, keyPaddingMask, undefined, cache ? cache.capacity : s);
    const isOwn = causal && more > 0;
    let joined = known;
    if (cache && start) {
      const all = known && withNewColumns(known, cache.capacity, l, start);
      joined = joinedMask(all, undefined, cachedMask(l, cache.capacity, start), s);
    } else if (isOwn) joined = joinedMask(known, undefined, causalMask(l, s, k.device), s);
    const options = {
      mask: joined && more > 0 ? widenedMask(joined, s, more) : joined,
      causal: causal && !isOwn && !cache,
      groupedHeads: this.kvHeads < this.numHeads,
      ...this.#drop(),
    };
    const places = start && inShape(add(start, iota(l, "i32", k.device)), [l, 1]);
    return {
      q: this.#turned(q, start),
      k: this.#followed(k, this.biasK),
      v: this.#followed(v, this.biasV),
      options,
      isRoom: cache && places ? less(places, cache.capacity) : null,
      averageWeights,
    };
  }

  /** The inputs batch first; those that are one stay one. */
  #batchFirst({ query, key, value }: ReadInputs): [query: Tensor, key: Tensor, value: Tensor] {
    if (this.batchFirst) return [query, key, value];
    const [q, k] = [batchFirst(query), key === query ? null : batchFirst(key)];
    const second = k ?? q;
    return [q, second, value === key ? second : value === query ? q : batchFirst(value)];
  }

  /** Heads `[…, heads, rows, headDim]` of the projections of three inputs. */
  #projected(...inputs: [query: Tensor, key: Tensor, value: Tensor]): Tensor[] {
    const { embedDim, headDim, kvHeads, inProjBias } = this;
    const own = this[matrices]().map((name) => weightIn(this, name));
    const inProjWeight = own.length === 1 ? own[0] : null;
    const [query, key, value] = inputs;
    const sizes = [embedDim, kvHeads * headDim, kvHeads * headDim];
    if (inProjWeight && query === key && key === value) {
      const whole = projected(query, inProjWeight, inProjBias);
      return split(whole, sizes, { axis: -1 }).map((x) => inHeads(x, headDim));
    }
    const weights = inProjWeight ? split(inProjWeight, sizes, { axis: 1 }) : own;
    const biases = inProjBias ? split(inProjBias, sizes) : [];
    return inputs.map((x, i) => {
      return inHeads(projected(x, weights[i], biases[i] ?? null), headDim);
    });
  }

  /** Heads turned by their positions, which are counted from `start`. */
  #turned(x: Tensor, start: Tensor | undefined): Tensor {
    if (!this.#rotary) return x;
    const rows = x.shape[x.rank - 2];
    const positions = start && add(start, iota(rows, "i32", x.device));
    return rotaryEmbedding(x, { ...this.#rotary, ...(positions && { positions }) });
  }

  /** Heads with the rows behind them that every query may attend to. */
  #followed(x: Tensor, bias: Parameter | null): Tensor {
    const { kvHeads, headDim } = this;
    const y = bias ? withRows(x, inShape(bias, [kvHeads, 1, headDim])) : x;
    if (!this.#hasZero) return y;
    return withRows(y, zeros([1, headDim], { dtype: x.dtype, device: x.device }));
  }

  /** How weights are dropped, in training mode. */
  #drop(): Pick<AttentionOptions, "dropout" | "key" | "step"> {
    if (!this.training || !this.step) return {};
    return { dropout: this.dropout, key: this.#key, step: nextStep(this.step) };
  }

  /** What all heads take, projected: `[…, l, embedDim]`. */
  #joined(prepared: Prepared, v: Tensor): Tensor {
    const { q, k, options } = prepared;
    const y = swapped(withRoom(prepared, scaledDotProductAttention(q, k, v, options)));
    const rows = inShape(y, [...y.shape.slice(0, -2), this.embedDim]);
    return this.outProj.call(this.batchFirst ? rows : timeFirst(rows));
  }
}

/** Rows of which those that a cache has no room for are NaN. */
function withRoom({ isRoom }: Prepared, rows: Tensor): Tensor {
  return isRoom ? where(isRoom, rows, Number.NaN) : rows;
}

function projected(x: Tensor, weight: Tensor, bias: Tensor | null): Tensor {
  const y = matmul(x, weight);
  return bias ? add(y, bias) : y;
}

/** `[rows, …, n]` → `[…, rows, n]`. */
function batchFirst(x: Tensor): Tensor {
  return withAxes(x, [...Array(x.rank - 2).keys()].map((axis) => axis + 1).concat(0, x.rank - 1));
}

/** `[…, rows, n]` → `[rows, …, n]`. */
function timeFirst(x: Tensor): Tensor {
  return withAxes(x, [x.rank - 2, ...Array(x.rank - 2).keys(), x.rank - 1]);
}

/** `[…, a, b, n]` → `[…, b, a, n]`. */
function swapped(x: Tensor): Tensor {
  const { rank } = x;
  return withAxes(x, [...Array(rank - 3).keys(), rank - 2, rank - 3, rank - 1]);
}

/** `[…, rows, heads · headDim]` → `[…, heads, rows, headDim]`. */
function inHeads(x: Tensor, headDim: number): Tensor {
  const outer = x.shape.slice(0, -1);
  return swapped(inShape(x, [...outer, x.shape[x.rank - 1] / headDim, headDim]));
}

/** All keys and values that a cache holds with new ones, `[…, kvHeads, capacity + n, headDim]`. */
function appended(cache: KvCache, k: Tensor, v: Tensor, start: Tensor): [k: Tensor, v: Tensor] {
  const outer = k.shape.slice(0, -3);
  const [first, second] = [k, v].map((x) => {
    return inShape(x, [sizeOf(x.shape.slice(0, -3)), ...x.shape.slice(-3)]);
  });
  const whole = cache.append(first, second, start);
  const [y, z] = whole.map((x) => inShape(x, [...outer, ...x.shape.slice(-3)]));
  return [y, z];
}

function checkMultiple(whole: Record<string, number>, part: Record<string, number>): void {
  const [[name, n]] = Object.entries(whole);
  const [[other, m]] = Object.entries(part);
  if (n % m === 0) return;
  throw new ShapeError(`${OP}: ${name} ${n}, ${other} ${m}; expected ${name} to be a multiple`);
}

function rotaryOf(given: boolean | RotaryPositions | undefined, headDim: number) {
  if (given === undefined || given === false) return null;
  const rotary = given === true ? {} : given;
  checkOptions(`${OP}: rotary`, rotary, ROTARY);
  if (rotary.base !== undefined) checkPositive(OP, { base: rotary.base });
  if (headDim % 2 === 0) return { ...rotary };
  throw new ShapeError(`${OP}: rotary with ${headDim} features of a head; expected an even number`);
}
