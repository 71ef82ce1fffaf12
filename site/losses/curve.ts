/** Values and gradients of a loss over all places of its picture. */
import { grad, init, type Tensor, tensor, vmap } from "gradus";
import { type Axis, angle, CATALOGUE, type Entry, type LossName, RADIAN } from "./catalogue.ts";
import { LOSSES } from "./losses.ts";

/** A loss and its slopes at places, row by row, y upwards in a surface. */
export interface Sampled {
  /** Places along x, and along y where it is a surface. */
  readonly xs: readonly number[];
  readonly ys: readonly number[];
  readonly loss: ArrayLike<number>;
  readonly dx: ArrayLike<number>;
  /** Only of a surface. */
  readonly dy: ArrayLike<number>;
}

/** `n` places along an axis. */
export function along([, from, to]: Axis, n: number): number[] {
  return Array.from({ length: n }, (_, i) => from + ((to - from) * i) / (n - 1));
}

/** Computes a loss and its gradient at `n` places, or at `n` × `n` of a surface. */
export async function sample(name: LossName, n: number, chosen: number): Promise<Sampled> {
  const entry: Entry = CATALOGUE[name];
  await init({ device: "cpu" });
  const xs = along(entry.x, n);
  const ys = entry.y ? along(entry.y, n) : [0];
  const x = tensor(ys.flatMap(() => xs));
  const y = tensor(ys.flatMap((value) => xs.map(() => value)));
  // #region gradient
  const at = (x: Tensor, y: Tensor) => {
    const loss = LOSSES[name](x, y, chosen);
    return [loss, ...grad(loss, entry.y ? [x, y] : [x])];
  };
  const found = vmap(at)(x, y);
  // #endregion
  const [loss, slopes, dy = []] = await Promise.all(found.map((values) => values.data()));
  for (const each of [x, y, ...found]) each.dispose();
  const dx = entry.x === angle ? Array.from(slopes, (slope) => slope * RADIAN) : slopes;
  return { xs, ys, loss, dx, dy };
}
