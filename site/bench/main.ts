/** The page: starts a run, shows what comes, and gives the report as a file. */
import "./style.css";
import { readWishes, type Wishes } from "../../bench/harness/options.ts";
import { parseReport, type Report, reportFileName } from "../../bench/harness/report.ts";
import { runSuite, type SuiteOptions } from "../../bench/harness/suite.ts";
import { formatReport } from "../../bench/harness/table.ts";
import before from "../../bench/results/2026-11-21-google-swiftshader.json?url";
import { element, paragraph } from "../shell/dom.ts";
import { ChoicesForm } from "./choices.ts";
import { download, onReportChosen } from "./files.ts";
import { QUICK_WORKLOADS } from "./presets.ts";
import { showMachine } from "./summary.ts";
import { browserSurroundings } from "./surroundings.ts";
import { Tables } from "./tables.ts";

type Phase = "measuring" | "stopping" | "finished" | "stopped" | "failed";

const SENTENCES: Record<Phase, string> = {
  measuring: "Measuring.",
  stopping: "Stopping after this workload.",
  finished: "Finished.",
  stopped: "Stopped.",
  failed: "Stopped by an error.",
};

const start = element("start", HTMLButtonElement);
const save = element("download", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const tables = new Tables();
const form = new ChoicesForm((options) => void measure(options));

let controller: AbortController | null = null;
let report: Report | null = null;

function setPhase(phase: Phase): void {
  const active = phase === "measuring" || phase === "stopping";
  document.body.dataset.phase = phase;
  element("status").textContent = SENTENCES[phase];
  form.enabled = !active;
  start.textContent = active ? "Stop" : "Start";
  start.disabled = phase === "stopping";
  save.disabled = active || !report;
  if (!active) element("detail").textContent = "";
}

function fail(...lines: string[]): void {
  element("error").hidden = lines.length === 0;
  element("error").replaceChildren(...lines.map(paragraph));
}

function note(text: string): void {
  const item = document.createElement("li");
  item.textContent = `${text}.`;
  element("notes").append(item);
}

/** Runs a suite and shows it; gives the report, or null when it could not be run. */
async function measure(options: SuiteOptions, told?: (line: string) => void) {
  controller = new AbortController();
  const { signal } = controller;
  tables.clear();
  element("notes").replaceChildren();
  fail();
  setPhase("measuring");
  try {
    report = await runSuite({ ...options, signal }, browserSurroundings(), {
      progress: (text, done, total) => {
        progress.value = done / total;
        element("detail").textContent = text;
        told?.(`[${done}/${total}] ${text}`);
      },
      results: ({ name }, results) => tables.show(name, results),
      note: (text) => {
        note(text);
        told?.(`Note: ${text}.`);
      },
    });
    showMachine(report);
    if (!signal.aborted) progress.value = 1;
    setPhase(signal.aborted ? "stopped" : "finished");
    return report;
  } catch (error) {
    fail((error as Error).message);
    setPhase("failed");
    return null;
  }
}

// One button: while it measures, it stops.
start.addEventListener("click", (event) => {
  if (document.body.dataset.phase !== "measuring") return;
  event.preventDefault();
  controller?.abort();
  setPhase("stopping");
});
save.addEventListener("click", () => report && download(report));
onReportChosen(
  (earlier, name) => {
    fail();
    tables.compare(earlier);
    element("earlier-name").textContent = `Compared with ${name} of ${earlier.date.slice(0, 10)}.`;
  },
  (message) => fail(message),
);

/** Shows a report of before, until something is measured. */
async function showBefore(): Promise<void> {
  const earlier = parseReport(await (await fetch(before)).text());
  if (document.body.dataset.phase) return;
  for (const name of QUICK_WORKLOADS) {
    tables.show(
      name,
      earlier.results.filter(({ workload }) => workload === name),
    );
  }
  showMachine(earlier);
  element("status").textContent =
    "Ready. Below are results of an earlier run, on another machine. A library is loaded when its turn comes.";
}

/** What the command calls: measures and gives the report, the same as text, and a file name. */
async function command(wishes: Wishes, earlierText: string | null, told: (line: string) => void) {
  const earlier = earlierText === null ? null : parseReport(earlierText);
  const made = await measure(readWishes(wishes), told);
  if (!made) throw new Error(element("error").textContent ?? "the run failed");
  return { report: made, text: formatReport(made, earlier), name: reportFileName(made) };
}

Object.assign(globalThis, { gradusBench: command });
void showBefore().catch(() => {});
