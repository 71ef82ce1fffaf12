import { checkFinite, checkNotNegative, checkSurplus } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import {
  hardShrink,
  hardSigmoid,
  hardSwish,
  hardTanh,
  relu6,
  softShrink,
  threshold,
} from "../ops/piecewise.ts";
import { Module } from "./module.ts";

/** Computes min(max(x, 0), 6) per element. */
export class ReLU6 extends Module {
  override forward(x: Tensor): Tensor {
    return relu6(x);
  }
}

/** Computes min(max(x + 3, 0), 6) / 6 per element. */
export class Hardsigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return hardSigmoid(x);
  }
}

/** Computes x · min(max(x + 3, 0), 6) / 6 per element. */
export class Hardswish extends Module {
  override forward(x: Tensor): Tensor {
    return hardSwish(x);
  }
}

/** Limits elements to [low, high], as `hardTanh` does. */
export class Hardtanh extends Module {
  /**
   * @param low a finite number.
   * @param high a finite number from low on.
   */
  constructor(
    readonly low = -1,
    readonly high = 1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Hardtanh(low, high)", surplus);
    checkFinite("Hardtanh", { low, high });
    if (low > high) {
      throw new GradusError(`Hardtanh: low ${low}, high ${high}; expected low ≤ high`);
    }
  }

  override forward(x: Tensor): Tensor {
    return hardTanh(x, this.low, this.high);
  }
}

/** Makes 0 of what is not farther than λ from it, as `hardShrink` does. */
export class Hardshrink extends Module {
  /** @param lambda λ, a finite number from 0. */
  constructor(
    readonly lambda = 0.5,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Hardshrink(lambda)", surplus);
    checkNotNegative("Hardshrink", { lambda });
  }

  override forward(x: Tensor): Tensor {
    return hardShrink(x, this.lambda);
  }
}

/** Brings elements nearer to 0 by λ, as `softShrink` does. */
export class Softshrink extends Module {
  /** @param lambda λ, a finite number from 0. */
  constructor(
    readonly lambda = 0.5,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Softshrink(lambda)", surplus);
    checkNotNegative("Softshrink", { lambda });
  }

  override forward(x: Tensor): Tensor {
    return softShrink(x, this.lambda);
  }
}

/** Puts a value in the place of what is not above a limit, as `threshold` does. */
export class Threshold extends Module {
  /**
   * @param limit a finite number.
   * @param value a finite number.
   */
  constructor(
    readonly limit: number,
    readonly value: number,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Threshold(limit, value)", surplus);
    checkFinite("Threshold", { limit, value });
  }

  override forward(x: Tensor): Tensor {
    return threshold(x, this.limit, this.value);
  }
}
