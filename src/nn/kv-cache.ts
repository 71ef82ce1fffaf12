import { checkEach, checkOptions, checkSizes, isInteger, type Known } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sameShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { identity } from "../graph/identity.ts";
import { assignAll, State } from "../graph/state.ts";
import { apply, evaluate, type Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { isTracing } from "../graph/tracing.ts";
import { add } from "../ops/arithmetic.ts";
import { less } from "../ops/compare.ts";
import { iota, tensor, zeros } from "../ops/creation.ts";
import { overwriteSorted } from "../ops/overwrite.ts";
import { inShape, withAxes } from "../ops/reshape.ts";
import { concat } from "../ops/slice.ts";
import { where } from "../ops/where.ts";

/** Options of a `KvCache`. */
export interface KvCacheOptions {
  /** How many positions it has room for. */
  capacity: number;
  /** How many sequences go on side by side; 1 when left out. */
  batch?: number;
}

const KV_CACHE: Known<KvCacheOptions> = { capacity: "number", batch: "number" };

/** What attends: its heads of keys and values, and where its weights lie. */
export interface CachedHeads {
  readonly kvHeads: number;
  readonly headDim: number;
  readonly device: Device;
  readonly dtype: DType;
}

/**
 * Keeps the keys and values of the positions that an attention layer has seen, so that going on costs
 * what the new ones cost. Memory is fixed: a compiled function writes the new rows in place, and one
 * plan serves all positions. Give each attention layer its own, and pass it at each call with the
 * next rows, in evaluation: gradients do not reach what has been seen. What comes behind the last
 * position that there is room for gives NaN, and counts for no other row.
 * @throws GradusError or ShapeError for what has no heads and a capacity or batch that is no positive
 * integer.
 * @example
 * const attention = new MultiheadAttention(8, 2, { seed: 1 }).eval();
 * const cache = new KvCache(attention, { capacity: 16 });
 * const next = compile((row: Tensor) => attention.call(row, { cache }));
 * for (let i = 0; i < 3; i++) await next(ones([1, 1, 8]));
 * await cache.length.item(); // 3
 */
export class KvCache implements KnownByIdentity {
  /** `[capacity, batch · kvHeads · headDim]`. */
  readonly keys: State;
  /** `[capacity, batch · kvHeads · headDim]`. */
  readonly values: State;
  /** How many positions have been seen, an i32 scalar. */
  readonly length: State;
  readonly capacity: number;
  readonly batch: number;
  readonly #heads: readonly [count: number, size: number];

  constructor(attention: CachedHeads, options: KvCacheOptions, ...surplus: never[]) {
    checkOptions("KvCache", options, KV_CACHE, surplus);
    const { capacity, batch = 1 } = options;
    checkSizes("KvCache", { capacity, batch });
    const hasHeads = (x: unknown) => isInteger((x as CachedHeads | null | undefined)?.kvHeads, 1);
    checkEach("KvCache", { attention }, hasHeads, "a MultiheadAttention");
    const { kvHeads, headDim, device, dtype } = attention;
    this.capacity = capacity;
    this.batch = batch;
    this.#heads = [kvHeads, headDim];
    const room = () => zeros([capacity, batch * kvHeads * headDim], { device, dtype });
    this.keys = new State(room(), { name: "keys" });
    this.values = new State(room(), { name: "values" });
    this.length = new State(tensor(0, { dtype: "i32", device }), { name: "length" });
  }

  /** Forgets all positions. */
  reset(): void {
    this.length.assign(tensor(0, { dtype: "i32", device: this.length.device }));
  }

  /** Gives the position of the next row, as a copy that what is built on it may keep. */
  position(): Tensor {
    const copy = apply(identity, [this.length], {});
    if (!isTracing()) evaluate(copy);
    return copy;
  }

  /**
   * Throws a `ShapeError` for rows of another batch or of other heads than it keeps, and for more than
   * it has room for.
   */
  checkRows(shape: Shape): void {
    const [kvHeads, headDim] = this.#heads;
    const { capacity, batch } = this;
    const count = shape[2];
    if (sameShape(shape, [batch, kvHeads, count, headDim]) && count <= capacity) return;
    const rule = `[${batch}, ${kvHeads}, n, ${headDim}] with n up to ${capacity}`;
    throw new ShapeError(`KvCache: rows ${formatShape(shape)}; expected ${rule}`);
  }

  /**
   * Adds rows `[batch, kvHeads, n, headDim]` of new positions and gives the keys and values of all that
   * were there, and the new ones behind: `[batch, kvHeads, capacity + n, headDim]`, zeros in the place
   * of what has not been seen and of what there is no room for.
   * @param position what `position` gave before the call.
   * @throws ShapeError for others.
   */
  append(k: Tensor, v: Tensor, position: Tensor): [k: Tensor, v: Tensor] {
    const [kvHeads, headDim] = this.#heads;
    const { capacity, batch } = this;
    const count = k.shape[2];
    for (const { shape } of [k, v]) this.checkRows(shape);
    const places = add(position, iota(count, "i32", k.device));
    // Nobody attends to the others, but 0 · NaN is NaN.
    const isSeen = inShape(less(iota(capacity, "i32", k.device), position), [capacity, 1, 1, 1]);
    const hasRoom = inShape(less(places, capacity), [count, 1]);
    const pairs = [
      [this.keys, k],
      [this.values, v],
    ] as const;
    // Nobody reads what is written, so that no row is copied but the new ones.
    const [keys, values] = pairs.map(([state, rows]) => {
      const before = inShape(state, [capacity, batch, kvHeads, headDim]);
      const seen = withAxes(where(isSeen, before, 0), [1, 2, 0, 3]);
      return concat([seen, where(hasRoom, rows, 0)], { axis: 2 });
    });
    const written = pairs.map(([state, rows]) => {
      const flat = inShape(withAxes(rows, [2, 0, 1, 3]), [count, batch * kvHeads * headDim]);
      return [state, overwriteSorted(state, places, flat)] as const;
    });
    assignAll([...written, [this.length, add(position, count)]], [keys, values]);
    return [keys, values];
  }

  /** Tells compiled functions that all that changes in it are states. */
  [traceKey](): string {
    return "";
  }

  /** Frees its states. */
  dispose(): void {
    for (const state of [this.keys, this.values, this.length]) state.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}
