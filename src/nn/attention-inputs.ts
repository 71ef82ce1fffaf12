import { checkOptions, describeValue, type Known } from "../core/check.ts";
import { type DType, either, expectDType, is } from "../core/dtype.ts";
import { DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import type { Key } from "../core/random.ts";
import { broadcastShapes, formatShape, type Shape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { checkTensors, Tensor } from "../graph/tensor.ts";
import { canBroadcast } from "../ops/broadcast.ts";
import { KvCache } from "./kv-cache.ts";
import { checkNamedTensors } from "./named-tensors.ts";

/** Options of rotary positions in attention. */
export interface RotaryPositions {
  /** Of the frequencies, above 0; 10,000 when left out. */
  base?: number;
  /** Whether pairs are neighbours, or i and i + headDim / 2; false when left out. */
  interleaved?: boolean;
}

/** What attention and the layers around it have in common. */
export interface AttentionSettings {
  /** Whether biases are added; true when left out. */
  bias?: boolean;
  /** How many heads keys and values have, which neighbours share; as many as queries when left out. */
  kvHeads?: number;
  /** Whether queries and keys are turned by their positions, as `rotaryEmbedding` does; false when left out. */
  rotary?: boolean | RotaryPositions;
  /**
   * Whether inputs and outputs are `[batch, time, …]`, else `[time, batch, …]`; true when left out. Masks
   * and weights are batch first in either case.
   */
  batchFirst?: boolean;
  /** Fixes the initial weights and all masks on every device; give each layer of a model its own. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

/** The names of `AttentionSettings`. */
export const ATTENTION_SETTINGS = {
  bias: "boolean",
  kvHeads: true,
  rotary: true,
  batchFirst: "boolean",
  seed: true,
  key: true,
  device: true,
  dtype: "string",
} as const;

/** Who may attend to whom at a call of attention. */
export interface AttentionCallOptions {
  /**
   * What broadcasts to `[…, numHeads, l, s]`: bools that hold where row i of the queries may attend to
   * row j of the keys, or numbers that are added to the scores. All may when left out.
   */
  mask?: Tensor;
  /** Bools `[…, s]` that hold where a row of the keys is padding, to which none attends. */
  keyPaddingMask?: Tensor;
  /** Whether row i may attend to rows j ≤ i only; false when left out. With a cache it always is so. */
  causal?: boolean;
  /** What has been seen, behind which the inputs are the next rows; masks are then those of its capacity. */
  cache?: KvCache;
}

/** Options of `MultiheadAttention.withWeights`. */
export interface AttentionWeightsOptions extends AttentionCallOptions {
  /** Whether the weights are the mean over the heads; true when left out. */
  averageWeights?: boolean;
}

/** The names of `AttentionCallOptions` but the cache's. */
export const ATTENTION_MASKS = { mask: true, keyPaddingMask: true, causal: "boolean" } as const;

/** The names of `AttentionCallOptions`. */
export const ATTENTION_CALL: Known<AttentionCallOptions> = { ...ATTENTION_MASKS, cache: true };

/** The names of `AttentionWeightsOptions`. */
export const ATTENTION_WEIGHTS: Known<AttentionWeightsOptions> = {
  ...ATTENTION_CALL,
  averageWeights: "boolean",
};

/** What attention is given: queries, keys where they are others, values where they are others than keys. */
export type AttentionInputs<Options = AttentionCallOptions> =
  | [query: Tensor, options?: Options]
  | [query: Tensor, key: Tensor, options?: Options]
  | [query: Tensor, key: Tensor, value: Tensor, options?: Options];

/** The same, one by one. */
export interface ReadInputs {
  readonly query: Tensor;
  readonly key: Tensor;
  readonly value: Tensor;
  readonly options: AttentionWeightsOptions;
}

/** Tells tensors and options apart; throws a `GradusError` for others. */
export function readInputs(
  op: string,
  inputs: readonly unknown[],
  known: Known<AttentionWeightsOptions> | Known<AttentionCallOptions>,
): ReadInputs {
  const given = [...inputs];
  while (given.length > 1 && given[given.length - 1] === undefined) given.pop();
  const hasOptions = given.length > 1 && !(given[given.length - 1] instanceof Tensor);
  const options = (hasOptions ? given.pop() : {}) as AttentionWeightsOptions;
  checkOptions<AttentionWeightsOptions>(op, options, known as Known<AttentionWeightsOptions>);
  checkTensors(op, given as Tensor[]);
  if (given.length > 3) {
    throw new GradusError(`${op}: ${given.length} tensors; expected query, key and value`);
  }
  const { cache } = options;
  if (cache !== undefined && !(cache instanceof KvCache)) {
    throw new GradusError(`${op}: cache ${describeValue(cache)}; expected a KvCache`);
  }
  const [query, key = query, value = key] = given as Tensor[];
  return { query, key, value, options };
}

/** What attention is, for inputs to fit it. */
export interface AttentionSizes {
  readonly numHeads: number;
  readonly dtype: DType;
  /** Features of queries, keys and values. */
  readonly features: Shape;
  readonly batchFirst: boolean;
}

/** The axis of the rows of a sequence, `[…, rows, features]` or `[rows, …, features]`. */
export function axisOfRows(rank: number, batchFirst: boolean): number {
  return batchFirst ? rank - 2 : 0;
}

/** Throws a `ShapeError` or `DTypeError` for inputs and masks that do not fit, before anything is changed. */
export function checkAttends(
  op: string,
  { numHeads, dtype, features, batchFirst }: AttentionSizes,
  { query, key, value, options: { mask, keyPaddingMask, cache } }: ReadInputs,
  names = ["mask", "keyPaddingMask"],
): void {
  const inputs = [query, key, value];
  const isWide = inputs.every((x, i) => x.rank >= 2 && x.shape[x.rank - 1] === features[i]);
  const [l, s, values] = inputs.map(({ shape, rank }) => shape[axisOfRows(rank, batchFirst)]);
  if (!isWide || s !== values) {
    const shapes = inputs.map(({ shape }) => formatShape(shape)).join(", ");
    const wanted = ["l", "s", "s"].map((rows, i) => {
      return `[${batchFirst ? `…, ${rows}` : `${rows}, …`}, ${features[i]}]`;
    });
    throw new ShapeError(`${op}: inputs ${shapes}; expected ${wanted.join(", ")}`);
  }
  if (cache && l !== s) {
    throw new ShapeError(`${op}: ${l} rows of queries, ${s} of keys; expected as many for a cache`);
  }
  for (const [i, x] of inputs.entries()) {
    if (x.dtype === dtype) continue;
    throw new DTypeError(`${op}: input ${i} has dtype ${x.dtype}; expected ${dtype}`);
  }
  const outer = inputs
    .map(({ shape }): Shape => (batchFirst ? shape.slice(0, -2) : shape.slice(1, -1)))
    .reduce((a, b) => broadcastShapes(op, a, b));
  const columns = cache?.capacity ?? s;
  checkNamedTensors(op, { [names[0]]: mask, [names[1]]: keyPaddingMask });
  if (keyPaddingMask) {
    const { shape, rank } = keyPaddingMask;
    expectDType(`${op}: ${names[1]} has dtype`, keyPaddingMask.dtype, "bool");
    if (shape[rank - 1] !== columns || !canBroadcast(shape.slice(0, -1), outer)) {
      const rule = `[…, ${columns}]${rank > 1 ? `, all but the last axis as ${formatShape(outer)}` : ""}`;
      throw new ShapeError(`${op}: ${names[1]} ${formatShape(shape)}; expected ${rule}`);
    }
  }
  if (!mask) return;
  if (!is(mask.dtype, "bool") && mask.dtype !== dtype) {
    throw new DTypeError(
      `${op}: ${names[0]} has dtype ${mask.dtype}; expected ${either(["bool", dtype])}`,
    );
  }
  const whole = [...outer, numHeads, l, columns];
  if (canBroadcast(mask.shape, whole)) return;
  throw new ShapeError(
    `${op}: ${names[0]} ${formatShape(mask.shape)}; expected what broadcasts to ${formatShape(whole)}`,
  );
}
