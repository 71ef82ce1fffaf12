// The script of a worker that trains on two clouds of points, for tests.

import { ShapeError } from "../../src/core/errors.ts";
import { init, sigmoid, softmax, tensor } from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Linear, type Module, Sequential } from "../../src/nn/index.ts";
import { OptimizerGroup, SAM, SGD } from "../../src/optim/index.ts";
import { trainJob } from "../../src/worker/index.ts";

export interface Settings {
  readonly learningRate: number;
  readonly epochs: number;
  readonly fault?: "setup" | "loss" | "nan" | "exit" | "job" | "part" | "note";
  /** How long the set-up takes, in milliseconds. */
  readonly wait?: number;
  readonly around?: "SAM" | "OptimizerGroup";
}

export const blobs = () => {
  const at = (i: number) => (i % 2 === 0 ? 1 : -1);
  const points = Array.from({ length: 40 }, (_, i) => [at(i) + (i % 5) / 9, at(i) - (i % 3) / 9]);
  return { x: points, labels: points.map((_, i) => i % 2) };
};

export const network = () =>
  new Sequential({
    hidden: new Linear(2, 4, { seed: 1 }),
    sigmoid,
    output: new Linear(4, 2, { seed: 2 }),
  });

export default trainJob(async (settings: Settings, tell: (note: { text: string }) => void) => {
  const { device } = await init({ device: "cpu" });
  tell({ text: `set up on ${device.kind}` });
  if (settings.fault === "setup") throw new ShapeError("setup: nothing fits");
  if (settings.fault === "exit") globalThis.process ? process.exit(3) : close();
  if (settings.fault === "job") return null as never;
  if (settings.fault === "note") setTimeout(() => tell((() => {}) as never));
  await new Promise((resolve) => setTimeout(resolve, settings.wait ?? 0));
  const { x, labels } = blobs();
  const model = network();
  const scale = settings.fault === "nan" ? Number.POSITIVE_INFINITY : 1;
  const batches = [0, 1].map((k) => ({
    x: tensor(x.slice(20 * k, 20 * k + 20)).mul(scale),
    labels: tensor(labels.slice(20 * k, 20 * k + 20), { dtype: "i32" }),
  }));
  const seen: number[] = [];
  const sgd = new SGD(model.parameters(), { learningRate: settings.learningRate });
  const rates = () => sgd.learningRate;
  const around = { SAM: () => new SAM(sgd), OptimizerGroup: () => new OptimizerGroup([sgd]) };
  return {
    model,
    optimizer: settings.around ? around[settings.around]() : sgd,
    loss: (net: Module, batch: (typeof batches)[0]) => {
      if (settings.fault === "loss") throw new TypeError("loss: no such thing");
      return crossEntropy(net.call(batch.x), batch.labels);
    },
    loader: settings.fault === "part" ? (5 as never) : batches,
    epochs: settings.epochs,
    metricsEvery: 1,
    capture: ["hidden"],
    onEvent: ({ event, step }) => {
      if (event === "step") seen.push(step);
    },
    onEnd: ({ step }) => tell({ text: `ended at ${step}` }),
    live: { gravity: (value: number) => tell({ text: `gravity ${value}` }) },
    calls: {
      predict: async (point: readonly number[]) => {
        using y = softmax(model.call(tensor([[...point]])));
        return Array.from(await y.data());
      },
      steps: () => seen.length,
      rate: () => rates() as number,
      fail: (name: "RangeError" | "null") => {
        throw name === "null" ? null : new RangeError("fail: out of it");
      },
    },
    dispose() {
      tell({ text: "freed" });
      model.dispose();
      sgd.dispose();
    },
  };
});
