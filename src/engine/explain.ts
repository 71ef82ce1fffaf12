import { checkEach, checkOptions } from "../core/check.ts";
import type { KernelStats, Plan, PlanStats } from "./plan.ts";
import type { Profile } from "./profile.ts";

/** What else is told of a plan's kernels. */
export interface ExplainOptions {
  /** What profiling the plan gave: adds how long each kernel took. */
  readonly profile?: Profile;
  /** Adds the code of all kernels, or of the one with this number in the table. */
  readonly code?: boolean | number;
}

/**
 * Describes a plan as a table for people: one line a kernel with what it costs, and the ops of each
 * of its groups. On the compiled CPU device a line names the function that computes the group, which
 * equal groups share, or says why the group runs in its op's plain form; times are in microseconds.
 * Behind the table comes the code that `options` ask for: WGSL on WebGPU, WebAssembly as text on the
 * compiled CPU device.
 * @throws GradusError for what is no plan, for a profile of another one, and for a kernel's number
 * that the plan does not have.
 * @example console.log(await explain(await step.prepare(batch)));
 */
export async function explain(
  plan: Pick<Plan, "stats">,
  options: ExplainOptions = {},
  ...surplus: never[]
): Promise<string> {
  checkOptions("explain", options, { profile: true, code: true }, surplus);
  const { profile, code = false } = options;
  const isPlan = typeof (plan as Partial<Plan> | null | undefined)?.stats === "function";
  checkEach("explain", { plan }, () => isPlan, "a plan, such as step.plans[0]");
  const stats = await plan.stats();
  const count = stats.kernels.length;
  const isOwn = () => !profile || profile.kernels?.length === count;
  checkEach("explain", { profile }, isOwn, `that of the plan, with ${count} kernels`);
  const isKernel = () =>
    typeof code === "boolean" || (Number.isInteger(code) && code > 0 && code <= count);
  checkEach("explain", { code }, isKernel, `true, false or a kernel's number up to ${count}`);
  const shown = new Map<string, number>();
  const parts = [statsTable(stats, profile)];
  for (const [i, kernel] of stats.kernels.entries()) {
    if (code !== true && code !== i + 1) continue;
    const first = shown.get(kernel.function ?? `${i}`) ?? i;
    shown.set(kernel.function ?? `${i}`, first);
    const text = first === i ? await codeText(kernel) : `as ${first + 1}`;
    parts.push(`${i + 1}: ${groupNames(kernel.groups)}`, text);
  }
  return parts.join("\n\n");
}

async function codeText({ code, plain = "no code" }: KernelStats): Promise<string> {
  return code ? code() : `plain TypeScript: ${plain}`;
}

/** Writes what a plan does as a table, with times where there are some. */
export function statsTable(stats: PlanStats, profile?: Profile): string {
  const { dispatches, flops, bytes, peakBytes, lowerBoundBytes, kernels, engine } = stats;
  const columns = COLUMNS.filter(({ isShown }) => isShown?.(stats, profile) ?? true);
  const rows = [
    columns.map(({ head }) => head),
    ...kernels.map((one, i) => columns.map(({ cell }) => cell(one, i, profile))),
  ];
  const widths = columns.map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  const lines = rows.map((cells) =>
    cells.map((cell, i) => (columns[i].isText ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))),
  );
  const ratio = lowerBoundBytes > 0 ? (peakBytes / lowerBoundBytes).toFixed(2) : "1.00";
  const what = engine
    ? `${counted(kernels.length, "kernel")} of ${engine}`
    : `${dispatches} dispatches`;
  const between = "between kernels";
  const time = profile
    ? [`${micros(timeOf(profile))} µs in all, by the ${profile.clock}'s clock`]
    : [];
  return [
    `${what}, ${si(flops)}FLOP, ${si(bytes)}B read and written`,
    `${si(peakBytes)}B ${between}, ${ratio} times what is needed at once`,
    ...time,
    "",
    ...lines.map((cells) => cells.join("  ").trimEnd()),
  ].join("\n");
}

/** A column of the table, and when it is there; always when that is left out. */
interface Column {
  readonly head: string;
  readonly isText?: boolean;
  isShown?(stats: PlanStats, profile?: Profile): boolean;
  cell(kernel: KernelStats, i: number, profile?: Profile): string;
}

const isOfGpu = ({ engine }: PlanStats) => engine === undefined;
const hasFunctions = ({ kernels }: PlanStats) =>
  kernels.some((one) => one.function !== undefined || one.plain !== undefined);

const COLUMNS: readonly Column[] = [
  { head: "#", cell: (_, i) => `${i + 1}` },
  {
    head: "times",
    isShown: ({ kernels }) => kernels.some(({ times }) => times !== undefined),
    cell: ({ times = 1 }) => `${times}`,
  },
  { head: "workgroups", isShown: isOfGpu, cell: ({ workgroups }) => `${workgroups}` },
  { head: "buffers", isShown: isOfGpu, cell: ({ bindings }) => `${bindings}` },
  { head: "FLOP", cell: ({ flops }) => si(flops) },
  { head: "B", cell: ({ bytes }) => si(bytes) },
  { head: "own B", isShown: hasFunctions, cell: ({ scratch = 0 }) => si(scratch) },
  {
    head: "units",
    isShown: ({ kernels }) => kernels.some(({ units }) => units !== undefined),
    cell: ({ units = "" }) => `${units}`,
  },
  {
    head: "µs",
    isShown: (_, profile) => profile !== undefined,
    cell: (_, i, profile) => micros(profile?.kernels[i].duration ?? 0),
  },
  {
    head: "function",
    isText: true,
    isShown: hasFunctions,
    cell: (one) => one.function ?? `plain: ${one.plain}`,
  },
  { head: "groups", isText: true, cell: ({ groups }) => groupNames(groups) },
];

function groupNames(groups: KernelStats["groups"]): string {
  return groups.map((ops) => ops.join("+")).join(" | ");
}

function timeOf({ kernels }: Profile): number {
  return kernels.reduce((sum, { duration }) => sum + duration, 0);
}

function micros(value: number): string {
  return value.toPrecision(3).includes("e") ? value.toFixed(0) : value.toPrecision(3);
}

function counted(count: number, what: string): string {
  return `${count} ${what}${count === 1 ? "" : "s"}`;
}

const PREFIXES = ["", "k", "M", "G", "T"];

/** Writes a number with three digits and an SI prefix: 16.2 M. */
function si(value: number): string {
  const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  const digits = value / 1000 ** power;
  return `${power === 0 ? value : digits.toPrecision(3)} ${PREFIXES[power]}`;
}
