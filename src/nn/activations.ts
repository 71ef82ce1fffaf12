import {
  checkFinite,
  checkIntegers,
  checkOptions,
  checkSurplus,
  checkWords,
} from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { elu, GELU_OPTIONS, type GeluOptions, gelu, leakyRelu, silu } from "../ops/activations.ts";
import { neg } from "../ops/arithmetic.ts";
import { glu } from "../ops/glu.ts";
import { logSoftmax, softmax } from "../ops/softmax.ts";
import { logSigmoid, relu, sigmoid, softplus, tanh } from "../ops/unary.ts";
import { Module } from "./module.ts";

/** Computes σ(x) = 1 / (1 + e⁻ˣ) per element. */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Computes log σ(x) per element, without overflow. */
export class LogSigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return logSigmoid(x);
  }
}

/** Computes max(x, 0) per element. */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
  }
}

/** Computes x for x > 0 and slope · x elsewhere, as `leakyRelu` does. */
export class LeakyReLU extends Module {
  /** @param slope a finite number. */
  constructor(
    readonly slope = 0.01,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("LeakyReLU(slope)", surplus);
    checkFinite("LeakyReLU", { slope });
  }

  override forward(x: Tensor): Tensor {
    return leakyRelu(x, this.slope);
  }
}

/** Computes x for x > 0 and α · (eˣ − 1) elsewhere, as `elu` does. */
export class ELU extends Module {
  /** @param alpha a finite number. */
  constructor(
    readonly alpha = 1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("ELU(alpha)", surplus);
    checkFinite("ELU", { alpha });
  }

  override forward(x: Tensor): Tensor {
    return elu(x, this.alpha);
  }
}

/** Computes x · Φ(x) per element, or its approximation by tanh, as `gelu` does. */
export class GELU extends Module {
  readonly approximate: "none" | "tanh";

  /** @param options `approximate`: `"none"`, as when left out, or `"tanh"`. */
  constructor(options: GeluOptions = {}, ...surplus: never[]) {
    super();
    checkOptions("GELU", options, GELU_OPTIONS, surplus);
    const { approximate = "none" } = options;
    checkWords("GELU", { approximate }, ["none", "tanh"]);
    this.approximate = approximate;
  }

  override forward(x: Tensor): Tensor {
    return gelu(x, { approximate: this.approximate });
  }
}

/** Computes x · σ(x) per element. */
export class SiLU extends Module {
  override forward(x: Tensor): Tensor {
    return silu(x);
  }
}

/** Computes the hyperbolic tangent per element. */
export class Tanh extends Module {
  override forward(x: Tensor): Tensor {
    return tanh(x);
  }
}

/** Computes log(1 + eˣ) per element. */
export class Softplus extends Module {
  override forward(x: Tensor): Tensor {
    return softplus(x);
  }
}

/** Computes exp(xᵢ) / Σⱼ exp(xⱼ) along an axis, as `softmax` does. */
export class Softmax extends Module {
  /** @param axis the last when left out. */
  constructor(
    readonly axis = -1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Softmax(axis)", surplus);
    checkIntegers("Softmax", { axis });
  }

  override forward(x: Tensor): Tensor {
    return softmax(x, { axis: this.axis });
  }
}

/** Computes xᵢ − log Σⱼ exp(xⱼ) along an axis, as `logSoftmax` does. */
export class LogSoftmax extends Module {
  /** @param axis the last when left out. */
  constructor(
    readonly axis = -1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("LogSoftmax(axis)", surplus);
    checkIntegers("LogSoftmax", { axis });
  }

  override forward(x: Tensor): Tensor {
    return logSoftmax(x, { axis: this.axis });
  }
}

/** Computes exp(−xᵢ) / Σⱼ exp(−xⱼ) along an axis. */
export class Softmin extends Module {
  /** @param axis the last when left out. */
  constructor(
    readonly axis = -1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("Softmin(axis)", surplus);
    checkIntegers("Softmin", { axis });
  }

  override forward(x: Tensor): Tensor {
    return softmax(neg(x), { axis: this.axis });
  }
}

/** Computes a · σ(b) of the two halves of an axis, as `glu` does. */
export class GLU extends Module {
  /** @param axis the last when left out. */
  constructor(
    readonly axis = -1,
    ...surplus: never[]
  ) {
    super();
    checkSurplus("GLU(axis)", surplus);
    checkIntegers("GLU", { axis });
  }

  override forward(x: Tensor): Tensor {
    return glu(x, { axis: this.axis });
  }
}
