import { checkFunctions, checkOptions, checkSizes, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import { formatShape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add } from "../ops/arithmetic.ts";
import { matmul } from "../ops/matmul.ts";
import { type Initializer, xavierUniform, zerosInit } from "./init.ts";
import { Module } from "./module.ts";

/** Options of `Linear`. */
export interface LinearOptions {
  /** Whether a bias is added; true when left out. */
  bias?: boolean;
  /** `xavierUniform()` when left out. */
  weightInit?: Initializer;
  /** `zerosInit` when left out. */
  biasInit?: Initializer;
  /** Fixes the initial weights on every device; give each layer of a model its own. */
  seed?: number;
  /** In place of `seed`, a key as `foldIn` derives them. */
  key?: Key;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

/** The names of `LinearOptions`, for checks. */
export const LINEAR_OPTIONS: Known<LinearOptions> = {
  bias: "boolean",
  weightInit: true,
  biasInit: true,
  seed: true,
  key: true,
  device: true,
  dtype: "string",
};

/** PyTorch keeps the transpose of a weight. */
const TRANSPOSED = { axes: [1, 0] };

/**
 * Computes y = x·W + b from `x` of shape `[…, inFeatures]`.
 * @throws ShapeError for sizes that are no positive integers and for inputs of other sizes.
 * @example new Linear(784, 50, { seed: 1 }).call(images); // [n, 784] to [n, 50]
 */
export class Linear extends Module {
  /** W of shape `[inFeatures, outFeatures]`. */
  readonly weight: Parameter;
  /** b of shape `[outFeatures]`; null without bias. */
  readonly bias: Parameter | null;

  constructor(
    readonly inFeatures: number,
    readonly outFeatures: number,
    options: LinearOptions = {},
    ...surplus: never[]
  ) {
    super();
    checkOptions("Linear", options, LINEAR_OPTIONS, surplus);
    checkSizes("Linear", { inFeatures, outFeatures });
    const { weightInit = xavierUniform(), biasInit = zerosInit, device, dtype } = options;
    checkFunctions("Linear", { weightInit, biasInit });
    const key = givenKey("Linear", options);
    const make = (name: string, init: Initializer, shape: readonly number[], number: number) => {
      const own = key && foldIn(key, number);
      const context = { fanIn: inFeatures, fanOut: outFeatures, key: own, device, dtype };
      const pytorch = shape.length > 1 ? TRANSPOSED : undefined;
      return new Parameter(init(shape, context), { name, pytorch });
    };
    this.weight = make("weight", weightInit, [inFeatures, outFeatures], 0);
    this.bias = (options.bias ?? true) ? make("bias", biasInit, [outFeatures], 1) : null;
  }

  override forward(x: Tensor): Tensor {
    if (x.shape[x.rank - 1] !== this.inFeatures) {
      throw new ShapeError(
        `Linear: input ${formatShape(x.shape)}; expected […, ${this.inFeatures}]`,
      );
    }
    const y = matmul(x, this.weight);
    return this.bias ? add(y, this.bias) : y;
  }
}
