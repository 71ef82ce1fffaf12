import { checkWords } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import type { Device } from "../graph/device.ts";
import { Parameter } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import { layoutsOf } from "../ops/channels.ts";
import { ones, zeros } from "../ops/creation.ts";

/** What layers that normalise have in common. */
export interface NormSettings {
  /** ε, added to the variance, a finite number from 0; 1e-5 when left out. */
  epsilon?: number;
  /** The device of `init` when left out. */
  device?: Device;
  /** `f32` when left out. */
  dtype?: DType;
}

/** The names of `NormSettings`. */
export const NORM_SETTINGS = { epsilon: "number", device: true, dtype: "string" } as const;

/** A weight of ones of a shape. */
export function onesOf(shape: Shape, options: NormSettings): Parameter {
  const { device, dtype } = options;
  return new Parameter(ones(shape, { device, dtype }), { name: "weight" });
}

/** A bias of zeros of a shape. */
export function zerosOf(shape: Shape, options: NormSettings): Parameter {
  const { device, dtype } = options;
  return new Parameter(zeros(shape, { device, dtype }), { name: "bias" });
}

/** The axis of channels of a layer over so many axes, by its layout. */
export function channelsOf(name: string, rank: number, layout?: string): 1 | -1 {
  const layouts = layoutsOf(rank);
  const order = layout ?? layouts[0];
  checkWords(name, { layout: order }, layouts);
  return order === layouts[0] ? 1 : -1;
}

/** Throws a `ShapeError` unless an input has so many channels, and a rank that the layer takes. */
export function checkChannels(
  name: string,
  x: Tensor,
  ranks: readonly number[],
  axis: 1 | -1,
  channels: number,
): void {
  const found = x.shape[axis < 0 ? x.rank - 1 : axis];
  if (ranks.includes(x.rank) && found === channels) return;
  throw new ShapeError(
    `${name}: input ${formatShape(x.shape)}; expected ${ranks.join(" or ")} axes, with ${channels} ` +
      `channels on axis ${axis}`,
  );
}
