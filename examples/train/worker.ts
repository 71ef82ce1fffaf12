/** Everything of the engine runs here, so that the page stays free. */
import { type Choice, DeviceError, type DeviceNews, init } from "gradus";
import { Learner } from "./learner.ts";
import { loadMnist, type Mnist } from "./mnist.ts";
import type { Command, Report, Settings } from "./protocol.ts";
import { DivergedError, Run } from "./run.ts";
import { readTestSet } from "./test-set.ts";

const worker = self as unknown as DedicatedWorkerGlobalScope;
let data: Promise<Mnist> | null = null;
let choice: Choice | null = null;
/** Stays after training, to classify drawings. */
let learner: Learner | null = null;
let run: Run | null = null;

worker.onmessage = ({ data: command }: MessageEvent<Command>) => {
  handle(command).catch((error: unknown) => {
    const message = error instanceof Error ? error.message : String(error);
    report({ kind: "failed", advice: adviceFor(error), message });
  });
};

function report(message: Report): void {
  worker.postMessage(message);
}

function adviceFor(error: unknown): string {
  if (error instanceof DivergedError) return "Lower the learning rate and start again.";
  if (!(error instanceof DeviceError)) return "Start again to try once more.";
  if (learner) return "The GPU was lost for good. Start again to train anew.";
  return "WebGPU is not to be had here. Choose Automatic or CPU as the device.";
}

async function handle(command: Command): Promise<void> {
  if (command.kind === "start") return start(command.settings);
  if (command.kind === "classify") return classify(command.pixels);
  if (!run) return;
  run[command.kind]();
  if (command.kind === "pause") report({ kind: "phase", phase: "paused" });
  if (command.kind === "resume") report({ kind: "phase", phase: "training" });
}

async function start(settings: Settings): Promise<void> {
  if (run) return;
  report({ kind: "phase", phase: "loading" });
  release();
  choice = await init({ device: settings.device });
  const { device, reason } = choice;
  report({ kind: "device", device: device.kind, description: device.description, reason });
  device.listeners.add(tellOfLoss);
  const files = await mnist();
  learner = new Learner(settings, files);
  run = new Run(learner, settings.epochs, readTestSet(files.test), report);
  report({ kind: "phase", phase: "training" });
  try {
    report({ kind: "phase", phase: await run.train() });
  } finally {
    run = null;
  }
}

/** A GPU that is lost comes back by itself, and the run with it: that is only told. */
function tellOfLoss(news: DeviceNews): void {
  const step = learner?.steps ?? 0;
  if (news.event === "lost") report({ kind: "lost", step });
  else {
    const { kind: device, description, repeated } = news;
    report({ kind: "recovered", step: step - repeated, device, description });
  }
}

/** Frees the last run's network and device. */
function release(): void {
  learner?.dispose();
  choice?.device.dispose();
  learner = null;
  choice = null;
}

function mnist(): Promise<Mnist> {
  data ??= loadMnist((received, total) => report({ kind: "download", received, total }));
  data.catch(() => {
    data = null; // the next start tries again
  });
  return data;
}

async function classify(pixels: Float32Array): Promise<void> {
  const probabilities = learner ? await learner.classify(pixels) : null;
  report({ kind: "classified", probabilities });
}
