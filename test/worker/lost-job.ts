// The script of a worker that trains on a device which, once lost, is made again when it may be, for tests.

import { State, setDefaultDevice, sum, type Tensor, tensor } from "../../src/index.ts";
import { meanSquaredError } from "../../src/losses/index.ts";
import { Linear, type Module } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainJob } from "../../src/worker/index.ts";
import { FragileDevice } from "../support/fragile-device.ts";

export default trainJob(async () => {
  const device = new FragileDevice();
  let goOn = () => {};
  const going = new Promise<void>((resolve) => {
    goOn = resolve;
  });
  device.opening = () => going;
  setDefaultDevice(device);
  const model = new Linear(2, 1, { seed: 1 });
  const optimizer = new SGD(model.parameters(), { learningRate: 0.1 });
  const strength = new State(tensor(1));
  const x = tensor([
    [1, 2],
    [3, 4],
  ]);
  return {
    model,
    optimizer,
    loss: (net: Module, batch: Tensor) =>
      meanSquaredError(net.call(batch), sum(batch, { axis: 1, keepDims: true })),
    loader: [x],
    epochs: 1_000_000,
    metricsEvery: 1,
    onEvent: () => new Promise<void>((resolve) => setTimeout(resolve, 5)),
    live: { strength: (value: number) => strength.assign(tensor(value)) },
    calls: {
      lose: () => device.lose(),
      goOn: () => goOn(),
      isRecovering: () => device.recovering !== null,
      values: async () => [optimizer.learningRate as number, await strength.item()],
    },
    dispose() {
      for (const part of [model, optimizer, strength, x]) part.dispose();
    },
  };
});
