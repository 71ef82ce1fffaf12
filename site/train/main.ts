/** The page: shows what the worker reports and tells it what the user wants. */

import { element, paragraph } from "../shell/dom.ts";
import { Charts } from "./charts.ts";
import { Drawing } from "./drawing.ts";
import { Figures } from "./figures.ts";
import { Probabilities } from "./probabilities.ts";
import type {
  Command,
  DeviceReport,
  Download,
  Phase,
  Report,
  Settings,
  TrainReport,
} from "./protocol.ts";
import { SettingsForm } from "./settings.ts";
import { showMistakes } from "./sheet.ts";

const SENTENCES: Record<Phase, string> = {
  loading: "Loading",
  training: "Training",
  paused: "Paused",
  stopped: "Stopped",
  finished: "Finished",
  failed: "Stopped by an error",
};

const status = element("status");
const detail = element("detail");
const failure = element("error");
const progress = element("progress", HTMLProgressElement);
const start = element("start", HTMLButtonElement);
const pause = element("pause", HTMLButtonElement);
const stop = element("stop", HTMLButtonElement);

let phase: Phase | "idle" = "idle";
let device: DeviceReport | null = null;
let latest: TrainReport | null = null;
/** What became of the GPU in this run, and of the learning rate, as sentences. */
let loss = "";
let rate = "";
let frame = 0;
/** Whether the worker is classifying a drawing, and the one to be classified next. */
let asked = false;
let waiting: Float32Array | null = null;

const worker = new Worker(new URL("./worker.ts", import.meta.url), { type: "module" });
const charts = new Charts();
const figures = new Figures();
const bars = new Probabilities();
const form = new SettingsForm(begin, (learningRate) => send({ kind: "rate", learningRate }));
const drawing = new Drawing(classify);

function begin(settings: Settings): void {
  charts.clear();
  figures.clear();
  device = null;
  latest = null;
  loss = "";
  rate = "";
  progress.value = 0;
  detail.textContent = "";
  fail();
  redraw();
  setPhase("loading");
  send({ kind: "start", settings });
}

function send(command: Command): void {
  worker.postMessage(command);
}

/** Asks for one drawing at a time; of those drawn meanwhile only the last counts. */
function classify(pixels: Float32Array | null): void {
  waiting = pixels;
  if (!pixels) bars.show(null);
  if (asked || !pixels) return;
  asked = true;
  waiting = null;
  send({ kind: "classify", pixels });
}

function answer(probabilities: Float32Array | null): void {
  asked = false;
  if (waiting) classify(waiting);
  else if (drawing.pixels) bars.show(probabilities);
}

function setPhase(next: Phase): void {
  phase = next;
  const active = next === "training" || next === "paused";
  form.changeable = active ? "rate" : next === "loading" ? "none" : "all";
  start.disabled = active || next === "loading";
  pause.disabled = stop.disabled = !active;
  pause.textContent = next === "paused" ? "Resume" : "Pause";
  document.body.dataset.phase = next;
  say();
}

function say(): void {
  if (phase === "idle") return;
  const name = nameOf(device?.device);
  status.textContent = `${SENTENCES[phase]}${device ? ` on ${name}` : ""}.${loss}${rate}`;
  if (!device || phase === "loading") return;
  detail.textContent = `Device: ${device.description}. Why ${name}: ${device.reason}.`;
}

function nameOf(kind?: DeviceReport["device"]): string {
  return kind === "cpu" ? "the CPU" : "WebGPU";
}

/** Shows some lines as an error, or none. */
function fail(...lines: string[]): void {
  failure.hidden = lines.length === 0;
  failure.replaceChildren(...lines.map(paragraph));
}

function showDownload({ received, total }: Download): void {
  progress.value = received / total;
  const megabytes = (bytes: number) => (bytes / 1e6).toFixed(0);
  detail.textContent = `MNIST: ${megabytes(received)} of ${megabytes(total)} MB`;
}

/** Draws at most once a frame, however fast reports come. */
function redraw(): void {
  if (frame) return;
  frame = requestAnimationFrame(() => {
    frame = 0;
    charts.draw();
    if (!latest) return;
    figures.showTraining(latest);
    if (phase !== "training" && phase !== "paused") figures.end();
    progress.value = latest.step / latest.steps;
  });
}

/** What is done on each kind of report. */
const receivers: { [K in Report["kind"]]: (report: Extract<Report, { kind: K }>) => void } = {
  phase: (report) => setPhase(report.phase),
  failed: (report) => {
    asked = false;
    fail(report.advice, report.message);
    setPhase("failed");
  },
  download: showDownload,
  device: (report) => {
    device = report;
    say();
  },
  lost: ({ step }) => {
    loss = ` The GPU was lost at step ${step} and is being made again.`;
    say();
  },
  recovered: ({ step, device: kind, description }) => {
    const [at] = /\d+/.exec(loss) ?? [];
    loss = ` The GPU was lost at step ${at}; going on from step ${step} on ${nameOf(kind)}.`;
    if (device) device = { ...device, device: kind, description };
    say();
  },
  rate: ({ learningRate }) => {
    rate = ` The learning rate is ${learningRate} now.`;
    say();
  },
  classified: (report) => answer(report.probabilities),
  trained: (report) => {
    latest = report;
    figures.note(report);
    charts.addTraining(report);
    redraw();
  },
  tested: (report) => {
    figures.showTest(report);
    charts.addTest(report);
    showMistakes(report);
    classify(drawing.pixels);
    redraw();
  },
};

worker.onmessage = ({ data }: MessageEvent<Report>) => {
  (receivers[data.kind] as (report: Report) => void)(data);
};
worker.onerror = (event) => {
  fail(event.message || "The worker could not be started; expected a browser with module workers.");
  setPhase("failed");
};
pause.addEventListener("click", () => {
  send({ kind: phase === "paused" ? "resume" : "pause" });
});
stop.addEventListener("click", () => send({ kind: "stop" }));
