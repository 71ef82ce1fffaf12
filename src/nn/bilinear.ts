import { checkFunctions, checkOptions, checkSizes } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import { Parameter } from "../graph/state.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { einsum } from "../ops/einsum.ts";
import { heUniform, type Initializer } from "./init.ts";
import { LINEAR_OPTIONS, type LinearOptions } from "./linear.ts";
import { Module } from "./module.ts";

/** Options of `Bilinear`: those of `Linear`, where weights and biases begin as in PyTorch, U[−a, a), a = 1 / √in1Features. */
export type BilinearOptions = LinearOptions;

/**
 * Computes yₒ = aᵀ·Wₒ·b + biasₒ from a of shape `[…, in1Features]` and b of shape `[…, in2Features]`.
 * @throws ShapeError for sizes that are no positive integers and for inputs of other sizes.
 * @example new Bilinear(3, 4, 2).call(ones([5, 3]), ones([5, 4])).shape; // [5, 2]
 */
export class Bilinear extends Module<[a: Tensor, b: Tensor]> {
  /** W of shape `[outFeatures, in1Features, in2Features]`. */
  readonly weight: Parameter;
  /** Of shape `[outFeatures]`; null without bias. */
  readonly bias: Parameter | null;

  constructor(
    readonly in1Features: number,
    readonly in2Features: number,
    readonly outFeatures: number,
    options: BilinearOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("Bilinear", options, LINEAR_OPTIONS, surplus);
    checkSizes("Bilinear", { in1Features, in2Features, outFeatures });
    const begun = heUniform(Math.sqrt(5));
    const { weightInit = begun, biasInit = begun, bias = true, device, dtype } = options;
    checkFunctions("Bilinear", { weightInit, biasInit });
    const key = givenKey("Bilinear", options);
    const make = (name: string, init: Initializer, shape: readonly number[], number: number) => {
      const own = key && foldIn(key, number);
      const context = { fanIn: in1Features, fanOut: outFeatures, key: own, device, dtype };
      return new Parameter(init(shape, context), { name });
    };
    this.weight = make("weight", weightInit, [outFeatures, in1Features, in2Features], 0);
    this.bias = bias ? make("bias", biasInit, [outFeatures], 1) : null;
  }

  override forward(a: Tensor, b: Tensor): Tensor {
    checkTensors("Bilinear", [a, b]);
    const [n, m] = [a.shape[a.rank - 1], b.shape[b.rank - 1]];
    if (n !== this.in1Features || m !== this.in2Features) {
      throw new ShapeError(
        `Bilinear: inputs ${formatShape(a.shape)} and ${formatShape(b.shape)}; expected ` +
          `[…, ${this.in1Features}] and […, ${this.in2Features}]`,
      );
    }
    const y = einsum("...i,oij,...j->...o", a, this.weight, b);
    return this.bias ? add(y, this.bias) : y;
  }
}
