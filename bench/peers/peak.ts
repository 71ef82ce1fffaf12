import { FunctionWriter, I32, V128 } from "../../src/devices/cpu/compiled/assembler.ts";
import { assembleModule } from "../../src/devices/cpu/compiled/module.ts";
import * as simd from "../../src/devices/cpu/compiled/simd.ts";
import { hasMultiplyAdd } from "../../src/devices/cpu/compiled/simd-level.ts";
import { PEAK_LANES, PEAK_UNROLLED } from "../workloads/index.ts";
import type { Prepared } from "./peer.ts";

const REGISTERS = PEAK_LANES / 4;

/**
 * Makes a loop of y ← y·0.5 + 1 on more registers than a core has multiply-adds under way, with
 * nothing to load or store but at its end: in one instruction where the engine has it, else in two.
 */
export function preparedPeak(rounds: number): Prepared {
  const memory = new WebAssembly.Memory({ initial: 1 });
  const module = new WebAssembly.Module(assembleModule([], [loop()], [["run", 0]]));
  const { exports } = new WebAssembly.Instance(module, { e: { m: memory } });
  const run = exports.run as (rounds: number) => void;
  const values = () => new Float32Array(memory.buffer, 0, PEAK_LANES).slice();
  return {
    result: async () => {
      run(1000);
      return values();
    },
    run: async (times) => {
      for (let i = 0; i < times; i++) run(rounds);
    },
    dispose: () => {},
  };
}

function loop(): FunctionWriter {
  const f = new FunctionWriter([I32], []);
  const splat = (value: number) => {
    const bytes = new Uint8Array(Float32Array.of(value).buffer);
    return f.simd(simd.v128_const, ...[...bytes, ...bytes, ...bytes, ...bytes]);
  };
  const [half, one] = [f.local(V128), f.local(V128)];
  splat(0.5).set(half);
  splat(1).set(one);
  const registers = Array.from({ length: REGISTERS }, () => f.local(V128));
  const step = hasMultiplyAdd()
    ? (y: number) => f.get(y).get(half).get(one).simd(simd.f32x4_relaxed_madd).set(y)
    : (y: number) => {
        f.get(y).get(half).simd(simd.f32x4_mul);
        f.get(one).simd(simd.f32x4_add).set(y);
      };
  f.repeat(() => {
    for (let i = 0; i < PEAK_UNROLLED; i++) for (const y of registers) step(y);
    f.get(0).i32(1).emit(0x6b).tee(0); // one round less
  });
  registers.forEach((y, i) => {
    f.i32(16 * i).get(y);
    f.vectorMemory(0x0b, 4, 0); // v128.store
  });
  return f;
}
