import { prepareEngine } from "./compiled/compiled-engine.ts";
import { CpuDevice } from "./cpu-device.ts";

/** A module with one function, which gives a vector of zeros: bytes that engines without SIMD refuse. */
const PROBE = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 8, 1, 6, 0, 65, 0, 253, 15,
  11,
];

/**
 * Makes the CPU a device; `reason` says why it was chosen, and what was given in place of a wish.
 * @param threads how many compute, where they are asked for.
 */
export async function chooseEngine(reason: string, isCompiled: boolean, threads?: number) {
  const refusal = isCompiled ? refusalOf() : null;
  if (!isCompiled || refusal !== null) {
    const device = new CpuDevice();
    const since = refusal === null ? "" : `; ${device.description}, since ${refusal}`;
    return { device, reason: reason + since };
  }
  const { engine, refusal: alone } = await prepareEngine(threads);
  const since = alone === null ? "" : `; one thread, since ${alone}`;
  return { device: new CpuDevice(engine), reason: reason + since };
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
