import { checkOptions } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Layout1d, Layout3d } from "../ops/channels.ts";
import { MAX_UNPOOL, type MaxUnpoolOptions, maxUnpool } from "../ops/max-unpool.ts";
import { forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { Module } from "./module.ts";
import { rankOf } from "./rank.ts";
import { checkSliding } from "./sliding-options.ts";

/** Takes pooling by maxima back. */
abstract class MaxUnpoolLayer extends Module<[x: Tensor, indices: Tensor, outputSize?: PerAxis]> {
  readonly #name: string;
  readonly #size: PerAxis;
  readonly #options: MaxUnpoolOptions<string>;

  constructor(
    name: string,
    size: PerAxis,
    options: MaxUnpoolOptions<string>,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options as MaxUnpoolOptions, MAX_UNPOOL, surplus);
    const axes = checkSliding(name, options, false);
    forEachAxis(name, "size", size, axes, 1);
    this.#name = name;
    this.#size = size;
    this.#options = { ...options };
  }

  /**
   * Puts values where indices say that a pooling found them.
   * @param outputSize of the result, in place of the option: one number for all axes, or one for each.
   */
  override forward(x: Tensor, indices: Tensor, outputSize?: PerAxis): Tensor {
    const name = this.#name;
    const options = { ...this.#options, ...(outputSize !== undefined && { outputSize }) };
    return maxUnpool(name, rankOf(name), x, indices, this.#size, options, []);
  }
}

/** Puts values of series where indices say that a pooling found them, as `maxUnpool1d` does. */
export class MaxUnpool1d extends MaxUnpoolLayer {
  /** @param size elements of the pooling's windows: one number for all axes, or one for each. */
  constructor(size: PerAxis, options: MaxUnpoolOptions<Layout1d> = {}, ...surplus: never[]) {
    super("MaxUnpool1d", size, options, surplus);
  }
}

/** Puts values of images where indices say that a pooling found them, as `maxUnpool2d` does. */
export class MaxUnpool2d extends MaxUnpoolLayer {
  /** @param size elements of the pooling's windows: one number for all axes, or one for each. */
  constructor(size: PerAxis, options: MaxUnpoolOptions = {}, ...surplus: never[]) {
    super("MaxUnpool2d", size, options, surplus);
  }
}

/** Puts values of volumes where indices say that a pooling found them, as `maxUnpool3d` does. */
export class MaxUnpool3d extends MaxUnpoolLayer {
  /** @param size elements of the pooling's windows: one number for all axes, or one for each. */
  constructor(size: PerAxis, options: MaxUnpoolOptions<Layout3d> = {}, ...surplus: never[]) {
    super("MaxUnpool3d", size, options, surplus);
  }
}
