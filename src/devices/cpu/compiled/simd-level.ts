import { FunctionWriter, V128 } from "./assembler.ts";
import { assembleModule } from "./module.ts";
import * as simd from "./simd.ts";

/** Whether the engine has a multiply-add of four numbers (relaxed SIMD). */
export function hasMultiplyAdd(): boolean {
  const f = new FunctionWriter([V128], [V128]);
  f.get(0).get(0).get(0).simd(simd.f32x4_relaxed_madd);
  return WebAssembly.validate(assembleModule([], [f], []));
}

/** Names what computes, for people. */
export function engineName(isFused: boolean): string {
  return `WebAssembly, SIMD${isFused ? " with multiply-add" : ""}`;
}
