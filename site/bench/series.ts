/** Which figures a run has over the size of what was computed. */
import type { Result } from "../../bench/harness/report.ts";
import type { PeerName } from "../../bench/peers/index.ts";
import { type Task, WORKLOADS } from "../../bench/workloads/index.ts";

/** Workloads that differ by their size. */
export interface Family {
  readonly id: string;
  readonly title: string;
  readonly x: string;
  /** The size of a workload; null for one of another family. */
  readonly sizeOf: (task: Task) => number | null;
}

/** All of them. */
export const FAMILIES: readonly Family[] = [
  {
    id: "products",
    title: "Products of two matrices [n,n], in GFLOP/s",
    x: "n",
    sizeOf: (task) =>
      task.kind === "matmul" && task.m === task.k && task.k === task.n ? task.n : null,
  },
  {
    id: "chains",
    title: "A chain of 8 functions of n numbers, in GB/s",
    x: "n",
    sizeOf: (task) => (task.kind === "chain" ? task.size : null),
  },
];

/** The figures of each library by size, `[size, figure]`, sorted; only of libraries with several. */
export function seriesOf(
  results: readonly Result[],
  sizeOf: Family["sizeOf"],
): Map<PeerName, [size: number, figure: number][]> {
  const series = new Map<PeerName, [number, number][]>();
  for (const { name, task } of WORKLOADS) {
    const size = sizeOf(task);
    if (size === null) continue;
    for (const { peer, figure, workload } of results) {
      if (workload !== name || figure === undefined) continue;
      series.set(peer, [...(series.get(peer) ?? []), [size, figure]]);
    }
  }
  for (const [peer, points] of series) {
    if (points.length < 2) series.delete(peer);
    else points.sort(([a], [b]) => a - b);
  }
  return series;
}
