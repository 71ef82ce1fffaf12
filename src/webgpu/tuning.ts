import { tools } from "../core/tools.ts";
import type { TuningData } from "../devices/webgpu/tunings.ts";

/**
 * Gives which kernels were measured to be the fastest, on this machine and on those whose data were
 * imported: plain data, to keep as JSON and hand to `importTuning`.
 * @throws GradusError for an argument.
 * @example const { version, machines } = await exportTuning();
 */
export async function exportTuning(...surplus: never[]): Promise<TuningData> {
  return (await tools.get()).tunings.export(...surplus);
}

/**
 * Takes over which kernels were measured to be the fastest, and keeps that for the next visit. Compiled
 * functions go on with them, on the same adapter and browser or Node and between two runs, unless `init` was called
 * with `tune: "off"`; what such a machine has no kernel for counts for nothing.
 * @param data what `exportTuning` of the same version gave.
 * @throws GradusError for other data, and for those of another version; what the place throws where
 * nothing can be kept: then they hold as long as the page.
 * @example await importTuning(await exportTuning());
 */
export async function importTuning(data: TuningData, ...surplus: never[]): Promise<void> {
  await (await tools.get()).tunings.import(data, ...surplus);
}
