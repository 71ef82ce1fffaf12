import { beforeAll, describe, expect, test } from "vitest";
import { ShapeError } from "../../src/core/errors.ts";
import { loadSafetensors } from "../../src/io/portable.ts";
import { NonFiniteLossError, RunControl } from "../../src/train/index.ts";
import { type AnyWorker, trainInWorker, trainJob } from "../../src/worker/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import type job from "./blobs-job.ts";
import type { Settings } from "./blobs-job.ts";

beforeAll(() => testDevice());

async function startWorker(): Promise<AnyWorker> {
  if (inBrowser) return new Worker(new URL("./blobs-job.ts", import.meta.url), { type: "module" });
  const { startNodeJob } = await import("../support/node-job.ts");
  return startNodeJob("test/worker/blobs-job.ts");
}

const settings: Settings = { learningRate: 0.5, epochs: 3 };

async function open(given: Partial<Settings> = {}, options = {}) {
  const worker = await startWorker();
  const run = trainInWorker<typeof job>(worker, { ...settings, ...given }, options);
  return { worker, run, [Symbol.asyncDispose]: async () => {} };
}

describe("a run in a worker", () => {
  test("tells of its steps, captures and notes, and answers calls", async () => {
    const { worker, run } = await open();
    const steps: number[] = [];
    const losses: number[] = [];
    const notes: string[] = [];
    for await (const event of run) {
      if (event.event === "note") notes.push(event.note.text);
      if (event.event !== "step") continue;
      steps.push(event.step);
      losses.push(event.loss);
      expect(event.values?.hidden.shape).toEqual([20, 4]);
      expect(event.values?.hidden.data).toHaveLength(80);
    }
    expect(await run.done).toEqual({ step: 6, stopped: false });
    expect(steps).toEqual([1, 2, 3, 4, 5, 6]);
    expect(losses[5]).toBeLessThan(losses[0]);
    expect(notes).toEqual(["set up on cpu", "ended at 6"]);
    const [first, second] = await run.call("predict", [1, 1]);
    expect(first + second).toBeCloseTo(1, 5);
    expect(await run.call("steps")).toBe(6);
    await expect(run.call("stepz" as "steps")).rejects.toThrow(
      'trainInWorker: call of "stepz"; expected one of predict, steps',
    );

    const bytes = await run.save();
    expect([...loadSafetensors(bytes).keys()].sort()).toEqual([
      "hidden.bias",
      "hidden.weight",
      "output.bias",
      "output.weight",
    ]);
    // The same worker again, with what the first run has learnt.
    const again = trainInWorker<typeof job>(worker, { ...settings, epochs: 0 });
    await again.done.catch(() => {});
    await again.load(bytes);
    expect(await again.call("predict", [1, 1])).toEqual([first, second]);
    await again.close();
    await expect(again.save()).rejects.toThrow("trainInWorker: the run was closed");
    worker.terminate();
  });

  test("pauses, makes single steps, takes another rate and stops", async () => {
    const { worker, run } = await open({ epochs: 10_000 });
    await run.ready;
    await run.pause();
    const paused = await run.call("steps");
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(await run.call("steps")).toBe(paused);
    await run.step(4);
    expect(await run.call("steps")).toBe(paused + 4);
    const before = await run.call("predict", [1, 1]);
    await run.set({ learningRate: 0, gravity: 3 });
    await run.step(2);
    expect(await run.call("steps")).toBe(paused + 6);
    expect(await run.call("predict", [1, 1])).toEqual(before);
    await run.set({ learningRate: 0.5 });
    await run.step();
    expect(await run.call("predict", [1, 1])).not.toEqual(before);
    await run.pause();
    await expect(run.set({ learningrate: 1 } as never)).rejects.toThrow(
      'trainInWorker: set "learningrate"; expected one of learningRate, gravity',
    );
    await expect(run.step(0)).rejects.toThrow("count 0; expected an integer from 1");
    await run.resume();
    const other = trainInWorker<typeof job>(worker, settings);
    await expect(other.done).rejects.toThrow("a run goes on in this worker");
    await run.stop();
    expect((await run.done).stopped).toBe(true);
    worker.terminate();
  });

  test("ends by a signal", async () => {
    const stop = new AbortController();
    const { worker, run } = await open({ epochs: 10_000 }, { signal: stop.signal });
    await run.ready;
    stop.abort();
    expect((await run.done).stopped).toBe(true);
    worker.terminate();
  });

  test("has errors of the job with their own classes", async () => {
    for (const [fault, kind, text] of [
      ["setup", ShapeError, "setup: nothing fits"],
      ["loss", Error, "loss: no such thing"],
      ["nan", NonFiniteLossError, /^train: loss NaN at step 1 in epoch 0/],
    ] as const) {
      const { worker, run } = await open({ fault });
      const error = await run.done.then(
        () => null,
        (thrown: Error) => thrown,
      );
      expect(error).toBeInstanceOf(kind);
      expect(error?.message).toMatch(text);
      expect(error?.name).toBe(fault === "loss" ? "TypeError" : kind.name);
      if (error instanceof NonFiniteLossError) expect(error.epoch).toBe(0);
      await expect(
        (async () => {
          for await (const _ of run);
        })(),
      ).rejects.toBe(error);
      worker.terminate();
    }
  });
});

test.runIf(!inBrowser)("a worker that ends is told of to all who wait", async () => {
  const { run } = await open({ fault: "exit" });
  await expect(run.done).rejects.toThrow("trainInWorker: the worker ended (exit code 3)");
  await expect(run.save()).rejects.toThrow("trainInWorker: the worker ended");
});

test.runIf(inBrowser)("a script that does not load is told of, and closing ends it", async () => {
  const run = trainInWorker(new URL("./nowhere.ts", import.meta.url), settings);
  await expect(run.done).rejects.toThrow("trainInWorker: the worker ended");
  await run.close();
});

test("what is no worker is refused, outside of one too", () => {
  expect(() => trainInWorker(5 as never, settings)).toThrow(
    "trainInWorker: worker 5; expected a Worker, or the URL of its script",
  );
  expect(() => trainJob(() => ({}) as never)).toThrow(/^trainJob: called outside of a worker/);
  expect(() => new RunControl().step(0)).toThrow(
    "RunControl: step: count 0; expected an integer from 1",
  );
});
