import {
  type AdapterFacts,
  compareReports,
  type DoctorReport,
  faultsOf,
  figureText,
  type Line,
  lineText,
  summaryOf,
} from "./report.ts";

/** Writes a report as plain text while it comes: a verdict a line, and what an earlier one found. */
export class Printer {
  #check = "";

  constructor(
    readonly print: (text: string) => void,
    readonly before: DoctorReport | null = null,
  ) {}

  adapter(facts: AdapterFacts | null): void {
    this.print(`WebGPU adapter: ${facts?.name ?? "none"}`);
  }

  line(line: Line): void {
    if (line.check !== this.#check) this.print(`\n${line.check}`);
    this.#check = line.check;
    this.print(`  ${line.verdict.padEnd(9)} ${line.name}: ${lineText(line)}${this.#change(line)}`);
    for (const { name, worst, note } of faultsOf(line)) {
      const share = worst === undefined ? "" : `${worst.toPrecision(3)} × what is allowed`;
      this.print(`              ${name}: ${[share, note].filter(Boolean).join("; ")}`);
    }
  }

  /** Says what came of all, and which lines of the earlier report are gone. */
  end(report: DoctorReport): void {
    const { platform, cores, version, preset } = report;
    for (const { check, name, before, now } of this.before
      ? compareReports(this.before, report)
      : []) {
      if (before && !now) this.print(`  gone      ${check}, ${name}: was ${before.verdict}`);
    }
    this.print(`\nGradus ${version}, ${preset}, ${platform}, ${cores} cores`);
    this.print(summaryOf(report));
  }

  #change(line: Line): string {
    if (!this.before) return "";
    const now = { ...this.before, lines: [line] };
    const same = compareReports(this.before, now).find((one) => one.now === line);
    if (!same?.before) return " (not in the earlier report)";
    const was = same.before.verdict === line.verdict ? "" : `, was ${same.before.verdict}`;
    const ratio = same.ratio ? `${figureText(same.ratio)} × as good as before` : "";
    const told = `${ratio}${was}`.replace(/^, /, "");
    return told ? ` (${told})` : "";
  }
}
