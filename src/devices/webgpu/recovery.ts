import { Chooser } from "../../engine/chooser.ts";
import { Journal } from "../../engine/journal.ts";
import { recover } from "../../engine/recovery.ts";
import type { Session } from "../../engine/session.ts";
import { withEngine } from "../cpu/choose-engine.ts";
import { CpuSession, type MakeEngine } from "../cpu/cpu-device.ts";
import { describeAdapter, findAdapter, findGpu, requestDevice } from "./adapter.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { goOnImproving } from "./replaceable-plan.ts";
import { GpuSession } from "./session.ts";
import { beginPlain } from "./tiers.ts";
import { beginTuning } from "./tuned-plan.ts";

/**
 * Makes what guards a device's states against losses, and chooses by time where that is wanted; has
 * kernels tuned, or plans begin with plain kernels where a CPU emulates the GPU.
 */
export function journalOf(device: GpuDevice): Journal | null {
  const { tune = "background" } = device.options;
  if (tune === "background" && device.adapter.software) beginPlain(device);
  else if (tune !== "off") beginTuning(device, tune === "now");
  if (device.options.gpuDevice) return null; // nothing could take its place
  const journal = new Journal(device);
  if (device.holders) journal.chooser = new Chooser(device, { open: () => cpuSession(device) });
  return journal;
}

/** What is waited before each request of a GPU, in milliseconds: 6.4 s in all. */
const PAUSES_MS = [0, 50, 100, 200, 400, 800, 1600, 3200];
/** How long the browser may take for an answer. */
const ANSWER_MS = 5000;
/** How often the GPU may be lost in a row, with nothing safe between, until the CPU goes on. */
const LOSSES_IN_A_ROW = 4;

/**
 * Makes a device work again whose GPU was lost: on a GPU where one is to be had, else on the CPU; not
 * where the GPUDevice is the page's, and only the page can have another.
 */
export async function remake(device: GpuDevice, message: string): Promise<() => void> {
  if (device.options.gpuDevice) {
    return () => {
      for (const listener of device.listeners) listener({ event: "lost", message });
    };
  }
  return recover(device, message, async (inARow) => {
    const session = inARow < LOSSES_IN_A_ROW ? await gpuSession(device) : null;
    return session ?? cpuSession(device);
  });
}

async function cpuSession({ counters, options }: GpuDevice): Promise<Session> {
  const { engine, threads } = options;
  const make = (makeEngine: MakeEngine) => new CpuSession(counters, makeEngine(counters));
  return (await withEngine(engine !== "plain", threads, make)).made;
}

async function gpuSession(device: GpuDevice): Promise<Session | null> {
  const { options, adapter: before, counters } = device;
  for (const pause of PAUSES_MS) {
    if (pause > 0) await new Promise((resolve) => setTimeout(resolve, pause));
    try {
      const adapter = await findAdapter(await findGpu(), ANSWER_MS);
      if (!adapter) continue;
      const description = await describeAdapter(adapter);
      if (description.software && !before.software) continue; // nobody asked for one
      const own = await requestDevice("recovery", adapter, ANSWER_MS);
      const session = new GpuSession(own, description, options, counters);
      await session.prepare();
      goOnImproving(device, session);
      return session;
    } catch {
      // The next try may be more lucky.
    }
  }
  return null;
}
