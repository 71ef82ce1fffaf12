import type { Strided } from "../../core/strided.ts";
import type { F32LoopName, LoopName } from "../../forms/loops.ts";
import { f32Loops, runF32 } from "./f32-loops.ts";
import { multiplyStacks } from "./matmul.ts";

const others = { matmul: multiplyStacks } satisfies Record<Exclude<LoopName, F32LoopName>, unknown>;

/** Computes y by a loop; says whether it did, since not every loop takes all inputs. */
export function runLoop(name: LoopName, y: Strided, inputs: readonly Strided[]): boolean {
  if (name in f32Loops) return runF32(f32Loops[name as F32LoopName], y.shape, inputs, y.data);
  return others[name as keyof typeof others](y, inputs);
}
