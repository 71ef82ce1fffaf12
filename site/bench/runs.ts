/** The runs that can be looked at: some that come with the site, the one just made, one from a file. */

import type { PassReport, Place } from "../../bench/harness/bars.ts";
import { parseReport, type Report, type Result } from "../../bench/harness/report.ts";
import cpu from "../../bench/results/2026-11-28-cpu.json?url";
import emulated from "../../bench/results/2026-11-29-google-swiftshader.json?url";
import sizes from "../../bench/results/2026-11-29-google-swiftshader-sizes.json?url";
import training from "../../bench/results/2026-11-29-google-swiftshader-training.json?url";

const load = async (url: string) => (await fetch(url)).text();

/** Runs that come with the site, by the names that stand in addresses. */
const BUNDLED = {
  all: {
    title: "29 Nov 2026: all, emulated GPU",
    report: async () => parseReport(await load(emulated)),
  },
  training: {
    title: "29 Nov 2026: training, emulated GPU",
    report: async () => parseReport(await load(training)),
  },
  sizes: {
    title: "29 Nov 2026: sizes, emulated GPU",
    report: async () => parseReport(await load(sizes)),
  },
  cpu: {
    title: "28 Nov 2026: CPU, in a browser",
    report: async () => passesAt("page", await load(cpu)),
  },
  node: {
    title: "28 Nov 2026: CPU, in Node",
    report: async () => passesAt("node", await load(cpu)),
  },
} as const;

export type RunName = keyof typeof BUNDLED | "made" | "file";

/** All names, whether there is such a run yet or not. */
export const RUN_NAMES = [
  ...(Object.keys(BUNDLED) as (keyof typeof BUNDLED)[]),
  "made",
  "file",
] as const;

/** What passes of libraries at several workloads found in one place, as one report. */
export function passesAt(place: Place, text: string): Report {
  const { passes } = JSON.parse(text) as { passes: readonly PassReport[] };
  const reports = passes.filter((pass) => pass.place === place).map(({ report }) => report);
  const results = new Map<string, Result>();
  for (const result of reports.flatMap((report) => report.results)) {
    const key = `${result.workload} ${result.peer}`;
    if (!results.has(key)) results.set(key, result);
  }
  const notes = reports.flatMap((report) => report.notes ?? []);
  return { ...reports[0], notes, results: [...results.values()] };
}

/** The runs that there are. */
export class Runs {
  readonly #own = new Map<RunName, { readonly title: string; readonly report: Report }>();

  /** Adds one, or puts it in place of the one of this name. */
  add(name: "made" | "file", title: string, report: Report): void {
    this.#own.set(name, { title, report });
  }

  has(name: RunName): boolean {
    return name in BUNDLED || this.#own.has(name);
  }

  /** Names and titles of all that there are. */
  get titles(): [RunName, string][] {
    const bundled = Object.entries(BUNDLED).map(([name, { title }]) => [name, title]);
    const own = [...this.#own].map(([name, { title }]) => [name, title]);
    return [...own, ...bundled] as [RunName, string][];
  }

  /** Gives the report of one; null where there is none. */
  async report(name: RunName): Promise<Report | null> {
    if (name in BUNDLED) return BUNDLED[name as keyof typeof BUNDLED].report();
    return this.#own.get(name)?.report ?? null;
  }
}
