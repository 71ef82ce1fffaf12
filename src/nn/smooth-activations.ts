import { checkPositive, checkSurplus } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { celu, mish, selu, softsign, tanhShrink } from "../ops/smooth.ts";
import { Module } from "./module.ts";

/** Computes x for x > 0 and α · (e^(x/α) − 1) elsewhere, as `celu` does. */
export class CELU extends Module {
  /** @param alpha a finite number above 0. */
  constructor(
    readonly alpha = 1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("CELU(alpha)", surplus);
    checkPositive("CELU", { alpha });
  }

  override forward(x: Tensor): Tensor {
    return celu(x, this.alpha);
  }
}

/** Computes λx for x > 0 and λα · (eˣ − 1) elsewhere, as `selu` does. */
export class SELU extends Module {
  override forward(x: Tensor): Tensor {
    return selu(x);
  }
}

/** Computes x · tanh(log(1 + eˣ)) per element. */
export class Mish extends Module {
  override forward(x: Tensor): Tensor {
    return mish(x);
  }
}

/** Computes x / (1 + |x|) per element. */
export class Softsign extends Module {
  override forward(x: Tensor): Tensor {
    return softsign(x);
  }
}

/** Computes x − tanh(x) per element. */
export class Tanhshrink extends Module {
  override forward(x: Tensor): Tensor {
    return tanhShrink(x);
  }
}
