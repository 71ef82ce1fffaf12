import { checkWords } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape, type Shape } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { inShape, withAxes } from "./reshape.ts";

/** The orders of axes of a batch of series: n, channels and width. */
export type Layout1d = "NCW" | "NWC";

/** The orders of axes of a batch of images: n, channels, height and width. */
export type Layout2d = "NCHW" | "NHWC";

/** The orders of axes of a batch of volumes: n, channels, depth, height and width. */
export type Layout3d = "NCDHW" | "NDHWC";

/** A batch, seen with its channels last, which is how what slides over it reads and writes memory. */
export interface ChannelsLast {
  /** `[n, …sizes, channels]`. */
  readonly x: Tensor;
  /** Sizes of the axes that windows slide along. */
  readonly sizes: Shape;
  /** The numbers of these axes in what was given. */
  readonly axes: readonly number[];
  /** Gives `[n, …sizes, channels]` the order of axes that was given, and its missing n. */
  restore(y: Tensor): Tensor;
}

/** The orders of axes of batches over so many: channels first, and last. */
export function layoutsOf(rank: number): readonly [first: string, last: string] {
  const letters = "DHW".slice(3 - rank);
  return [`NC${letters}`, `N${letters}C`];
}

/** The numbers of the axes of a batch in some order that windows slide along. */
export function batchAxes(op: string, rank: number, layout?: string): readonly number[] {
  const layouts = layoutsOf(rank);
  const order = layout ?? layouts[0];
  checkWords(op, { layout: order }, layouts);
  return Array.from({ length: rank }, (_, i) => i + (order === layouts[1] ? 1 : 2));
}

/** Views a batch, or one example without an axis n, with so many axes that windows slide along. */
export function channelsLast(op: string, x: Tensor, rank: number, layout?: string): ChannelsLast {
  const layouts = layoutsOf(rank);
  const order = layout ?? layouts[0];
  checkWords(op, { layout: order }, layouts);
  if (x.rank !== rank + 2 && x.rank !== rank + 1) {
    throw new ShapeError(
      `${op}: input ${formatShape(x.shape)}; expected the ${rank + 2} axes of ${order}, or those ` +
        "behind N",
    );
  }
  const isBatch = x.rank === rank + 2;
  const isLast = order === layouts[1];
  const axes = [...Array(rank).keys()];
  const batch = isBatch ? x : inShape(x, [1, ...x.shape]);
  const seen = isLast ? batch : withAxes(batch, [0, ...axes.map((i) => i + 2), 1]);
  return {
    x: seen,
    sizes: seen.shape.slice(1, -1),
    axes: axes.map((i) => i + Number(isBatch) + Number(!isLast)),
    restore: (y) => {
      const z = isLast ? y : withAxes(y, [0, rank + 1, ...axes.map((i) => i + 1)]);
      return isBatch ? z : inShape(z, z.shape.slice(1));
    },
  };
}
