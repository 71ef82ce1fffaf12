import type { Device, Tensor } from "../../src/index.ts";
import type { Module } from "../../src/nn/index.ts";
import type { Adam, SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { counting } from "./counting.ts";
import type { Steps } from "./peer.ts";

/** What is trained, by what, and on which batches in turn. */
interface Training<M, B> {
  readonly model: M;
  readonly optimizer: Adam | SGD;
  readonly batches: readonly B[];
  readonly loss: (model: M, batch: B) => Tensor;
}

/** Steps of a model on a device, by `trainStep`; they end with all that they were given. */
export function stepsOf<M extends Module, B extends Readonly<Record<string, Tensor>>>(
  device: Device,
  { model, optimizer, batches, loss }: Training<M, B>,
): Steps<void> {
  const step = trainStep({ model, optimizer, loss });
  return {
    step: (number) => step(batches[number % batches.length]),
    read: async () => {
      const records = await step.read();
      return records[records.length - 1].loss;
    },
    drop: () => {},
    made: counting(device),
    dispose: () => {
      for (const part of [step, model, optimizer]) part.dispose();
      for (const x of batches.flatMap((batch) => Object.values(batch))) x.dispose();
    },
  };
}
