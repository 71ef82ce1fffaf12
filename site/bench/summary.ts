/** All results in one table, and where they come from. */
import type { Report, Result } from "../../bench/harness/report.ts";
import { formatFigure } from "../../bench/harness/table.ts";
import { OURS, type PeerName } from "../../bench/peers/index.ts";
import { element, make } from "../shell/dom.ts";

/** The factor by which a peer takes longer than ours, the first of ours that was timed. */
function ratioOf({ ratios, peer }: Result): number | undefined {
  const ours = OURS.find((name) => ratios?.[name] !== undefined);
  return ours && OURS[0] !== peer ? ratios?.[ours] : undefined;
}

/** A ratio of times as words: 9.26 is 9.26× slower, 0.108 is 9.26× faster. */
export function ratioInWords(ratio: number): string {
  return ratio >= 1 ? `${formatFigure(ratio)}× slower` : `${formatFigure(1 / ratio)}× faster`;
}

/** How a result compares with ours, in words; empty where there is nothing to compare. */
export function againstOurs(result: Result): string {
  const ratio = ratioOf(result);
  return ratio === undefined ? "" : ratioInWords(ratio);
}

/** How a library compares over several workloads. */
export interface Mean {
  readonly peer: PeerName;
  /** The geometric mean of its ratios. */
  readonly mean: number;
  /** The workloads that it was timed at, and all at which anything was set against ours. */
  readonly count: number;
  readonly of: number;
}

/** The geometric mean of each library's ratios, and over how many workloads. */
export function geometricMeans(results: readonly Result[]): Mean[] {
  const workloads = new Set<string>();
  const logs = new Map<PeerName, number[]>();
  for (const result of results) {
    const ratio = ratioOf(result);
    if (ratio === undefined || !(ratio > 0)) continue;
    workloads.add(result.workload);
    logs.set(result.peer, [...(logs.get(result.peer) ?? []), Math.log(ratio)]);
  }
  return [...logs].map(([peer, values]) => {
    const mean = Math.exp(values.reduce((sum, x) => sum + x, 0) / values.length);
    return { peer, mean, count: values.length, of: workloads.size };
  });
}

/** Shows the means; nothing while there are none. */
export function showSummary(results: readonly Result[]): void {
  const means = geometricMeans(results);
  const host = element("summary");
  host.replaceChildren();
  if (means.length === 0) return;
  const table = make("table");
  table.createCaption().textContent = "Over all, by geometric mean";
  const isWhole = ({ count, of }: Mean) => count === of;
  const head = table.createTHead().insertRow();
  for (const title of ["Library", "Workloads", "Against Gradus"]) {
    head.append(make("th", { scope: "col" }, title));
  }
  const body = table.createTBody();
  for (const { peer, mean, count, of } of means.filter(isWhole).sort((a, b) => a.mean - b.mean)) {
    const row = body.insertRow();
    row.append(make("th", { scope: "row" }, peer));
    row.insertCell().textContent = `${count} of ${of}`;
    row.insertCell().textContent = ratioInWords(mean);
  }
  // A mean over some of the workloads says nothing beside one over all.
  for (const { peer, count, of } of means.filter((each) => !isWhole(each))) {
    const row = body.insertRow();
    row.className = "apart";
    row.append(make("th", { scope: "row" }, peer));
    row.insertCell().textContent = `${count} of ${of}`;
    row.insertCell().textContent = "not ranked";
  }
  host.append(table);
}

/** On what a report was measured, in a line. */
export function machineOf({ adapter, cores, date, isolated, platform }: Report): string {
  const software = adapter?.software ? ", emulated by the CPU" : "";
  const gpu = adapter ? `${adapter.name}${software}` : "no WebGPU adapter";
  const threads = isolated ? "" : " without threads";
  return `${date.slice(0, 10)}. ${gpu}; ${cores} cores${threads}. ${browserOf(platform)}.`;
}

/** The browser and the system out of what a browser calls itself. */
function browserOf(platform: string): string {
  const [name] = platform.match(/(HeadlessChrome|Edg|Firefox|Chrome|Version)\/[\d.]+/) ?? [];
  const [system] = platform.match(/\(([^)]*)\)/)?.slice(1) ?? [];
  return name && system
    ? `${name.replace("Version", "Safari").replace("/", " ")}, ${system}`
    : platform;
}
