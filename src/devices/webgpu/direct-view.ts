import { isPlain } from "../../core/dtype.ts";
import { type Shape, sameShape } from "../../core/shape.ts";
import { contiguous, type Strided } from "../../core/strided.ts";
import type { KernelSchedule } from "../../engine/schedule.ts";

/** A stored step, and where the elements of a view of it lie. */
export interface DirectView {
  readonly step: number;
  readonly strided: Strided;
}

const NO_DATA = /* @__PURE__ */ new Float32Array(0);

/** The stored step that a step of a shape is but a view of, if there is one of whole words. */
export function directView(
  schedule: KernelSchedule,
  from: number,
  shape: Shape,
): DirectView | null {
  const { steps } = schedule.program;
  const chain: number[] = [];
  let step = from;
  for (; !schedule.stored.has(step); step = steps[step].inputs[0]) {
    if (!steps[step].op?.view) return null;
    chain.unshift(step);
  }
  if (!isPlain(steps[step].dtype)) return null;
  let strided: Strided | null = contiguous(NO_DATA, steps[step].shape);
  for (const i of chain) {
    strided = steps[i].op?.view?.(strided, steps[i].attributes, steps[i]) ?? null;
    if (!strided) return null;
  }
  return sameShape(strided.shape, shape) ? { step, strided } : null;
}

/** Whether elements along an axis lie in whole vectors of four, each at a multiple of four. */
export function isVectorAlong({ shape, strides, offset }: Strided, axis: number): boolean {
  const fits = (stride: number, i: number) =>
    i === axis ? stride === 1 : (stride >= 0 && stride % 4 === 0) || shape[i] === 1;
  return shape[axis] % 4 === 0 && offset % 4 === 0 && strides.every(fits);
}
