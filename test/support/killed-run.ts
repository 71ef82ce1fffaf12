import type { DeviceNews } from "../../src/graph/device.ts";
import { type Device, init, setDefaultDevice } from "../../src/index.ts";
import { type StepRecord, trainStep } from "../../src/train/index.ts";
import { smallRun } from "./small-run.ts";

/** What a run has come to. */
export interface KilledRun {
  readonly kind: string;
  readonly bits: number[][];
  readonly losses: number[];
  readonly news: DeviceNews[];
  readonly seconds: number;
}

/**
 * Trains for some steps as a user would, with nothing that knows of losses but what counts them.
 * @param kill called at the steps that `at` names; the loss itself becomes known later.
 * @param reproducible whether kernels stay what they are.
 */
export async function trainThrough(
  steps: number,
  mirrorEvery: number | undefined,
  at: readonly number[],
  kill: () => unknown,
  reproducible = false,
): Promise<KilledRun> {
  const { device } = await init({ device: "webgpu", isolated: true, reproducible });
  setDefaultDevice(device);
  const news: DeviceNews[] = [];
  (device as Device).listeners.add((one) => void news.push(one));

  const begun = performance.now();
  const { model, optimizer, loss, loader } = smallRun();
  const step = trainStep({ model, optimizer, loss, mirrorEvery });
  const records: StepRecord[] = [];
  for (let epoch = 0; step.next < steps; epoch++) {
    for await (using batch of loader.epoch(epoch)) {
      if (at.includes(step.next)) await kill();
      await step(batch);
      if (step.next % 20 === 0) records.push(...(await step.read()));
    }
  }
  const states = [...model.state().values(), ...optimizer.state().values()];
  const values = await Promise.all(states.map((state) => state.data()));
  const seconds = (performance.now() - begun) / 1000;

  const bits = values.map((x) => Array.from(new Uint32Array(x.buffer)));
  const losses = records.map((record) => record.loss);
  const { kind } = device;
  step.dispose();
  device.dispose();
  return { kind, bits, losses, news, seconds };
}
