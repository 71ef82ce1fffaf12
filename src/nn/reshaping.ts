import { checkEach, checkIntegers, checkSurplus } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { unflatten } from "../ops/axes.ts";
import { l2Normalize } from "../ops/l2-normalize.ts";
import { reshape } from "../ops/reshape.ts";
import { Module } from "./module.ts";

/** Gives its input unchanged: a place holder where a layer is expected. */
export class Identity extends Module {
  override forward(x: Tensor): Tensor {
    return x;
  }
}

/**
 * Turns each example into a vector: `[n, …]` to `[n, features]`.
 * @throws ShapeError, when it is called, for a scalar.
 */
export class Flatten extends Module {
  override forward(x: Tensor): Tensor {
    if (x.rank === 0) {
      throw new ShapeError(`Flatten: input ${formatShape(x.shape)}; expected [n, …]`);
    }
    return reshape(x, [x.shape[0], sizeOf(x.shape.slice(1))]);
  }
}

/**
 * Splits an axis into several, as `unflatten` does.
 * @throws ShapeError, when it is called, for sizes that do not multiply to the axis's own.
 * @example new Unflatten(1, [16, 7, 7]).call(ones([2, 784])); // [2, 784] to [2, 16, 7, 7]
 */
export class Unflatten extends Module {
  /**
   * @param axis counted from the end when negative.
   * @param sizes of the axes that take its place; one may be -1 and is worked out.
   */
  constructor(
    readonly axis: number,
    readonly sizes: Shape,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Unflatten(axis, sizes)", surplus);
    checkIntegers("Unflatten", { axis });
    checkEach("Unflatten", { sizes }, Array.isArray, "an array of integers");
  }

  override forward(x: Tensor): Tensor {
    return unflatten(x, this.axis, this.sizes);
  }
}

/** Scales vectors along an axis to unit length, as `l2Normalize` does. */
export class L2Normalize extends Module {
  /** @param axis the last when left out. */
  constructor(
    readonly axis = -1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("L2Normalize(axis)", surplus);
    checkIntegers("L2Normalize", { axis });
  }

  override forward(x: Tensor): Tensor {
    return l2Normalize(x, { axis: this.axis });
  }
}
