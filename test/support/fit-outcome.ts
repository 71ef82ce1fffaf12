import { expect } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import type { Store } from "../../src/io/index.ts";
import { accuracy } from "../../src/metrics/index.ts";
import type { Module } from "../../src/nn/index.ts";
import {
  Checkpoint,
  type EpochEvent,
  type FitOptions,
  fit,
  type StepEvent,
} from "../../src/train/index.ts";
import { bitsOf, smallData, smallRun } from "./small-run.ts";

export type Bytes = Uint8Array<ArrayBuffer>;
export type Options = Partial<FitOptions<Module, Batch>>;

/** Keeps all that was written to it. */
export function memoryStore(): Store & { readonly written: Bytes[] } {
  const written: Bytes[] = [];
  return {
    written,
    read: async () => written.at(-1) ?? null,
    write: async (bytes) => void written.push(bytes),
  };
}

export const metrics = {
  accuracy: (net: Module, { images, labels }: Batch) => accuracy(net.call(images), labels),
};

/** Reports without what differs from run to run. */
function withoutTimes<T extends StepEvent | EpochEvent>(events: readonly T[]): T[] {
  return events.map((event) => {
    return { ...event, stepsPerSecond: 0, secondsLeft: 0 };
  });
}

/** A run of two epochs of some steps: bits, history and the reports of its steps. */
export async function outcome(make: () => ReturnType<typeof smallRun>, options: Options) {
  const run = make();
  const steps: StepEvent[] = [];
  const note = { onStep: (event: StepEvent) => void steps.push(event) };
  const { history, step, stopped, end } = await fit<Module, Batch>({
    ...run,
    epochs: 2,
    metrics,
    metricsEvery: 1,
    validationData: smallData(7, 20),
    ...options,
    callbacks: [note, ...(options.callbacks ?? [])],
  });
  return {
    bits: await bitsOf(run),
    history: withoutTimes(history),
    steps: withoutTimes(steps),
    step,
    stopped,
    end,
  };
}

/** Saves runs between steps, resumes each, and compares what they come to. */
export async function expectResumable(batchSize: number, options: Options): Promise<void> {
  const make = () => smallRun(undefined, batchSize);
  const spread = { ...options, metricsEvery: 2 };
  const straight = await outcome(make, spread);
  const to = memoryStore();
  const save = () => new Checkpoint({ to, every: { steps: 3 } });
  expect(await outcome(make, { ...spread, callbacks: [save()] })).toEqual(straight);
  expect(to.written.length).toBeGreaterThan(1);
  for (const resume of to.written.slice()) {
    const again = await outcome(make, { ...spread, resume, callbacks: [save()] });
    expect(again.bits).toEqual(straight.bits);
    expect(again.history).toEqual(straight.history);
    expect(again.steps).toEqual(straight.steps.slice(straight.steps.length - again.steps.length));
  }
}
