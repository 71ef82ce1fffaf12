import { checkIntegers, checkSurplus } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
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
