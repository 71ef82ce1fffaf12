import { checkEach } from "../core/check.ts";
import type { KernelStats, Plan, PlanStats } from "./plan.ts";

/**
 * Describes a plan as a table for people: one line a kernel with what it costs, and the ops of each
 * of its groups.
 * @throws GradusError for what is no plan.
 * @example console.log(await explain(await step.prepare(batch)));
 */
export async function explain(plan: Pick<Plan, "stats">): Promise<string> {
  const isPlan = typeof (plan as Partial<Plan> | null | undefined)?.stats === "function";
  checkEach("explain", { plan }, () => isPlan, "a plan, such as step.plans[0]");
  return statsTable(await plan.stats());
}

/** Writes what a plan does as a table. */
export function statsTable(stats: PlanStats): string {
  const { dispatches, flops, bytes, peakBytes, lowerBoundBytes, kernels } = stats;
  const rows = [HEAD, ...kernels.map(row)];
  const widths = HEAD.map((_, column) => Math.max(...rows.map((cells) => cells[column].length)));
  const lines = rows.map((cells) =>
    cells.map((cell, column) => align(cell, widths[column], column)).join("  "),
  );
  const ratio = lowerBoundBytes > 0 ? (peakBytes / lowerBoundBytes).toFixed(2) : "1.00";
  return [
    `${dispatches} dispatches, ${si(flops)}FLOP, ${si(bytes)}B read and written`,
    `${si(peakBytes)}B between kernels, ${ratio} times what is needed at once`,
    "",
    ...lines.map((line) => line.trimEnd()),
  ].join("\n");
}

const HEAD = ["#", "workgroups", "buffers", "FLOP", "B", "groups"];

function row({ groups, flops, bytes, workgroups, bindings }: KernelStats, i: number): string[] {
  const names = groups.map((ops) => ops.join("+")).join(" | ");
  return [`${i + 1}`, `${workgroups}`, `${bindings}`, si(flops), si(bytes), names];
}

function align(text: string, width: number, column: number): string {
  return column === HEAD.length - 1 ? text : text.padStart(width);
}

const PREFIXES = ["", "k", "M", "G", "T"];

/** Writes a number with three digits and an SI prefix: 16.2 M. */
function si(value: number): string {
  const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  const digits = value / 1000 ** power;
  return `${power === 0 ? value : digits.toPrecision(3)} ${PREFIXES[power]}`;
}
