import type { DoctorListener } from "./context.ts";
import type { DoctorCommand, DoctorEvent } from "./messages.ts";
import type { AdapterFacts, DoctorReport, Preset } from "./report.ts";

/** A run in a worker. */
export interface DoctorRun {
  readonly report: Promise<DoctorReport>;
  /** Ends the run after what is being done; the report has what was found by then. */
  stop(): void;
}

/** Has a worker of `serveDoctor` look at all; the worker ends with the run. */
export function startDoctor(
  worker: Worker,
  options: { readonly preset: Preset; readonly only?: string },
  listener: DoctorListener,
): DoctorRun {
  const send = (command: DoctorCommand) => worker.postMessage(command);
  const report = new Promise<DoctorReport>((resolve, reject) => {
    worker.onmessage = ({ data: event }: MessageEvent<DoctorEvent>) => {
      if (event.kind === "adapter") listener.adapter?.(event.facts, event.why);
      else if (event.kind === "progress") listener.progress?.(event.text, event.share);
      else if (event.kind === "line") listener.line?.(event.line);
      else if (event.kind === "report") resolve(event.report);
      else reject(new Error(event.message));
    };
    worker.onerror = (event) => {
      event.preventDefault();
      reject(new Error(event.message || "the worker broke"));
    };
  });
  send({ kind: "start", ...options });
  const end = () => worker.terminate();
  report.then(end, end);
  return { report, stop: () => send({ kind: "stop" }) };
}

/** What a worker of `serveDoctor` is told of the adapter, with nothing tried; the worker ends. */
export async function lookInWorker(
  worker: Worker,
): Promise<{ readonly facts: AdapterFacts | null; readonly why: string }> {
  try {
    return await new Promise((resolve, reject) => {
      worker.onmessage = ({ data: event }: MessageEvent<DoctorEvent>) => {
        if (event.kind === "adapter") resolve(event);
      };
      worker.onerror = (event) => {
        event.preventDefault();
        reject(new Error(event.message || "the worker broke"));
      };
      worker.postMessage({ kind: "look" } satisfies DoctorCommand);
    });
  } finally {
    worker.terminate();
  }
}
