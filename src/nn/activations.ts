import type { Tensor } from "../graph/tensor.ts";
import { relu, sigmoid, softplus, tanh } from "../ops/unary.ts";
import { Module } from "./module.ts";

/** Computes σ(x) = 1 / (1 + e⁻ˣ) per element. */
export class Sigmoid extends Module {
  override forward(x: Tensor): Tensor {
    return sigmoid(x);
  }
}

/** Computes max(x, 0) per element. */
export class ReLU extends Module {
  override forward(x: Tensor): Tensor {
    return relu(x);
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
