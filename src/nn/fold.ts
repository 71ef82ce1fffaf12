import { checkOptions } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { blocksOf, FOLD, type FoldOptions, fold, unfold } from "../ops/fold.ts";
import { forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { Module } from "./module.ts";

/** The axes that sizes are given for: height and width. */
const AXES = [0, 1];

/**
 * Lays the blocks of images side by side, as `unfold` does.
 * @throws ShapeError for numbers that are no such integers, and, when it is called, blocks larger than x.
 * @example new Unfold(3, { padding: 1 }).call(ones([2, 3, 8, 8])).shape; // [2, 27, 64]
 */
export class Unfold extends Module {
  readonly #options: FoldOptions;

  /** @param size elements of a block: one number for height and width, or one for each. */
  constructor(
    readonly size: PerAxis,
    options: FoldOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("Unfold", options, FOLD, surplus);
    blocksOf("Unfold", [1, 1], size, options, AXES);
    this.#options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return unfold(x, this.size, this.#options);
  }
}

/**
 * Adds up blocks of images, as `fold` does.
 * @throws ShapeError for numbers that are no such integers, and, when it is called, for another number of
 * rows or blocks.
 * @example new Fold(8, 2, { stride: 2 }).call(ones([2, 12, 16])).shape; // [2, 3, 8, 8]
 */
export class Fold extends Module {
  readonly #options: FoldOptions;

  /**
   * @param outputSize height and width, or one number for both.
   * @param size elements of a block: one number for height and width, or one for each.
   */
  constructor(
    readonly outputSize: PerAxis,
    readonly size: PerAxis,
    options: FoldOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("Fold", options, FOLD, surplus);
    blocksOf("Fold", forEachAxis("Fold", "outputSize", outputSize, AXES, 1), size, options, AXES);
    this.#options = { ...options };
  }

  override forward(x: Tensor): Tensor {
    return fold(x, this.outputSize, this.size, this.#options);
  }
}
