import { compile, type Tensor, tensor } from "gradus";
import { BatchSampler, type TensorBatch } from "gradus/data";
import { meanSquaredError } from "gradus/losses";
import type { Module } from "gradus/nn";
import { Adam, clipByGlobalNorm, cosineDecay } from "gradus/optim";
import { trainStep } from "gradus/train";
import { NETWORKS } from "./network.ts";
import { datasetOf, type SeriesOptions, type Windows } from "./series.ts";

/** What fixes a run. */
export interface Settings extends SeriesOptions {
  readonly steps: number;
  /** Windows in each step. */
  readonly batchSize: number;
  /** Adam's at the first step; it falls to 0 along a cosine. */
  readonly learningRate: number;
  /** Values of the LSTM's state, and channels of the convolutions. */
  readonly hidden: number;
}

/** How far a run has come. */
export interface Progress {
  readonly step: number;
  /** The mean squared error of the steps since the last report. */
  readonly loss: number;
}

/** What a run gave. */
export interface ForecastResult {
  readonly model: Module;
  readonly history: readonly Progress[];
  readonly step: number;
}

/** Steps between two reports. */
export const EVERY = 100;

/** Trains a network on windows. */
export async function trainForecaster(
  network: keyof typeof NETWORKS,
  windows: Windows,
  settings: Settings,
  options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<ForecastResult> {
  const { steps, batchSize, learningRate, seed } = settings;
  const data = datasetOf(windows);
  const model: Module = new NETWORKS[network](settings);
  const optimizer = new Adam(model.parameters(), {
    learningRate: cosineDecay(learningRate, { steps }),
    clip: (gradients: readonly Tensor[]) => clipByGlobalNorm(gradients, 1).gradients,
  });
  const sampler = new BatchSampler({ size: data.size, batchSize, seed, dropLast: true });
  const step = trainStep({
    model,
    optimizer,
    loss: (net, { inputs, targets }: TensorBatch<"inputs" | "targets">) =>
      meanSquaredError(net.call(inputs), targets),
    batchAt: (number) => data.batchAt(number, sampler),
  });
  const history: Progress[] = [];
  while (step.next < steps && !options.signal?.aborted) {
    await step();
    if (step.next % EVERY !== 0 && step.next !== steps) continue;
    const losses = (await step.read()).map(({ loss }) => loss);
    const loss = losses.reduce((sum, x) => sum + x, 0) / losses.length;
    history.push({ step: step.next, loss });
    options.onProgress?.({ step: step.next, loss });
  }
  const made = step.next;
  for (const held of [step, optimizer, data]) held.dispose();
  return { model, history, step: made };
}

/** Windows forecast at a time. */
const MOST = 512;

/** Gives a network's forecasts of windows, row by row. */
export async function forecast(model: Module, windows: Windows): Promise<Float32Array> {
  const { count, window, horizon, inputs } = windows;
  const made = new Float32Array(count * horizon);
  const run = compile((x: Tensor) => model.call(x));
  for (let start = 0; start < count; start += MOST) {
    const part = inputs.subarray(start * window, (start + MOST) * window);
    using x = tensor(part, { shape: [part.length / window, window, 1] });
    using y = await run(x);
    made.set(await y.data(), start * horizon);
  }
  run.dispose();
  return made;
}
