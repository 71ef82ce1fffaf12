/** The page: shows the GPU at once, has the doctor look when asked to, and gives the report as a file. */
import "./style.css";
import type { DoctorRun } from "../../doctor/client.ts";
import { lookInWorker, startDoctor } from "../../doctor/client.ts";
import { Printer } from "../../doctor/printer.ts";
import {
  type AdapterFacts,
  type DoctorReport,
  doctorFileName,
  type Preset,
  parseDoctorReport,
  summaryOf,
} from "../../doctor/report.ts";
import { element, make } from "../shell/dom.ts";
import { Findings } from "./findings.ts";

type Phase = "ready" | "looking" | "stopping" | "finished" | "stopped" | "failed";

const buttons = {
  quick: element("quick", HTMLButtonElement),
  full: element("full", HTMLButtonElement),
};
const stop = element("stop", HTMLButtonElement);
const save = element("download", HTMLButtonElement);
const send = element("share", HTMLButtonElement);
const progress = element("progress", HTMLProgressElement);
const findings = new Findings(element("results"));

let run: DoctorRun | null = null;
let report: DoctorReport | null = null;

function newWorker(): Worker {
  return new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
}

function setPhase(phase: Phase, text: string): void {
  const isActive = phase === "looking" || phase === "stopping";
  document.body.dataset.phase = phase;
  element("status").textContent = text;
  if (!isActive) element("detail").textContent = "";
  for (const button of Object.values(buttons)) button.disabled = isActive;
  stop.disabled = phase !== "looking";
  save.disabled = isActive || !report;
  send.disabled = save.disabled;
}

function fail(message: string | null): void {
  element("failure").hidden = message === null;
  element("failure").textContent = message ?? "";
}

const MIB = 2 ** 20;

/** Shows what is known of the GPU without trying anything. */
function showGpu(facts: AdapterFacts | null, why: string): void {
  element("gpu").textContent = facts
    ? `${facts.name}${facts.software ? ": your processor plays the GPU, so that times are not judged" : ""}.`
    : `There is no WebGPU here: ${why}.`;
  if (!facts) return;
  const { limits, features, traits } = facts;
  const shown: Record<string, string> = {
    "Largest buffer": `${(limits.maxBufferSize / MIB).toLocaleString("en")} MiB`,
    "In a binding": `${(limits.maxStorageBufferBindingSize / MIB).toLocaleString("en")} MiB`,
    "Workgroup memory": `${limits.maxComputeWorkgroupStorageSize / 1024} KiB`,
    "In a workgroup": `${limits.maxComputeInvocationsPerWorkgroup}`,
    Subgroups: features.includes("subgroups") ? "yes" : "no",
    "16-bit floats": features.includes("shader-f16") ? "yes" : "no",
    "Kernels taken": traits.workgroupMemory ? "tiles in workgroup memory" : "direct loads",
  };
  const pairs = Object.entries(shown).map(([name, value]) =>
    make("div", {}, make("dt", {}, name), make("dd", {}, value)),
  );
  element("facts").replaceChildren(...pairs);
  const row = (name: string, value: string) =>
    make("tr", {}, make("th", { scope: "row" }, name), make("td", {}, value));
  const rows = Object.entries(limits).map(([name, n]) => row(name, n.toLocaleString("en")));
  const body = element("limits").querySelector("tbody");
  body?.replaceChildren(row("features", features.join(", ") || "none"), ...rows);
  element("limits").style.visibility = "";
}

/** Has the doctor look; gives the report, or null when it broke. */
async function look(
  preset: Preset,
  only?: string,
  printer?: Printer,
): Promise<DoctorReport | null> {
  findings.clear();
  fail(null);
  progress.value = 0;
  setPhase("looking", preset === "quick" ? "A quick look." : "A full look.");
  stop.focus();
  run = startDoctor(
    newWorker(),
    { preset, only },
    {
      adapter: (facts) => printer?.adapter(facts),
      progress: (text, share) => {
        progress.value = share;
        element("detail").textContent = text;
      },
      line: (line) => {
        findings.add(line);
        printer?.line(line);
      },
    },
  );
  try {
    report = await run.report;
    printer?.end(report);
    if (!report.stopped) progress.value = 1;
    setPhase(report.stopped ? "stopped" : "finished", summaryOf(report));
    return report;
  } catch (error) {
    fail((error as Error).message);
    setPhase("failed", "Stopped by an error.");
    return null;
  } finally {
    run = null;
  }
}

/** The report as a file; of plain text, which more apps take than JSON, where it is to be sent. */
function fileOf(found: DoctorReport, isSent = false): File {
  const name = doctorFileName(found);
  const [ending, type] = isSent ? [".txt", "text/plain"] : ["", "application/json"];
  return new File([JSON.stringify(found, null, 2)], name + ending, { type });
}

/** Offers the report as a file of the browser's. */
function download(found: DoctorReport): void {
  const file = fileOf(found);
  const link = make("a", { href: URL.createObjectURL(file), download: file.name });
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10_000);
}

function halt(): void {
  run?.stop();
  setPhase("stopping", "Stopping after what is being done.");
}

for (const [preset, button] of Object.entries(buttons)) {
  button.addEventListener("click", () => void look(preset as Preset));
}
stop.addEventListener("click", halt);
save.addEventListener("click", () => report && download(report));
// Phones hand files to other apps, if the reader says to which.
send.hidden = !navigator.canShare?.({
  files: [new File([""], "report.txt", { type: "text/plain" })],
});
send.addEventListener("click", () => {
  if (report) navigator.share({ files: [fileOf(report, true)] }).catch(() => {}); // thought better of
});
const earlier = element("earlier", HTMLInputElement);
earlier.addEventListener("change", async () => {
  const file = earlier.files?.[0];
  if (!file) return;
  try {
    const before = parseDoctorReport(await file.text());
    fail(null);
    findings.compare(before);
    const { date, adapter, preset } = before;
    element("earlier-name").textContent =
      `Compared with ${file.name}: ${adapter?.name ?? "no WebGPU"}, ${date.slice(0, 10)}, ${preset}.`;
  } catch (error) {
    fail(`${file.name}: ${(error as Error).message}`);
  }
  earlier.value = "";
});

lookInWorker(newWorker()).then(
  ({ facts, why }) => showGpu(facts, why),
  (error: Error) => showGpu(null, error.message),
);

/** What the command calls: looks at all, tells each line, and gives the report. */
async function command(
  options: { preset: Preset; only?: string },
  before: DoctorReport | null,
  print: (text: string) => void,
): Promise<DoctorReport> {
  const found = await look(options.preset, options.only, new Printer(print, before));
  if (!found) throw new Error(element("failure").textContent ?? "the run failed");
  return found;
}

Object.assign(globalThis, { gradusDoctor: command, stopDoctor: halt });
