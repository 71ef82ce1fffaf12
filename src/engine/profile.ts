import { checkEach } from "../core/check.ts";

/** When one kernel of a plan ran, in microseconds from the beginning of the first. */
export interface KernelTime {
  /** The ops that it computes. */
  readonly name: string;
  readonly start: number;
  readonly duration: number;
}

/** One run of a plan, kernel by kernel. */
export interface Profile {
  /**
   * How the times were taken: by the device's own clock, or by the host's, which waits for each kernel;
   * short kernels of the compiled CPU device run many times then, with the effect of one.
   */
  readonly clock: "device" | "host";
  readonly kernels: readonly KernelTime[];
}

/**
 * Writes a profile in the format of Chrome's traces, which Perfetto (ui.perfetto.dev) opens
 * (Google, "Trace Event Format", complete events, times in microseconds).
 * @example await writeFile("step.json", chromeTrace(await step.profile(batch)));
 */
export function chromeTrace(profile: Profile): string {
  const isProfile = Array.isArray((profile as { kernels?: unknown } | null | undefined)?.kernels);
  checkEach("chromeTrace", { profile }, () => isProfile, "what profile(batch) gives");
  const { clock, kernels } = profile;
  const traceEvents = kernels.map(({ name, start, duration }, i) => ({
    name,
    cat: "kernel",
    ph: "X",
    ts: start,
    dur: duration,
    pid: 1,
    tid: 1,
    args: { dispatch: i, clock },
  }));
  return JSON.stringify({ displayTimeUnit: "ns", traceEvents });
}
