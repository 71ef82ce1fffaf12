import { CompiledEngine } from "./compiled/compiled-engine.ts";
import { CpuDevice } from "./cpu-device.ts";
import { PlainEngine } from "./engine.ts";

/** A module with one function, which gives a vector of zeros: bytes that engines without SIMD refuse. */
const PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15,
  11,
];

/** Makes the CPU a device; `reason` says why it was chosen, and what was given in place of a wish. */
export function chooseEngine(reason: string, isCompiled: boolean) {
  const refusal = isCompiled ? refusalOf() : null;
  const device = new CpuDevice(isCompiled && refusal === null ? CompiledEngine : PlainEngine);
  return {
    device,
    reason: refusal === null ? reason : `${reason}; ${device.description}, since ${refusal}`,
  };
}

/** Why no WebAssembly is to be had; null where it is. */
function refusalOf(): string | null {
  try {
    // Content policies refuse what is made of bytes, not what has been validated.
    new WebAssembly.Module(Uint8Array.from(PROBE));
    return null;
  } catch (error) {
    return `WebAssembly with SIMD is not to be had (${(error as Error).message})`;
  }
}
