import { checkNumbers, checkOptions, type Known } from "../core/check.ts";
import type { Tensor } from "../graph/tensor.ts";
import { channelsLast, type Layout1d, type Layout2d, type Layout3d } from "../ops/channels.ts";
import { type PadOptions, pad } from "../ops/pad.ts";
import { type EdgePadding, edgesOf } from "../ops/sliding.ts";
import { Module } from "./module.ts";
import { rankOf } from "./rank.ts";

/** Options of layers that pad. */
export interface PadLayerOptions<Layout extends string = Layout2d> {
  /** The order of inputs' axes; channels follow n when left out. */
  layout?: Layout;
}

const PAD_LAYER: Known<PadLayerOptions> = { layout: "string" };

/** Surrounds the axes behind n and the channels. */
abstract class PadLayer extends Module {
  readonly #name: string;
  readonly #mode: PadOptions;
  readonly #layout: string | undefined;
  readonly #padding: EdgePadding;

  constructor(
    name: string,
    mode: PadOptions,
    padding: EdgePadding,
    options: PadLayerOptions<string>,
    surplus: readonly unknown[],
  ) {
    super();
    checkOptions(name, options as PadLayerOptions, PAD_LAYER, surplus);
    edgesOf(name, padding, [...Array(rankOf(name)).keys()]);
    this.#name = name;
    this.#mode = mode;
    this.#layout = options.layout;
    this.#padding = padding;
  }

  override forward(x: Tensor): Tensor {
    const name = this.#name;
    const { axes } = channelsLast(name, x, rankOf(name), this.#layout);
    const edges = edgesOf(name, this.#padding, axes);
    const none = [0, 0] as const;
    return pad(
      x,
      x.shape.map((_, axis) => edges[axes.indexOf(axis)] ?? none),
      this.#mode,
    );
  }
}

/** Surrounds series with zeros, as `pad` does. */
export class ZeroPad1d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout1d> = {}, ...surplus: never[]) {
    super("ZeroPad1d", {}, padding, options, surplus);
  }
}

/** Surrounds images with zeros, as `pad` does. */
export class ZeroPad2d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions = {}, ...surplus: never[]) {
    super("ZeroPad2d", {}, padding, options, surplus);
  }
}

/** Surrounds volumes with zeros, as `pad` does. */
export class ZeroPad3d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout3d> = {}, ...surplus: never[]) {
    super("ZeroPad3d", {}, padding, options, surplus);
  }
}

/** Surrounds series with a value, as `pad` does. */
export class ConstantPad1d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   * @param value a number.
   */
  constructor(
    padding: EdgePadding,
    value: number,
    options: PadLayerOptions<Layout1d> = {},
    ...surplus: never[]
  ) {
    super("ConstantPad1d", { value }, padding, options, surplus);
    checkNumbers("ConstantPad1d", { value });
  }
}

/** Surrounds images with a value, as `pad` does. */
export class ConstantPad2d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   * @param value a number.
   */
  constructor(
    padding: EdgePadding,
    value: number,
    options: PadLayerOptions = {},
    ...surplus: never[]
  ) {
    super("ConstantPad2d", { value }, padding, options, surplus);
    checkNumbers("ConstantPad2d", { value });
  }
}

/** Surrounds volumes with a value, as `pad` does. */
export class ConstantPad3d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   * @param value a number.
   */
  constructor(
    padding: EdgePadding,
    value: number,
    options: PadLayerOptions<Layout3d> = {},
    ...surplus: never[]
  ) {
    super("ConstantPad3d", { value }, padding, options, surplus);
    checkNumbers("ConstantPad3d", { value });
  }
}

/** Surrounds series with their own elements, mirrored at the edge, as `pad` does. */
export class ReflectionPad1d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout1d> = {}, ...surplus: never[]) {
    super("ReflectionPad1d", { mode: "reflect" }, padding, options, surplus);
  }
}

/** Surrounds images with their own elements, mirrored at the edge, as `pad` does. */
export class ReflectionPad2d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions = {}, ...surplus: never[]) {
    super("ReflectionPad2d", { mode: "reflect" }, padding, options, surplus);
  }
}

/** Surrounds volumes with their own elements, mirrored at the edge, as `pad` does. */
export class ReflectionPad3d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout3d> = {}, ...surplus: never[]) {
    super("ReflectionPad3d", { mode: "reflect" }, padding, options, surplus);
  }
}

/** Surrounds series with the elements at the edge, as `pad` does. */
export class ReplicationPad1d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout1d> = {}, ...surplus: never[]) {
    super("ReplicationPad1d", { mode: "replicate" }, padding, options, surplus);
  }
}

/** Surrounds images with the elements at the edge, as `pad` does. */
export class ReplicationPad2d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions = {}, ...surplus: never[]) {
    super("ReplicationPad2d", { mode: "replicate" }, padding, options, surplus);
  }
}

/** Surrounds volumes with the elements at the edge, as `pad` does. */
export class ReplicationPad3d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout3d> = {}, ...surplus: never[]) {
    super("ReplicationPad3d", { mode: "replicate" }, padding, options, surplus);
  }
}

/** Surrounds series with the elements at the other end, as `pad` does. */
export class CircularPad1d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout1d> = {}, ...surplus: never[]) {
    super("CircularPad1d", { mode: "circular" }, padding, options, surplus);
  }
}

/** Surrounds images with the elements at the other end, as `pad` does. */
export class CircularPad2d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions = {}, ...surplus: never[]) {
    super("CircularPad2d", { mode: "circular" }, padding, options, surplus);
  }
}

/** Surrounds volumes with the elements at the other end, as `pad` does. */
export class CircularPad3d extends PadLayer {
  /**
   * @param padding elements: one number for all sides, or for each axis one or a pair `[before, after]`.
   */
  constructor(padding: EdgePadding, options: PadLayerOptions<Layout3d> = {}, ...surplus: never[]) {
    super("CircularPad3d", { mode: "circular" }, padding, options, surplus);
  }
}
