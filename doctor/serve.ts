import { VERSIONS } from "../bench/harness/versions.ts";
import { type DoctorListener, messageOf, type Surroundings } from "./context.ts";
import { lookAtAdapter, runDoctor } from "./doctor.ts";
import type { DoctorCommand, DoctorEvent } from "./messages.ts";

/** Has this worker do what the page says, one run at a time. */
export function serveDoctor(own: Pick<Surroundings, "digits"> = {}): void {
  const worker = self as unknown as DedicatedWorkerGlobalScope;
  const tell = (event: DoctorEvent) => worker.postMessage(event);
  const controller = new AbortController();
  const surroundings = {
    platform: navigator.userAgent,
    cores: navigator.hardwareConcurrency,
    version: VERSIONS.gradus ?? "",
    memory: 2 ** 30 * ((navigator as { deviceMemory?: number }).deviceMemory ?? 4),
    ...own,
  };
  const listener: DoctorListener = {
    adapter: (facts, why) => tell({ kind: "adapter", facts, why }),
    progress: (text, share) => tell({ kind: "progress", text, share }),
    line: (line) => tell({ kind: "line", line }),
  };
  worker.onmessage = async ({ data: command }: MessageEvent<DoctorCommand>) => {
    if (command.kind === "stop") return controller.abort();
    if (command.kind === "look") {
      const { facts, why } = await lookAtAdapter();
      return tell({ kind: "adapter", facts, why });
    }
    const { preset, only } = command;
    const { signal } = controller;
    const wanted = only === undefined ? undefined : new RegExp(only, "i");
    try {
      const report = await runDoctor({ preset, only: wanted, signal }, surroundings, listener);
      tell({ kind: "report", report });
    } catch (error) {
      tell({ kind: "failed", message: messageOf(error) });
    }
  };
}
