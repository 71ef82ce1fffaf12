/** The page that the command opens in headless Chromium: it shows what the command prints. */
import { startDoctor } from "../client.ts";
import { Printer } from "../printer.ts";
import type { DoctorReport, Preset } from "../report.ts";

/** What the command calls: looks at all, tells each line, and gives the report. */
async function command(
  options: { preset: Preset; only?: string },
  before: DoctorReport | null,
  print: (text: string) => void,
): Promise<DoctorReport> {
  const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
  const printer = new Printer(print, before);
  const run = startDoctor(worker, options, {
    adapter: (facts) => printer.adapter(facts),
    line: (line) => printer.line(line),
  });
  Object.assign(globalThis, { stopDoctor: () => run.stop() });
  const report = await run.report;
  printer.end(report);
  return report;
}

Object.assign(globalThis, { gradusDoctor: command });
