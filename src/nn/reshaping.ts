import { checkEach, checkIntegers, checkSurplus } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { flatten, unflatten } from "../ops/axes.ts";
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
 * Joins neighbouring axes to one, as `flatten` does: all behind n when left out, which turns each example
 * into a vector, `[n, …]` to `[n, features]`.
 * @throws ShapeError, when it is called, for axes that are not there or not in order.
 * @example new Flatten(0, 1).call(ones([2, 3, 4])).shape; // [6, 4]
 */
export class Flatten extends Module {
  /**
   * @param first the first axis that is joined; 1 when left out.
   * @param last the last one; the last of all when left out. Negative ones count from the end.
   */
  constructor(
    readonly first = 1,
    readonly last = -1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Flatten(first, last)", surplus);
    checkIntegers("Flatten", { first, last });
  }

  override forward(x: Tensor): Tensor {
    const { first, last } = this;
    if (first !== 1 || last !== -1) return flatten(x, first, last);
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
