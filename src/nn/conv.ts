import { checkFunctions, checkOptions, checkSizes, checkWords, type Known } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, givenKey, type Key } from "../core/random.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Layout1d, Layout2d, Layout3d } from "../ops/channels.ts";
import {
  type ConvOptions,
  type ConvSettings,
  checkGroups,
  convolve,
  PADDING_MODES,
} from "../ops/conv.ts";
import { type ConvTransposeOptions, convolveTransposed } from "../ops/conv-transpose.ts";
import { forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { heUniform, type Initializer } from "./init.ts";
import { Module } from "./module.ts";
import { rankOf } from "./rank.ts";
import { checkSliding, type SlidingOptions } from "./sliding-options.ts";

/** What layers of convolutions of all kinds are told beside what their functions are. */
interface ConvLayerSettings {
  /** Whether a bias is added; true when left out. */
  bias?: boolean;
  /** `heUniform(Math.sqrt(5))` when left out: U[−a, a), a = 1 / √fanIn. */
  weightInit?: Initializer;
  /** The same when left out, with the weight's fanIn. */
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

/** Options of `Conv1d`, `Conv2d` and `Conv3d`. */
export interface ConvLayerOptions<Layout extends string = Layout2d>
  extends Omit<ConvOptions<Layout>, "bias">,
    ConvLayerSettings {}

/** Options of `ConvTranspose1d`, `ConvTranspose2d` and `ConvTranspose3d`. */
export interface ConvTransposeLayerOptions<Layout extends string = Layout2d>
  extends Omit<ConvTransposeOptions<Layout>, "bias" | "outputSize">,
    ConvLayerSettings {}

const SETTINGS = {
  bias: "boolean",
  stride: "number",
  padding: true,
  dilation: true,
  groups: true,
  layout: "string",
  weightInit: true,
  biasInit: true,
  seed: true,
  key: true,
  device: true,
  dtype: "string",
} as const;

/** What a layer of one kind of convolution is made of. */
interface ConvKind<Own> {
  readonly known: Known<Own & ConvLayerSettings>;
  readonly isTransposed: boolean;
  readonly compute: (
    op: string,
    rank: number,
    x: Tensor,
    weight: Tensor,
    options: Own,
    surplus: readonly unknown[],
  ) => Tensor;
}

const PLAIN: ConvKind<ConvOptions<string>> = {
  known: { ...SETTINGS, paddingMode: "string" },
  isTransposed: false,
  compute: convolve,
};

/** What transposed layers are told beside where their results end, which a call says. */
type Transposed = Omit<ConvTransposeOptions<string>, "outputSize">;

const TRANSPOSED: ConvKind<Transposed> = {
  known: { ...SETTINGS, outputPadding: true },
  isTransposed: true,
  compute: convolveTransposed,
};

/** A convolution that owns its kernel. */
export abstract class ConvLayer<
  Own extends ConvSettings<string> = ConvSettings<string>,
  In extends readonly [x: Tensor, outputSize?: PerAxis] = readonly [
    x: Tensor,
    outputSize?: PerAxis,
  ],
> extends Module<In> {
  /** `[outChannels, inChannels / groups, …sizes]`; of a transposed one inputs and outputs swapped. */
  readonly weight: Parameter;
  /** b of shape `[outChannels]`; null without bias. */
  readonly bias: Parameter | null;
  /** Sizes of the kernel. */
  readonly kernelSize: Shape;
  /** In how many groups channels are. */
  readonly groups: number;
  /** Whether it is a transposed one. */
  readonly isTransposed: boolean;
  readonly #kind: ConvKind<Own>;
  readonly #name: string;
  readonly #options: Own;

  constructor(
    kind: ConvKind<Own>,
    name: string,
    readonly inChannels: number,
    readonly outChannels: number,
    kernelSize: PerAxis,
    options: Omit<Own, "bias"> & ConvLayerSettings,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options as Own & ConvLayerSettings, kind.known, surplus);
    checkSizes(name, { inChannels, outChannels });
    const { bias = true, weightInit, biasInit, seed, key, device, dtype, ...own } = options;
    const { groups = 1 } = options;
    checkSizes(name, { groups });
    for (const channels of [inChannels, outChannels]) checkGroups(name, channels, groups);
    const axes = [...Array(rankOf(name)).keys()];
    this.kernelSize = forEachAxis(name, "kernelSize", kernelSize, axes, 1);
    checkSliding(name, own as SlidingOptions, !kind.isTransposed);
    const { paddingMode } = own as { paddingMode?: string };
    if (paddingMode !== undefined) checkWords(name, { paddingMode }, PADDING_MODES);
    const [rows, columns] = kind.isTransposed
      ? [inChannels, outChannels]
      : [outChannels, inChannels];
    const shape = [rows, columns / groups, ...this.kernelSize];
    const taps = sizeOf(this.kernelSize);
    const [fanIn, fanOut] = [(taps * columns) / groups, (taps * rows) / groups];
    const drawn = givenKey(name, options);
    const make = (called: string, of: readonly number[], number: number, init?: Initializer) => {
      const draws = init ?? heUniform(Math.sqrt(5));
      checkFunctions(name, { [`${called}Init`]: draws });
      const context = { fanIn, fanOut, key: drawn && foldIn(drawn, number), device, dtype };
      return new Parameter(draws(of, context), { name: called });
    };
    this.weight = make("weight", shape, 0, weightInit);
    this.bias = bias ? make("bias", [outChannels], 1, biasInit) : null;
    this.groups = groups;
    this.isTransposed = kind.isTransposed;
    this.#kind = kind;
    this.#name = name;
    this.#options = own as unknown as Own;
  }

  /** Throws a `ShapeError` for an input of other channels. */
  protected checkInput(x: Tensor): void {
    const name = this.#name;
    const rank = rankOf(name);
    const isLast = this.#options.layout?.endsWith("C");
    const channels = x.shape[isLast ? x.rank - 1 : x.rank - 1 - rank];
    if (channels !== undefined && channels !== this.inChannels) {
      throw new ShapeError(
        `${name}: input ${formatShape(x.shape)} of ${channels} channels; expected ${this.inChannels}`,
      );
    }
  }

  /** Computes what it does with another kernel and bias; of a transposed one, to a size. */
  convolve(x: Tensor, weight: Tensor, bias: Tensor | null, outputSize?: PerAxis): Tensor {
    const name = this.#name;
    const sized = outputSize !== undefined && { outputSize, outputPadding: undefined };
    const options = { ...this.#options, ...sized, bias: bias ?? undefined };
    return this.#kind.compute(name, rankOf(name), x, weight, options, []);
  }

  /** Mixes channels of each place, in the groups that it has. */
  mix(x: Tensor, weight: Tensor): Tensor {
    const { layout } = this.#options;
    return convolve(this.#name, rankOf(this.#name), x, weight, { layout, groups: this.groups }, []);
  }
}

/** A convolution along axes. */
abstract class PlainConvLayer extends ConvLayer<ConvOptions<string>, [x: Tensor]> {
  override forward(x: Tensor): Tensor {
    this.checkInput(x);
    return this.convolve(x, this.weight, this.bias);
  }
}

/** A transposed convolution along axes. */
abstract class TransposedConvLayer extends ConvLayer<
  Transposed,
  [x: Tensor, outputSize?: PerAxis]
> {
  /**
   * Convolves x.
   * @param outputSize of the result, in place of `outputPadding`: one number for all axes, or one for each.
   */
  override forward(x: Tensor, outputSize?: PerAxis): Tensor {
    this.checkInput(x);
    return this.convolve(x, this.weight, this.bias, outputSize);
  }
}

/**
 * Computes `conv1d` with a kernel of its own.
 * @throws ShapeError for sizes that are no positive integers, groups that do not divide the channels,
 * and inputs of other channels.
 * @example new Conv1d(3, 8, 5, { padding: "same" }).call(series); // [2, 3, 28] to [2, 8, 28]
 */
export class Conv1d extends PlainConvLayer {
  /** @param kernelSize one size for all axes, or one for each. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions<Layout1d> = {},
    ...surplus: never[]
  ) {
    super(PLAIN, "Conv1d", inChannels, outChannels, kernelSize, options, surplus);
  }
}

/**
 * Computes `conv2d` with a kernel of its own.
 * @throws ShapeError for sizes that are no positive integers, groups that do not divide the channels,
 * and inputs of other channels.
 * @example new Conv2d(3, 16, 3, { padding: 1 }).call(images); // [2, 3, 28, 28] to [2, 16, 28, 28]
 */
export class Conv2d extends PlainConvLayer {
  /** @param kernelSize one size for all axes, or one for each. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions = {},
    ...surplus: never[]
  ) {
    super(PLAIN, "Conv2d", inChannels, outChannels, kernelSize, options, surplus);
  }
}

/**
 * Computes `conv3d` with a kernel of its own.
 * @throws ShapeError for sizes that are no positive integers, groups that do not divide the channels,
 * and inputs of other channels.
 * @example new Conv3d(1, 4, 3).call(volumes); // [2, 1, 8, 8, 8] to [2, 4, 6, 6, 6]
 */
export class Conv3d extends PlainConvLayer {
  /** @param kernelSize one size for all axes, or one for each. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvLayerOptions<Layout3d> = {},
    ...surplus: never[]
  ) {
    super(PLAIN, "Conv3d", inChannels, outChannels, kernelSize, options, surplus);
  }
}

/**
 * Computes `convTranspose1d` with a kernel of its own.
 * @throws ShapeError for sizes that are no positive integers, groups that do not divide the channels,
 * and inputs of other channels.
 * @example
 * new ConvTranspose1d(3, 8, 4, { stride: 2, padding: 1 }).call(series);
 * // [2, 3, 28] to [2, 8, 56]
 */
export class ConvTranspose1d extends TransposedConvLayer {
  /** @param kernelSize one size for all axes, or one for each. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions<Layout1d> = {},
    ...surplus: never[]
  ) {
    super(TRANSPOSED, "ConvTranspose1d", inChannels, outChannels, kernelSize, options, surplus);
  }
}

/**
 * Computes `convTranspose2d` with a kernel of its own. A call may give the size of the result after x,
 * in place of `outputPadding`.
 * @throws ShapeError for sizes that are no positive integers, groups that do not divide the channels,
 * and inputs of other channels.
 * @example
 * new ConvTranspose2d(3, 16, 4, { stride: 2, padding: 1 }).call(images);
 * // [2, 3, 28, 28] to [2, 16, 56, 56]
 */
export class ConvTranspose2d extends TransposedConvLayer {
  /** @param kernelSize one size for all axes, or one for each. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions = {},
    ...surplus: never[]
  ) {
    super(TRANSPOSED, "ConvTranspose2d", inChannels, outChannels, kernelSize, options, surplus);
  }
}

/**
 * Computes `convTranspose3d` with a kernel of its own.
 * @throws ShapeError for sizes that are no positive integers, groups that do not divide the channels,
 * and inputs of other channels.
 * @example
 * new ConvTranspose3d(1, 4, 2, { stride: 2 }).call(volumes);
 * // [2, 1, 8, 8, 8] to [2, 4, 16, 16, 16]
 */
export class ConvTranspose3d extends TransposedConvLayer {
  /** @param kernelSize one size for all axes, or one for each. */
  constructor(
    inChannels: number,
    outChannels: number,
    kernelSize: PerAxis,
    options: ConvTransposeLayerOptions<Layout3d> = {},
    ...surplus: never[]
  ) {
    super(TRANSPOSED, "ConvTranspose3d", inChannels, outChannels, kernelSize, options, surplus);
  }
}
