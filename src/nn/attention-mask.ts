import { is } from "../core/dtype.ts";
import type { Device } from "../graph/device.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, sub } from "../ops/arithmetic.ts";
import { stretch } from "../ops/broadcast.ts";
import { less, lessEqual, logicalAnd, logicalNot } from "../ops/compare.ts";
import { iota } from "../ops/creation.ts";
import { pad } from "../ops/pad.ts";
import { inShape } from "../ops/reshape.ts";
import { concat } from "../ops/slice.ts";
import { take } from "../ops/take.ts";
import { where } from "../ops/where.ts";

/** Whether row i of l may attend to rows j ≤ i of s: `[l, s]`. */
export function causalMask(l: number, s: number, device: Device): Tensor {
  return lessEqual(iota(s, "i32", device), inShape(iota(l, "i32", device), [l, 1]));
}

/**
 * Whether row i of l new ones may attend to those before `start` of a cache, and to rows j ≤ i of the
 * new ones behind it: `[l, capacity + l]`.
 */
export function cachedMask(l: number, capacity: number, start: Tensor): Tensor {
  const { device } = start;
  const column = iota(capacity + l, "i32", device);
  const row = inShape(iota(l, "i32", device), [l, 1]);
  const isNew = lessEqual(sub(column, capacity), row);
  return where(less(column, capacity), less(column, start), isNew);
}

/** A mask of all positions with those of l new rows behind them. */
export function withNewColumns(mask: Tensor, capacity: number, l: number, start: Tensor): Tensor {
  const whole = stretch(mask, [...mask.shape.slice(0, -1), capacity]);
  const places = add(start, iota(l, "i32", start.device));
  return concat([whole, take(whole, places, { axis: -1 })], { axis: -1 });
}

/** Whether rows of keys are none that is padding, for all heads and queries: `[…, 1, 1, s]`. */
function unpadded(padding: Tensor, s: number): Tensor {
  return logicalNot(inShape(padding, [...padding.shape.slice(0, -1), 1, 1, s]));
}

/** One mask of all that say who may attend to which of s rows; none where nothing does. */
export function joinedMask(
  mask: Tensor | undefined,
  keyPaddingMask: Tensor | undefined,
  causal: Tensor | undefined,
  s: number,
): Tensor | undefined {
  const isAdded = mask !== undefined && !is(mask.dtype, "bool");
  const padding = keyPaddingMask && unpadded(keyPaddingMask, s);
  const bools = [causal, padding, isAdded ? undefined : mask].filter((x) => x !== undefined);
  if (bools.length === 0) return mask;
  const allowed = bools.reduce((a, b) => logicalAnd(a, b));
  return isAdded ? where(allowed, mask, Number.NEGATIVE_INFINITY) : allowed;
}

/** The mask of s rows with others behind them, to which all may attend. */
export function widenedMask(mask: Tensor, s: number, more: number): Tensor {
  const outer = mask.shape.slice(0, -1);
  const whole = stretch(mask, [...outer, s]);
  const padding = [...outer.map(() => [0, 0] as const), [0, more] as const];
  return pad(whole, padding, { value: is(mask.dtype, "bool") ? 1 : 0 });
}

/** Rows `[…, s, n]` with others `[heads, more, n]` behind them. */
export function withRows(x: Tensor, rows: Tensor): Tensor {
  const [more, n] = rows.shape.slice(-2);
  return concat([x, stretch(rows, [...x.shape.slice(0, -2), more, n])], { axis: -2 });
}
