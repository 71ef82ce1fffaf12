import { afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import type { State } from "../../src/index.ts";
import type { Module } from "../../src/nn/index.ts";
import {
  Checkpoint,
  evaluateAccuracy,
  evaluateMeans,
  type FitOptions,
  fit,
  type MeasureEvent,
  RunControl,
  type StepEvent,
  type TrainEvent,
  train,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { memoryStore, metrics } from "../support/fit-outcome.ts";
import { PATIENT } from "../support/patient.ts";
import { bitsOf, smallData, smallRun } from "../support/small-run.ts";

beforeAll(async () => {
  await testDevice();
});
afterEach(() => {
  vi.restoreAllMocks();
});

/** Two epochs of four steps; gives the bits that they come to. */
async function bitsAfter(options: Partial<FitOptions<Module, Batch>> = {}, run = smallRun()) {
  const result = await fit<Module, Batch>({ ...run, epochs: 2, metricsEvery: 1, ...options });
  return { ...result, bits: await bitsOf(run) };
}

/** Waits until a run has reported all steps that it has made. */
async function whenTold(counter: State, step: () => number | undefined): Promise<void> {
  await vi.waitUntil(async () => step() === (await counter.item()), PATIENT);
}

const later = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("a pause", () => {
  test("makes no step until the run may go on, and changes no bit", async () => {
    const run = smallRun();
    const control = new RunControl();
    const steps: number[] = [];
    const resume = async () => {
      await whenTold(run.optimizer.counter, () => steps.at(-1));
      const made = steps.length;
      await later(50);
      const still = steps.length;
      control.resume();
      return [made, still];
    };
    let counts: Promise<number[]> | undefined;
    const onStep = ({ step }: { step: number }) => {
      steps.push(step);
      if (step !== 3) return;
      control.pause();
      counts = resume();
    };
    const paused = await bitsAfter({ control, callbacks: [{ onStep }] }, run);
    const [made, still] = (await counts) as number[];
    expect(still).toBe(made);
    expect(made).toBeLessThan(8);
    expect(control.paused).toBe(false);
    expect(steps).toEqual([1, 2, 3, 4, 5, 6, 7, 8]);
    expect(paused.bits).toEqual((await bitsAfter()).bits);
  });

  test("before the first step keeps all as it is, and what was enqueued is reported", async () => {
    const { model, optimizer, loss, loader } = smallRun();
    const control = new RunControl();
    control.pause();
    const seen: TrainEvent[] = [];
    const all = (async () => {
      for await (const event of train({
        model,
        optimizer,
        loss,
        loader,
        epochs: 1,
        control,
        metricsEvery: 1,
      })) {
        seen.push(event);
        if (event.step === 1) control.pause();
      }
    })();
    await later(20);
    expect(seen).toEqual([]);
    expect(await optimizer.counter.item()).toBe(0);
    control.resume();
    await vi.waitUntil(() => control.paused, PATIENT);
    await whenTold(optimizer.counter, () => seen.at(-1)?.step);
    control.resume();
    await all;
    expect(seen.at(-1)).toMatchObject({ event: "epoch", step: 4 });
  });

  test("ends by the signal too, and leaves nothing behind", async () => {
    const control = new RunControl();
    const stop = new AbortController();
    const { signal } = stop;
    const [add, remove] = (["addEventListener", "removeEventListener"] as const).map((name) =>
      vi.spyOn(signal, name),
    );
    const onStep = ({ step }: { step: number }) => {
      if (step !== 2) return;
      control.pause();
      void vi.waitUntil(() => add.mock.calls.length > 0, PATIENT).then(() => stop.abort());
    };
    const { end, step } = await bitsAfter({ control, signal, callbacks: [{ onStep }] });
    expect(end).toEqual({ by: "signal" });
    expect(step).toBeLessThan(8);
    expect(control.paused).toBe(true);
    expect(remove.mock.calls).toEqual([["abort", expect.any(Function)]]);
  });

  test("is waited for by all who ask, and by nobody where there is none", async () => {
    const control = new RunControl();
    await control.ready();
    control.pause();
    await control.ready(AbortSignal.abort());
    const stop = new AbortController();
    const done: string[] = [];
    const waits = [
      control.ready().then(() => done.push("resumed")),
      control.ready(stop.signal).then(() => done.push("stopped")),
    ];
    await later(0);
    expect(done).toEqual([]);
    stop.abort();
    await waits[1];
    expect(done).toEqual(["stopped"]);
    control.resume();
    await waits[0];
    expect(done).toEqual(["stopped", "resumed"]);
  });

  test("does not count as time of steps", async () => {
    let ahead = 0;
    const now = performance.now.bind(performance);
    vi.spyOn(performance, "now").mockImplementation(() => now() + ahead);
    const control = new RunControl();
    const onStep = ({ step }: { step: number }) => {
      if (step !== 2) return;
      control.pause();
      setTimeout(() => {
        ahead = 1e6; // 4 steps in this time are 0.004 a second
        control.resume();
      }, 20);
    };
    const { history } = await bitsAfter({ control, callbacks: [{ onStep }] });
    expect(history[0].stepsPerSecond).toBeGreaterThan(0.1);
  });
});

test("the pace is that of steps, also where their reports wait and come at once", async () => {
  let ahead = 0;
  const now = performance.now.bind(performance);
  vi.spyOn(performance, "now").mockImplementation(() => now() + ahead);
  const rates: number[] = [];
  const onStep = async ({ step, stepsPerSecond }: StepEvent) => {
    rates.push(stepsPerSecond);
    if (step !== 1) return;
    await later(200); // steps 2 and 3 are under way, and are done by then
    ahead = 1e6;
  };
  await bitsAfter({ callbacks: [{ onStep }] });
  expect(rates[1]).toBeGreaterThan(0.1); // one step in 1e6 ms is 0.001 a second
  expect(rates[2]).toBeGreaterThan(0.1);
});

describe("measuring within an epoch", () => {
  test("reports exact steps, before the next one is made, and changes no bit", async () => {
    const validationData = smallData(7, 20);
    const run = smallRun();
    const measured: MeasureEvent[] = [];
    const expected: unknown[] = [];
    const { bits } = await bitsAfter(
      {
        measureEvery: 2,
        metrics,
        validationData,
        testData: validationData,
        callbacks: [
          {
            onMeasure: async (event, { step }) => {
              measured.push(event);
              const loss = await evaluateMeans(run.model, validationData, { loss: run.loss });
              const accuracy = await evaluateAccuracy(run.model, validationData);
              expected.push({
                event: "measure",
                epoch: Math.floor(step / 4),
                step,
                validationLoss: loss.loss,
                validationMetrics: { accuracy: expect.closeTo(accuracy, 6) },
                testAccuracy: accuracy,
              });
            },
          },
        ],
      },
      run,
    );
    expect(measured).toEqual(expected);
    expect(measured.map(({ step }) => step)).toEqual([2, 6]); // after 4 and 8 an epoch reports
    expect(bits).toEqual((await bitsAfter({ metrics })).bits);
  });

  test("comes after the reports of its steps, and gives way where nothing is to be measured", async () => {
    const { model, optimizer, loss, loader } = smallRun();
    const seen: string[] = [];
    for await (const { event, step } of train({
      ...{ model, optimizer, loss, loader },
      epochs: 1,
      metricsEvery: 1,
      measureEvery: 1,
    })) {
      seen.push(`${event} ${step}`);
      if (event === "measure") expect(await optimizer.counter.item()).toBe(step);
    }
    const within = [1, 2, 3].flatMap((step) => [`step ${step}`, `measure ${step}`]);
    expect(seen).toEqual([...within, "step 4", "epoch 4"]);
  });

  test("a run goes on from a checkpoint that was saved there", async () => {
    const straight = await bitsAfter({ measureEvery: 2 });
    const to = memoryStore();
    const save = new Checkpoint({ to });
    const bytes: Uint8Array[] = [];
    await bitsAfter({
      measureEvery: 2,
      callbacks: [save, { onMeasure: async (_, run) => void bytes.push(await run.checkpoint()) }],
    });
    expect(bytes).toHaveLength(2);
    for (const resume of bytes) {
      const steps: number[] = [];
      const onMeasure = ({ step }: MeasureEvent) => void steps.push(step);
      const again = await bitsAfter({
        measureEvery: 2,
        resume,
        callbacks: [new Checkpoint({ to: memoryStore() }), { onMeasure }],
      });
      expect(again.bits).toEqual(straight.bits);
      expect(steps).toEqual(resume === bytes[0] ? [6] : []);
    }
  });
});

test("a learning rate that is set while a run goes on holds from the next step", async () => {
  const run = smallRun(0.05);
  let held: number[][] = [];
  const weights = () => Promise.all(run.model.parameters().map(async (p) => [...(await p.data())]));
  const onMeasure = async () => {
    run.optimizer.learningRate = 0;
    held = await weights();
  };
  await bitsAfter({ epochs: 1, measureEvery: 2, callbacks: [{ onMeasure }] }, run);
  expect(await weights()).toEqual(held);
  run.optimizer.learningRate = 0.05;
  await bitsAfter({ epochs: 1 }, run);
  expect(await weights()).not.toEqual(held);
});
