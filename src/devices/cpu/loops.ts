import type { Strided } from "../../core/strided.ts";
import type { F32LoopName, LoopName } from "../../forms/loops.ts";
import { f32Form, f32Loops } from "./f32-loops.ts";
import { multiplyStacks } from "./matmul.ts";

const others = { matmul: multiplyStacks } satisfies Record<Exclude<LoopName, F32LoopName>, unknown>;

/**
 * Makes what computes y by a loop, of views that lie alike each time; it says whether it did, since
 * not every loop takes all inputs.
 */
export function loopForm(name: LoopName): (y: Strided, inputs: readonly Strided[]) => boolean {
  return name in f32Loops ? f32Form(f32Loops[name as F32LoopName]) : others[name as "matmul"];
}
