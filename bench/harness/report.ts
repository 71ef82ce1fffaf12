import type { Made, PeerName } from "../peers/index.ts";
import { OURS } from "../peers/index.ts";
import { figureOf, type Unit, type Workload } from "../workloads/index.ts";
import type { AdapterReport } from "./protocol.ts";
import { type Summary, summarize } from "./statistics.ts";

/**
 * `ok` was right and is timed; `wrong` was off by more than the tolerance; `error` threw; `missing`
 * is no part of the library; `skipped` was left out by a rule, which `message` gives.
 */
export type Status = "ok" | "wrong" | "error" | "missing" | "skipped";

/** One workload on one peer. */
export interface Result {
  readonly workload: string;
  readonly peer: PeerName;
  readonly status: Status;
  readonly message?: string;
  /** Largest deviation from the float64 reference, relative to its largest value. */
  readonly error?: number;
  /** Milliseconds of one run. */
  readonly milliseconds?: Summary;
  /** Milliseconds of one run in each round, in order. */
  readonly samples?: readonly number[];
  readonly rounds?: number;
  /** Runs in each round. */
  readonly runs?: number;
  readonly unit: Unit;
  /** The median in the unit. */
  readonly figure?: number;
  /** How many times as long as ours it takes; above 1 ours is faster. */
  readonly ratios?: Partial<Record<PeerName, number>>;
  /** What was made in all rounds together, where the library counts. */
  readonly made?: Made;
}

/** What was measured, when and where. */
export interface Report {
  readonly format: "gradus-bench/1";
  readonly date: string;
  readonly platform: string;
  readonly cores: number;
  /** Whether libraries could share memory with threads, as a page can that is isolated. */
  readonly isolated: boolean;
  readonly adapter: AdapterReport | null;
  readonly versions: Readonly<Record<string, string>>;
  /** What each library says that it runs on; left out in older reports. */
  readonly devices?: Partial<Record<PeerName, string>>;
  readonly options: { readonly rounds: number; readonly roundMs: number };
  /** The rules by which something was left out or shortened. */
  readonly notes: readonly string[];
  readonly results: readonly Result[];
}

/** Makes a result of the times of some rounds, each in milliseconds a run. */
export function timedResult(
  { name, unit, work }: Workload,
  peer: PeerName,
  error: number,
  times: readonly number[],
  runs: number,
): Result {
  const milliseconds = summarize(times);
  const figure = figureOf(unit, work, milliseconds.median);
  const samples = times.map((time) => Number(time.toPrecision(5)));
  const timed = { error, milliseconds, samples, rounds: times.length, runs, unit, figure };
  return { workload: name, peer, status: "ok", ...timed };
}

/** Adds to each result of one workload how its time compares with ours. */
export function withRatios(results: readonly Result[]): Result[] {
  return results.map((result) => {
    if (!result.milliseconds) return result;
    const ratios: Partial<Record<PeerName, number>> = {};
    for (const ours of results) {
      if (!OURS.includes(ours.peer) || ours === result || !ours.milliseconds) continue;
      ratios[ours.peer] = timeRatio(result, ours);
    }
    return { ...result, ratios };
  });
}

/**
 * How many times as long one result takes as another: the median over the rounds, in each of which
 * one was measured after the other; of medians where one has other rounds. NaN without times.
 */
export function timeRatio(one: Result, other: Result): number {
  const [a, b] = [one.samples ?? [], other.samples ?? []];
  if (a.length === b.length && a.length > 0) {
    return summarize(a.map((time, i) => time / b[i])).median;
  }
  const [first, second] = [one, other].map(({ milliseconds }) => milliseconds?.median);
  return (first ?? Number.NaN) / (second ?? Number.NaN);
}

/** Names a report's file after its day, its adapter and, where it is no browser, the platform. */
export function reportFileName({ date, adapter, platform }: Report): string {
  const hardware = adapter?.name ?? "no adapter";
  const place = platform.startsWith("Node") ? " node" : "";
  const name = `${hardware.slice(0, 60)}${place}`.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
  return `${date.slice(0, 10)}-${name}.json`;
}

/** Checks what a file holds; throws an `Error` when it is no report. */
export function parseReport(text: string): Report {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("bench: the file is no JSON; expected a report of this benchmark");
  }
  const report = value as Partial<Report> | null;
  if (report?.format === "gradus-bench/1" && Array.isArray(report.results)) return report as Report;
  throw new Error('bench: the file has no format "gradus-bench/1"; expected a report of this page');
}

/** Finds the earlier median of a result; undefined when it was not timed then. */
export function earlierTime(earlier: Report | null, { workload, peer }: Result) {
  const same = earlier?.results.find((r) => r.workload === workload && r.peer === peer);
  return same?.milliseconds?.median;
}
