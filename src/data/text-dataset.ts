import { checkOptions, checkSizes } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { expectDType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Tensor } from "../graph/tensor.ts";
import { type KnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { add, mul } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { iota, tensor } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { expandDims } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { checkIndices, checkRows, checkTokens } from "./checks.ts";
import type { Dataset } from "./dataset.ts";
import type { BatchSampler } from "./sampler.ts";
import { partSizes } from "./split.ts";
import { stepRows } from "./step-rows.ts";
import { BatchTensors, type TensorBatch } from "./tensor-dataset.ts";

/** Options of `TextDataset`. */
export interface TextDatasetOptions {
  /** Tokens of a window. */
  length: number;
  /** How far a window begins behind the one before; `length` when left out, so that none overlap. */
  stride?: number;
  /** The device of `init` when left out. */
  device?: Device;
}

/**
 * Windows of a text's tokens, for models that tell the next one: `x`, and `y`, which is `x` shifted by
 * one, both i32 `[n, length]`. The tokens stay on the device, in one byte or two where they are small
 * enough, and batches upload nothing but the numbers of their windows, or with `batchAt` nothing. Window i begins
 * at token i · stride; what is left at the end and fills none is not used.
 * @example
 * const letters = new CharacterTokenizer("a rose is a rose");
 * const data = new TextDataset(letters.encode("a rose is a rose"), { length: 4, stride: 1 });
 * await data.size; // 12
 * await data.batch([2]).x.toArray(); // [[5, 4, 6, 2]]
 * await data.batch([2]).y.toArray(); // [[4, 6, 2, 0]]
 */
export class TextDataset implements Dataset<TensorBatch<"x" | "y">>, KnownByIdentity {
  readonly size: number;
  readonly length: number;
  readonly stride: number;
  /** All tokens `[m]`, u8, u16 or i32, or what was given. */
  readonly tokens: Tensor;

  /**
   * @param tokens as tokenizers give them, or a tensor of integers `[m]`, which the data set takes charge
   * of.
   * @throws ShapeError for fewer tokens than a window and one more, and sizes that are not positive
   * integers; DTypeError for a tensor of other numbers, GradusError for an array of others.
   */
  constructor(tokens: Tensor | ArrayLike<number>, options: TextDatasetOptions) {
    checkOptions<TextDatasetOptions>("TextDataset", options, {
      length: "number",
      stride: true,
      device: true,
    });
    const { length, stride = length, device } = options;
    checkSizes("TextDataset", { length, stride });
    const count =
      tokens instanceof Tensor ? checkTensor(tokens) : checkTokens("TextDataset", tokens);
    if (count <= length) {
      throw new ShapeError(
        `TextDataset: ${count} tokens for windows of ${length}; expected at least ${length + 1}`,
      );
    }
    this.tokens = tokens instanceof Tensor ? tokens : stored(tokens, device);
    this.length = length;
    this.stride = stride;
    this.size = Math.floor((count - length - 1) / stride) + 1;
  }

  /**
   * Gives windows by their numbers, each from 0 to `size` − 1, as lazy tensors.
   * @throws ShapeError for another number.
   */
  batch(indices: ArrayLike<number>): TensorBatch<"x" | "y"> {
    const own = checkIndices("TextDataset.batch", indices, this.size);
    const rows = tensor(own, { device: this.tokens.device });
    return this.rows(rows, [rows]);
  }

  /**
   * Gives the batch of a step, counted over all epochs, without any upload: the windows that
   * `sampler.at` names, computed from the counter on the device.
   * @param step u32 scalar on the data's device, such as a `State`.
   * @throws ShapeError if the sampler is for another size; else as `batchIndices` does, such as for
   * a sampler whose last batch is shorter.
   */
  batchAt(step: Tensor, sampler: BatchSampler): TensorBatch<"x" | "y"> {
    const rows = stepRows("TextDataset", this.size, step, sampler);
    return this.rows(rows, [rows]);
  }

  /** Gives the windows that a u32 tensor `[n]` names, and frees `owned` with them. */
  rows(indices: Tensor, owned: readonly Tensor[] = []): TensorBatch<"x" | "y"> {
    checkRows("TextDataset.rows", indices);
    const { length, stride } = this;
    const starts = expandDims(mul(cast(indices, "i32"), stride), 1);
    const places = add(starts, iota(length + 1, "i32", indices.device)); // [n, length + 1]
    const all = cast(gather(this.tokens, places), "i32");
    const x = slice(all, [{}, { end: length }]);
    const y = slice(all, [{}, { start: 1 }]);
    const named = { x, y };
    const batch = new BatchTensors(Object.entries(named), [all, ...owned]);
    return batch as unknown as TensorBatch<"x" | "y">;
  }

  /** Compiled functions know it by identity. */
  [traceKey](): string {
    return "";
  }

  /** Frees the tokens. */
  dispose(): void {
    this.tokens.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }
}

/**
 * Cuts tokens into parts that lie one behind the other, so that no window of one part has tokens of
 * another, as windows of a shuffled part would have of their neighbours. Nothing is copied of typed
 * arrays.
 * @param shares numbers above 0 by name, with the sum 1.
 * @throws GradusError for other shares or tokens, ShapeError for a part without tokens.
 * @example
 * const { train, validation } = splitTokens(tokens, { train: 0.9, validation: 0.1 });
 * const data = new TextDataset(train, { length: 64 });
 */
export function splitTokens<
  T extends ArrayLike<number>,
  P extends Readonly<Record<string, number>>,
>(tokens: T, shares: P): { [K in keyof P]: T } {
  const count = checkTokens("splitTokens", tokens);
  const sizes = partSizes("splitTokens", count, shares, "tokens");
  let end = 0;
  const parts = Object.keys(shares).map((name, i) => {
    end += sizes[i];
    const range = [end - sizes[i], end] as const;
    const part = ArrayBuffer.isView(tokens)
      ? (tokens as unknown as Int32Array).subarray(...range)
      : Array.from(tokens).slice(...range);
    return [name, part];
  });
  return Object.fromEntries(parts);
}

/** Tokens on a device, as bytes or halves of words where all are small enough. */
function stored(tokens: ArrayLike<number>, device: Device | undefined): Tensor {
  let most = 0;
  for (let i = 0; i < tokens.length; i++) most = Math.max(most, tokens[i]);
  const Stored = most < 2 ** 8 ? Uint8Array : most < 2 ** 16 ? Uint16Array : Int32Array;
  return tensor(Stored.from(tokens), { device });
}

function checkTensor(tokens: Tensor): number {
  expectDType("TextDataset: tokens have dtype", tokens.dtype, "integer");
  if (tokens.rank === 1) return tokens.size;
  throw new ShapeError(`TextDataset: tokens ${formatShape(tokens.shape)}; expected [m]`);
}
