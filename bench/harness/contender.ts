import type { PeerName } from "../peers/index.ts";
import type { Workload } from "../workloads/index.ts";
import type { Channel } from "./protocol.ts";
import { type Result, type Status, timedResult } from "./report.ts";
import { relativeError } from "./statistics.ts";

/** A run that takes longer than this is timed once. */
export const SLOW_MS = 3000;

/** A peer that has given the right result. */
export interface Contender {
  readonly peer: PeerName;
  readonly channel: Channel;
  readonly error: number;
  readonly times: number[];
  runs: number;
  rounds: number;
}

/**
 * Warms up and finds how many runs fill a round; gives false when a run is so slow that this one
 * was timed and is to be the only one.
 */
export async function calibrate(contender: Contender, roundMs: number): Promise<boolean> {
  for (;;) {
    const { channel, times, runs } = contender;
    const elapsed = await channel.call({ kind: "run", times: runs });
    if (runs === 1 && elapsed > SLOW_MS) {
      contender.rounds = 1;
      times.push(elapsed);
      return false;
    }
    if (elapsed >= roundMs) return true;
    const factor = Math.min(8, Math.max(1.25, (1.1 * roundMs) / Math.max(elapsed, 0.1)));
    contender.runs = Math.ceil(runs * factor);
  }
}

/** Compares the first result; gives how far it is off, or null when the peer is out. */
export async function check(
  workload: Workload,
  peer: PeerName,
  channel: Channel,
  reference: Float64Array,
  set: (result: Result) => void,
  times: number[] = [],
): Promise<number | null> {
  const first = await channel.call({ kind: "prepare", workload: workload.name });
  if (!first) {
    set(untimed(workload, peer, "missing", "not part of the library"));
    return null;
  }
  const error = relativeError(first.values, reference);
  times.push(first.milliseconds);
  if (error <= workload.tolerance) return error;
  const limit = workload.tolerance.toExponential(0);
  const message = `off by ${error.toExponential(1)}; expected at most ${limit}`;
  set({ ...untimed(workload, peer, "wrong", message), error });
  await channel.call({ kind: "release" });
  return null;
}

/** A result without a time. */
export function untimed(
  { name, unit }: Workload,
  peer: PeerName,
  status: Status,
  message: string,
): Result {
  return { workload: name, peer, status, message, unit };
}

/** What is known of a contender so far. */
export function contenderResult(
  workload: Workload,
  { peer, error, times, runs }: Contender,
): Result {
  if (times.length > 0) return timedResult(workload, peer, error, times, runs);
  return { workload: workload.name, peer, status: "ok", error, unit: workload.unit };
}
