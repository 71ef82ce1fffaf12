/** What the doctor finds, as plain data: a verdict a line, with figures and tables behind them. */

/**
 * `ok` is right, and as fast as can be expected; `slow` is right and slower than that; `wrong` gave
 * other values, or broke; `not there` could not be tried, and the line says why.
 */
export type Verdict = "ok" | "slow" | "wrong" | "not there";

/** One row of the table behind a line. */
export interface Row {
  readonly name: string;
  /** The worst error, as a multiple of what is allowed. */
  readonly worst?: number;
  /** In the line's unit. */
  readonly figure?: number;
  /** What is wrong, or what there is to say. */
  readonly note?: string;
}

/** One thing that was looked at. */
export interface Line {
  /** Which check it belongs to. */
  readonly check: string;
  /** What was looked at; lines of two reports are compared by check and name. */
  readonly name: string;
  readonly verdict: Verdict;
  readonly text: string;
  readonly figure?: number;
  readonly unit?: string;
  /** Whether a larger figure is better; so it is when left out. */
  readonly isLessBetter?: boolean;
  readonly rows?: readonly Row[];
}

/** The GPU as WebGPU tells of it, and what the engine makes of that. */
export interface AdapterFacts {
  readonly name: string;
  readonly info: Readonly<Record<string, string>>;
  /** Whether a CPU emulates it. */
  readonly software: boolean;
  readonly features: readonly string[];
  readonly limits: Readonly<Record<string, number>>;
  /** By what the engine chooses kernels. */
  readonly traits: Readonly<Record<string, boolean | number>>;
}

/** How much is looked at. */
export const PRESETS = ["quick", "full"] as const;
export type Preset = (typeof PRESETS)[number];

/** All that one run found. */
export interface DoctorReport {
  readonly format: "gradus-doctor/1";
  readonly date: string;
  readonly version: string;
  readonly platform: string;
  readonly cores: number;
  readonly preset: Preset;
  /** Whether it was stopped before its end. */
  readonly stopped: boolean;
  readonly seconds: number;
  readonly adapter: AdapterFacts | null;
  readonly lines: readonly Line[];
}

/** How many lines have each verdict. */
export function countVerdicts(lines: readonly Line[]): Record<Verdict, number> {
  const counts = { ok: 0, slow: 0, wrong: 0, "not there": 0 };
  for (const { verdict } of lines) counts[verdict]++;
  return counts;
}

/** Says in a sentence what came out. */
export function summaryOf({ lines, seconds, stopped }: DoctorReport): string {
  const counts = countVerdicts(lines);
  const parts = Object.entries(counts).filter(([name, n]) => n > 0 || name === "wrong");
  const told = parts.map(([name, n]) => `${n} ${name}`).join(", ");
  return `${lines.length} lines in ${seconds.toFixed(1)} s${stopped ? ", stopped" : ""}: ${told}.`;
}

/** Names a report's file after its day and its adapter. */
export function doctorFileName({ date, adapter, preset }: DoctorReport): string {
  const hardware = (adapter?.name ?? "no adapter").slice(0, 60).toLowerCase();
  return `doctor-${date.slice(0, 10)}-${hardware.replaceAll(/[^a-z0-9]+/g, "-")}-${preset}.json`;
}

/** Checks what a file holds; throws an `Error` when it is no report of the doctor's. */
export function parseDoctorReport(text: string): DoctorReport {
  let value: Partial<DoctorReport> | null;
  try {
    value = JSON.parse(text);
  } catch {
    throw new Error("doctor: the file is no JSON; expected a report of the doctor's");
  }
  const isReport = value?.format === "gradus-doctor/1" && Array.isArray(value.lines);
  if (isReport) return value as DoctorReport;
  throw new Error(
    'doctor: the file has no format "gradus-doctor/1"; expected a report of the doctor',
  );
}

/** What two reports say of one line. */
export interface Compared {
  readonly check: string;
  readonly name: string;
  readonly before: Line | null;
  readonly now: Line | null;
  /** How many times as good the figure is now; null where there are no two. */
  readonly ratio: number | null;
}

/** Sets the lines of two reports beside each other, in the order of the newer one. */
export function compareReports(before: DoctorReport, now: DoctorReport): Compared[] {
  const key = ({ check, name }: Line) => `${check}\n${name}`;
  const earlier = new Map(before.lines.map((line) => [key(line), line]));
  const both = now.lines.map((line) => [earlier.get(key(line)) ?? null, line] as const);
  const present = new Set(now.lines.map(key));
  const gone = before.lines.filter((line) => !present.has(key(line)));
  return [...both, ...gone.map((line) => [line, null] as const)].map(([first, second]) => {
    const { check, name } = (second ?? first) as Line;
    return { check, name, before: first, now: second, ratio: ratioOf(first, second) };
  });
}

function ratioOf(before: Line | null, now: Line | null): number | null {
  if (!before?.figure || !now?.figure || before.unit !== now.unit) return null;
  return now.isLessBetter ? before.figure / now.figure : now.figure / before.figure;
}

/** Formats a figure with three digits, more before the point. */
export function figureText(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 3;
  return value.toLocaleString("en", {
    minimumFractionDigits: digits,
    maximumFractionDigits: digits,
  });
}

/** A line in words: its figure, if it has one, and what there is to say. */
export function lineText({ figure, unit = "", text }: Line): string {
  const told = figure === undefined ? "" : `${figureText(figure)} ${unit}`.trim();
  return [told, text].filter(Boolean).join("; ");
}

/** The rows of a line that are worth a look where there is no room for all. */
export function faultsOf({ rows = [] }: Line): readonly Row[] {
  return rows.filter(({ worst = 0, note }) => worst > 1 || (note?.startsWith("wrong") ?? false));
}
