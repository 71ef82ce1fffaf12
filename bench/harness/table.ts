import { OURS } from "../peers/index.ts";
import { figureOf, findWorkload } from "../workloads/index.ts";
import { earlierTime, type Report, type Result } from "./report.ts";

/** Formats a figure with three digits, more before the point. */
export function formatFigure(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toFixed(digits);
}

/** Parts what a library can do from what it cannot, and says the latter in a sentence. */
export function splitMissing(results: readonly Result[]) {
  const names = results.filter(({ status }) => status === "missing").map(({ peer }) => peer);
  const there = results.filter(({ status }) => status !== "missing");
  return { there, missing: names.length > 0 ? `Not part of ${names.join(", ")}.` : "" };
}

/** A result in few words: its figure, or why there is none. */
export function formatResult({ status, message, milliseconds, figure, unit }: Result): string {
  if (status !== "ok") return `${status}: ${message}`;
  if (!milliseconds || figure === undefined) return "right, being timed";
  return `${formatFigure(figure)} ${unit}`;
}

/** The quartiles of a result in its unit, `low to high`; empty when it was not timed. */
export function formatSpread({ milliseconds, unit, workload }: Result): string {
  if (!milliseconds) return "";
  const { work } = findWorkload(workload);
  const ends = [milliseconds.q1, milliseconds.q3].map((ms) => figureOf(unit, work, ms));
  return ends
    .sort((a, b) => a - b)
    .map(formatFigure)
    .join(" to ");
}

/** The factor by which a peer is slower than ours, the first of ours that was timed. */
export function ratioToOurs({ ratios, peer }: Result): string {
  const ours = OURS.find((name) => ratios?.[name] !== undefined);
  const ratio = ours && ratios?.[ours];
  if (ratio === undefined || OURS[0] === peer) return "";
  return `${formatFigure(ratio)}×`;
}

/** The report as a table in plain text, one block a workload. */
export function formatReport(report: Report, earlier: Report | null = null): string {
  const { adapter, platform, cores, date, versions, devices = {}, notes } = report;
  const software = adapter?.software ? ", emulated by the CPU" : "";
  const lines = [
    `${date}, ${platform}, ${cores} cores`,
    `WebGPU adapter: ${adapter ? `${adapter.name}${software}` : "none"}`,
    Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(", "),
    ...Object.entries(devices).map(([peer, device]) => `${peer}: ${device}`),
  ];
  for (const workload of new Set(report.results.map((result) => result.workload))) {
    const { there, missing } = splitMissing(report.results.filter((r) => r.workload === workload));
    lines.push("", workload, ...there.map((result) => formatLine(result, earlier)));
    if (missing) lines.push(`  ${missing}`);
  }
  if (notes.length > 0) lines.push("", ...notes.map((note) => `Note: ${note}.`));
  lines.push("", "Medians and quartiles; × is the time as a multiple of that of gradus-webgpu,");
  lines.push("or of gradus-cpu where that was not timed.");
  return lines.join("\n");
}

function formatLine(result: Result, earlier: Report | null): string {
  const cells = [
    `  ${result.peer.padEnd(18)}`,
    [formatResult(result), formatSpread(result)].filter(Boolean).join(", ").padEnd(34),
    ratioToOurs(result).padStart(8),
    result.error === undefined ? "" : `off by ${result.error.toExponential(1)}`,
  ];
  const before = earlierTime(earlier, result);
  if (before !== undefined && result.milliseconds) {
    cells.push(`${formatFigure(before / result.milliseconds.median)}× as fast as before`);
  }
  return cells.join("  ").trimEnd();
}
