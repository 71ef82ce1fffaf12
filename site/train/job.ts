/** The worker of the page: everything of the engine runs here, so that the page stays free. */
import { type Choice, init, State, softmax, type Tensor, tensor } from "gradus";
import { DataLoader } from "gradus/data";
import { loadState } from "gradus/io";
import { accuracy } from "gradus/metrics";
import type { Sequential } from "gradus/nn";
import { trainJob } from "gradus/worker";
import { fittingLoss, isPictures, type JobSettings, layerSizes, PAUSES } from "./choices.ts";
import { loadFashion } from "./fashion.ts";
import { LOSSES, OPTIMIZERS, scheduleOver } from "./learning.ts";
import { network } from "./network.ts";
import weightsUrl from "./reader/digits.safetensors?url";
import { readerNetwork } from "./reader/network.ts";
import { makeTask, type TaskBatch, type TaskReport } from "./task.ts";
import { Views } from "./views.ts";

/** What the page is told beside the events of training. */
export type Note =
  | {
      readonly kind: "device";
      readonly device: "cpu" | "webgpu";
      readonly description: string;
      readonly reason: string;
    }
  | { readonly kind: "download"; readonly received: number; readonly total: number }
  | {
      readonly kind: "task";
      readonly data: JobSettings["data"];
      readonly task: TaskReport;
      /** The loss that is used: the chosen one where it suits the task. */
      readonly loss: JobSettings["loss"];
      readonly stepsPerEpoch: number;
      readonly parameters: number;
    };

/** The device stays from run to run while the same one is asked for. */
let choice: (Choice & { asked: string }) | null = null;

async function chooseDevice(asked: JobSettings["device"]): Promise<Choice> {
  if (choice?.asked !== asked) {
    choice?.device.dispose();
    choice = null;
    reader = null;
    choice = { ...(await init({ device: asked })), asked };
  }
  return choice;
}

let reader: Promise<Sequential> | null = null;

/** Reads a drawing by the network that was trained before. */
async function readDrawing(pixels: Float32Array): Promise<Float32Array> {
  reader ??= loadReader();
  const model = await reader;
  using x = tensor(pixels, { shape: [1, pixels.length] });
  using p = softmax(model.call(x), { axis: 1 });
  return (await p.data()) as Float32Array;
}

async function loadReader(): Promise<Sequential> {
  const model = readerNetwork();
  const bytes = await (await fetch(weightsUrl)).arrayBuffer();
  loadState(model, new Uint8Array(bytes));
  return model;
}

export default trainJob(async (settings: JobSettings, tell: (note: Note) => void) => {
  const { device, reason } = await chooseDevice(settings.device);
  tell({ kind: "device", device: device.kind, description: device.description, reason });
  const progress = (received: number, total: number) => tell({ kind: "download", received, total });
  const task = await makeTask(settings, progress);
  // #region job
  const { batch, epochs, optimizer: name, rate, schedule, seed } = settings;
  const { dataset, outputs, report } = task;
  const hidden = layerSizes(settings.layers);
  const filters = isPictures(settings.data) ? layerSizes(settings.convolutions) : [];
  const model = network(report.inputs, outputs, { ...settings, filters, hidden });
  const batchSize = Math.min(batch, dataset.size);
  const loader = new DataLoader({ dataset, batchSize, seed, dropLast: true });
  const base = new State(tensor(rate));
  const changing = scheduleOver(schedule, base, epochs * loader.stepsPerEpoch);
  const optimizer = OPTIMIZERS[name](model.parameters(), schedule === "constant" ? rate : changing);
  const lossName = fittingLoss(settings.loss, report.classes !== null);
  const measure = LOSSES[lossName];
  const loss = (net: Sequential, examples: TaskBatch) =>
    measure(net.call(task.inputsOf(examples)), task.targetsOf(examples));
  // #endregion
  const views = new Views(model, task, measure);
  let pause = PAUSES[settings.speed];
  const parameters = model.parameters().reduce((sum, { size }) => sum + size, 0);
  const { stepsPerEpoch } = loader;
  const { data } = settings;
  tell({ kind: "task", data, task: report, loss: lossName, stepsPerEpoch, parameters });
  return {
    model,
    optimizer,
    loss,
    loader,
    epochs,
    metricsEvery: 5,
    metrics: report.classes
      ? {
          accuracy: (net: Sequential, examples: TaskBatch) =>
            accuracy(net.call(task.inputsOf(examples)), task.targetsOf(examples)),
        }
      : undefined,
    calls: {
      test: () => views.test(),
      plane: (side: number, small: number) => views.plane(side, small),
      curve: (count: number) => views.curve(count),
      weights: () => views.weights(),
      activations: (input: Float32Array) => views.activations(input),
      example: (index: number) => views.example(index),
      classify: (pixels: Float32Array) => views.classify(pixels),
      readDrawing,
      /** Fetches Fashion-MNIST for the next run, while this one goes on. */
      async fetchFashion() {
        await loadFashion("published", progress);
      },
    },
    live: {
      rate(value: number) {
        if (schedule === "constant") (optimizer as { learningRate: unknown }).learningRate = value;
        else {
          using next: Tensor = tensor(value);
          base.assign(next);
        }
      },
      speed(value: JobSettings["speed"]) {
        pause = PAUSES[value];
      },
    },
    onEvent: async ({ event }) => {
      if (event === "recovered" || event === "deviceChosen") {
        views.dispose(); // what lay on the device before
        reader = null;
      }
      if (pause > 0) await new Promise((go) => setTimeout(go, pause));
    },
    dispose() {
      views.dispose();
      for (const part of [model, optimizer, base, task]) part.dispose();
    },
  };
});
