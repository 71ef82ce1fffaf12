import type { Counters } from "../../core/counters.ts";
import { OnDemand } from "../../core/on-demand.ts";
import { type RareCode, wanted } from "../../forms/rare.ts";
import type { RareCodes } from "./compiled/codes.ts";
import type { engineOf } from "./compiled/compiled-engine.ts";
import { CpuDevice, type MakeEngine } from "./cpu-device.ts";
import { PlainEngine } from "./engine.ts";
import { engineParts } from "./engine-parts.ts";
import type { Threads } from "./threads/threads.ts";

/** What makes WebAssembly, in a script of its own. */
export const compiledEngine = /* @__PURE__ */ new OnDemand<{ engineOf: typeof engineOf }>(
  () => import("./compiled/compiled-engine.ts"),
);

/** Gives code what it has in common with other scripts, of the package and of the engine. */
type MakeCodes = (parts: object, shared: object) => RareCodes;

/** Code whose ops few apps have, in scripts of its own. */
export const rareCodes: Record<RareCode, OnDemand<MakeCodes>> = {
  kernels: /* @__PURE__ */ new OnDemand(
    async () => (await import("./compiled/rare-kernels.ts")).kernelCodes,
  ),
  places: /* @__PURE__ */ new OnDemand(
    async () => (await import("./compiled/rare-places.ts")).placeCodes,
  ),
  functions: /* @__PURE__ */ new OnDemand(
    async () => (await import("./compiled/rare-functions.ts")).functionCodes,
  ),
  windows: /* @__PURE__ */ new OnDemand(
    async () => (await import("./compiled/rare-windows.ts")).windowCodes,
  ),
};

/** What computes beside this thread. */
export const moreThreads = /* @__PURE__ */ new OnDemand(() => import("./threads/threads.ts"));

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
  const make = (engine: MakeEngine) => new CpuDevice(engine);
  const { made, instead } = await withEngine(isCompiled, threads, make);
  return { device: made, reason: instead === null ? reason : `${reason}; ${instead}` };
}

/**
 * Makes something of the compiled engine where it is to be had, else of the plain one; `instead` says
 * what there is in place of what was wanted, and why.
 */
export async function withEngine<T>(
  isCompiled: boolean,
  threads: number | undefined,
  make: (engine: MakeEngine) => T,
): Promise<{ made: T; instead: string | null }> {
  let instead: string | null = null;
  try {
    if (isCompiled) {
      const { engine, refusal } = await loadCompiled(threads);
      const isLess = threads !== undefined && refusal !== null;
      return { made: make(engine), instead: isLess ? `one thread, since ${refusal}` : null };
    }
  } catch (error) {
    const { message } = error as Error;
    instead = `plain TypeScript, since WebAssembly with SIMD is not to be had (${message})`;
  }
  return { made: make((counters) => new PlainEngine(counters)), instead };
}

async function loadCompiled(count?: number) {
  // Content policies refuse what is made of bytes, not what has been validated.
  new WebAssembly.Module(Uint8Array.from(PROBE));
  const isAlone = count === 1;
  const canShare = !isAlone && globalThis.crossOriginIsolated !== false;
  if (canShare) moreThreads.get().catch(() => {}); // comes beside the engine
  // Until what is wanted later is there, or where it cannot be had, plain forms serve.
  wanted.load = (code) => addRareCode(code).catch(() => {});
  const rare = [...wanted.codes].map(addRareCode);
  const [{ engineOf }] = await Promise.all([compiledEngine.get(), ...rare]);
  const Engine = engineOf(engineParts);
  let threads: Threads | null = null;
  let refusal = canShare || isAlone ? null : "the page is not cross-origin isolated";
  try {
    if (canShare) threads = await (await moreThreads.get()).Threads.start(count);
  } catch (error) {
    refusal = `no worker is to be had (${(error as Error).message})`;
  }
  return { engine: (counters: Counters) => new Engine(counters, threads), refusal };
}

/** Has the compiled engine make code that few apps want. */
async function addRareCode(code: RareCode): Promise<void> {
  const [{ engineOf }, codesOf] = await Promise.all([compiledEngine.get(), rareCodes[code].get()]);
  const Engine = engineOf(engineParts);
  Engine.addCodes(code, codesOf(engineParts, Engine.shared));
}
