/** Everything of the engine runs here, so that the page stays free. */
import { type Choice, DeviceError, init } from "gradus";
import { NonFiniteLossError } from "gradus/train";
import { loadMnist, type Mnist } from "../shell/mnist.ts";
import { Learner } from "./learner.ts";
import type { Command, Report, Settings } from "./protocol.ts";
import { Run } from "./run.ts";
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
  if (error instanceof NonFiniteLossError) return "Lower the learning rate and start again.";
  if (!(error instanceof DeviceError)) return "Start again to try once more.";
  if (learner) return "The GPU was lost for good. Start again to train anew.";
  return "WebGPU is not to be had here. Choose Automatic or CPU as the device.";
}

async function handle(command: Command): Promise<void> {
  if (command.kind === "start") return start(command.settings);
  if (command.kind === "classify") return classify(command.pixels);
  if (!run || !learner) return;
  if (command.kind === "rate") {
    learner.learningRate = command.learningRate;
    return report(command);
  }
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
