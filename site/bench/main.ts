/** The page: starts a run, shows what comes, and gives the report as a file. */
import "./style.css";
import { readWishes, type Wishes } from "../../bench/harness/options.ts";
import { parseReport, type Report, reportFileName } from "../../bench/harness/report.ts";
import { runSuite, type SuiteOptions } from "../../bench/harness/suite.ts";
import { formatReport } from "../../bench/harness/table.ts";
import { BROWSER_PEERS } from "../../bench/peers/index.ts";
import { element, make, paragraph } from "../shell/dom.ts";
import { choice, Settings } from "../shell/settings.ts";
import { ChoicesForm } from "./choices.ts";
import { download, onReportChosen } from "./files.ts";
import { VIEWS } from "./kinds.ts";
import { RUN_NAMES, Runs } from "./runs.ts";
import { machineOf } from "./summary.ts";
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
const runs = new Runs();
offerRuns();
element("view").append(
  ...VIEWS.map(({ name, heading }) => make("option", { value: name }, heading)),
);
const shown = new Settings(element("shown", HTMLFormElement), {
  run: choice("all", RUN_NAMES),
  with: choice("none", ["none", ...RUN_NAMES]),
  view: choice(
    "quick",
    VIEWS.map(({ name }) => name),
  ),
});
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

/** Lists the runs that there are. */
function offerRuns(): void {
  const options = () => runs.titles.map(([value, title]) => make("option", { value }, title));
  element("run").replaceChildren(...options());
  element("with").replaceChildren(make("option", { value: "none" }, "Nothing"), ...options());
}

/** Shows the run that is chosen, beside the other; a run that is not there yet gives way to the first. */
async function show(): Promise<void> {
  const { run, view, with: other } = shown.values;
  const missing = (name: (typeof RUN_NAMES)[number] | "none") => name !== "none" && !runs.has(name);
  if (missing(run) || missing(other)) {
    shown.set(
      { run: missing(run) ? "all" : run, with: missing(other) ? "none" : other },
      "replace",
    );
    return; // what that changes is shown
  }
  const [report, earlier] = await Promise.all([
    runs.report(run),
    other === "none" ? null : runs.report(other),
  ]);
  const isStale = shown.values.run !== run || shown.values.with !== other;
  if (!report || isStale || controller) return;
  const wanted = VIEWS.find(({ name }) => name === view)?.workloads ?? [];
  tables.compare(earlier);
  tables.showReport(report, wanted);
  element("machine").textContent = machineOf(report);
  element("earlier-name").textContent = earlier ? `Compared with: ${machineOf(earlier)}` : "";
  element("notes").replaceChildren();
  for (const text of report.notes) note(text);
}

/** Runs a suite and shows it; gives the report, or null when it could not be run. */
async function measure(options: SuiteOptions, told?: (line: string) => void) {
  controller = new AbortController();
  const { signal } = controller;
  // The run chosen to compare with stays beside the new one.
  const { with: other } = shown.values;
  tables.compare(other === "none" ? null : await runs.report(other));
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
    if (!signal.aborted) progress.value = 1;
    runs.add("made", "The run of this visit", report);
    offerRuns();
    setPhase(signal.aborted ? "stopped" : "finished");
    return report;
  } catch (error) {
    fail((error as Error).message);
    setPhase("failed");
    return null;
  } finally {
    controller = null;
    if (report) {
      shown.set({ run: "made", view: "all" }, "replace");
      await show();
    }
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
    runs.add("file", name, earlier);
    offerRuns();
    if (shown.values.with === "file") void show();
    else shown.set({ with: "file" });
  },
  (message) => fail(message),
);
shown.onChange(() => void show().catch((error: Error) => fail(error.message)));

/** What the command calls: measures and gives the report, the same as text, and a file name. */
async function command(wishes: Wishes, earlierText: string | null, told: (line: string) => void) {
  const earlier = earlierText === null ? null : parseReport(earlierText);
  const made = await measure(readWishes(wishes, BROWSER_PEERS), told);
  if (!made) throw new Error(element("error").textContent ?? "the run failed");
  return { report: made, text: formatReport(made, earlier), name: reportFileName(made) };
}

Object.assign(globalThis, { gradusBench: command });
element("status").textContent =
  "Ready. Below are results of earlier runs, on another machine. A library is loaded when its turn comes.";
void show().catch((error: Error) => fail(error.message));
