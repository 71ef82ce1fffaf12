import { beforeAll, expect, test } from "vitest";
import { DataLoader } from "../../src/data/index.ts";
import { evaluate, tensor } from "../../src/index.ts";
import { readSafetensors } from "../../src/io/index.ts";
import {
  BestWeights,
  Checkpoint,
  csvLog,
  EarlyStopping,
  type EpochEvent,
  fit,
  onMetric,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { expectResumable, memoryStore, type Options, outcome } from "../support/fit-outcome.ts";
import { held } from "../support/memory.ts";
import { bitsOf, smallData, smallRun } from "../support/small-run.ts";

beforeAll(() => testDevice());

test.each([
  ["batches that steps take themselves", 2],
  ["batches of the loader, the last one shorter", 3],
])("a run may go on within an epoch: %s", async (_, batchSize) => {
  await expectResumable(batchSize, {});
});

test("a run that a signal stops is saved where it stands", async () => {
  for (const steps of [3, 4, 5]) {
    const straight = await outcome(smallRun, { metricsEvery: 2 });
    // Asked once before the first batch, and twice at each.
    let asked = 0;
    const signal = {
      get aborted() {
        return asked++ > 2 * steps;
      },
    } as AbortSignal;
    const to = memoryStore();
    const callbacks = [new Checkpoint({ to, every: { epochs: 2 } })];
    const stopped = await outcome(smallRun, { metricsEvery: 2, signal, callbacks });
    expect(stopped.stopped).toBe(true);
    expect(to.written).toHaveLength(1);
    const resume = await to.read();
    const resumed = await outcome(smallRun, { metricsEvery: 2, resume });
    expect(resumed.bits).toEqual(straight.bits);
    expect(resumed.history).toEqual(straight.history);
    expect(resumed.steps).toEqual(straight.steps.slice(-resumed.steps.length));
  }
});

test("the history has losses and metrics, on batches and on held-out examples", async () => {
  const { history } = await outcome(smallRun, { trainData: smallData(20), testData: smallData(9) });
  expect(history.map(({ epoch, step }) => [epoch, step])).toEqual([
    [0, 4],
    [1, 8],
  ]);
  const [first] = history;
  expect(first.loss).toBeGreaterThan(0.5);
  expect(first.metrics?.accuracy).toBeGreaterThan(0);
  expect(first.validationLoss).toBeGreaterThan(0.5);
  expect(Object.keys(first.validationMetrics ?? {})).toEqual(["accuracy"]);
  for (const share of [
    first.trainAccuracy,
    first.testAccuracy,
    first.validationMetrics?.accuracy,
  ]) {
    expect(share).toBeGreaterThanOrEqual(0);
    expect(share).toBeLessThanOrEqual(1);
  }
});

test("an early stop that is resumed stops at the same epoch with the same states", async () => {
  const values = [5, 3, 4, 3.5, 2.5];
  const stopping = () =>
    new EarlyStopping({ monitor: ({ epoch }) => values[epoch], patience: 2, restoreBest: true });
  const straight = await outcome(smallRun, { epochs: 5, callbacks: [stopping()] });
  expect(straight.history).toHaveLength(4);
  const to = memoryStore();
  const callbacks = () => [new Checkpoint({ to }), stopping()];
  await outcome(smallRun, { epochs: 5, callbacks: callbacks() });
  expect(to.written).toHaveLength(4);
  for (const resume of to.written.slice(0, 3)) {
    const again = await outcome(smallRun, { epochs: 5, callbacks: callbacks(), resume });
    expect(again.bits).toEqual(straight.bits);
    expect(again.history).toEqual(straight.history);
  }
});

test("more is better for accuracies and by choice; NaN never is", async () => {
  const stopsAt = async (values: number[], mode?: "max") => {
    const monitor = ({ epoch }: EpochEvent) => values[epoch];
    const stopping = new EarlyStopping({ monitor, patience: 1, mode });
    const { history } = await fit({
      ...smallRun(),
      epochs: values.length,
      callbacks: [stopping],
    });
    return history.length;
  };
  expect(await stopsAt([1, 2, 3], "max")).toBe(3);
  expect(await stopsAt([1, 2, 3])).toBe(2);
  expect(await stopsAt([Number.NaN, 2, 1])).toBe(1);
  const seen: number[] = [];
  const watched = (["trainAccuracy", "testAccuracy"] as const).map(
    (monitor) => new EarlyStopping({ monitor, patience: 50 }),
  );
  expect(watched.map(({ bestEpoch, bestValue }) => [bestEpoch, bestValue])).toEqual([
    [-1, Number.NaN],
    [-1, Number.NaN],
  ]);
  const note = { onEpoch: ({ testAccuracy }: EpochEvent) => void seen.push(testAccuracy ?? 0) };
  const data = { trainData: smallData(20), testData: smallData(20) };
  await fit({ ...smallRun(0.05), epochs: 20, ...data, callbacks: [note, ...watched] });
  expect(Math.min(...seen)).toBeLessThan(Math.max(...seen));
  for (const { bestValue, bestEpoch } of watched) {
    expect([bestValue, bestEpoch]).toEqual([Math.max(...seen), seen.indexOf(bestValue)]);
  }
});

test("reports hold what was measured, and nothing else", async () => {
  const names = async (options: Options) => {
    const events: object[] = [];
    const note = (event: object) => void events.push(event);
    const callbacks = [{ onStep: note, onEpoch: note }];
    await fit({ ...smallRun(), epochs: 1, metricsEvery: 4, callbacks, ...options });
    return events.map((event) => {
      const told = Object.entries(event).filter(([, value]) => value !== undefined);
      return told.map(([name]) => name);
    });
  };
  const step = ["event", "epoch", "step", "steps", "loss", "stepsPerSecond", "secondsLeft"];
  const epoch = ["event", "epoch", "step", "loss", "stepsPerSecond"];
  expect(await names({})).toEqual([step, epoch]);
  const [, measured] = await names({ validationData: smallData(4) });
  expect(measured.toSorted()).toEqual([...epoch, "validationLoss"].toSorted());
});

test("the first epoch may be the best, and without a best one the states stay", async () => {
  const endsAt = async (values: number[]) => {
    const run = smallRun(0.05);
    const monitor = ({ epoch }: EpochEvent) => values[epoch];
    const stopping = new EarlyStopping({ monitor, patience: 9, restoreBest: true });
    await fit({ ...run, epochs: values.length, callbacks: [stopping] });
    return bitsOf(run);
  };
  const [one, two] = [smallRun(0.05), smallRun(0.05)];
  await fit({ ...one, epochs: 1 });
  await fit({ ...two, epochs: 2 });
  const weights = (bits: Awaited<ReturnType<typeof bitsOf>>) => String(bits[0]);
  expect(weights(await endsAt([1, 2]))).toBe(weights(await bitsOf(one)));
  expect(weights(await endsAt([Number.NaN, Number.NaN]))).toBe(weights(await bitsOf(two)));
});

test("a run is saved every so many epochs, counted from its last save", async () => {
  const [to, saved] = [memoryStore(), [] as number[]];
  const write = (bytes: Uint8Array<ArrayBuffer>) => {
    saved.push(JSON.parse(readSafetensors(bytes).metadata.values).history.length);
    return to.write(bytes);
  };
  const callbacks = [new Checkpoint({ to: { ...to, write }, every: { epochs: 2 } })];
  await fit({ ...smallRun(), epochs: 7, callbacks });
  expect(saved).toEqual([2, 4, 6, 7]);
});

test("a listener may have no state, and is told of a number that epochs lack", async () => {
  const to = memoryStore();
  const listener = () => onMetric({ update() {} }, "loss");
  await fit({ ...smallRun(), epochs: 1, callbacks: [listener(), new Checkpoint({ to })] });
  const callbacks = [listener(), new Checkpoint({ to })];
  const { history } = await fit({ ...smallRun(), epochs: 2, callbacks, resume: await to.read() });
  expect(history).toHaveLength(2);
  for (const [monitor, what] of [
    [undefined, "validationLoss"],
    [() => undefined, "number from its monitor"],
  ] as const) {
    const watching = [onMetric({ update() {} }, monitor)];
    const lacking = fit({ ...smallRun(), epochs: 1, callbacks: watching });
    await expect(lacking).rejects.toThrow(
      `onMetric: no ${what} in epoch 0; expected one. ` +
        "Give fit the data to measure it on, or watch another number",
    );
  }
});

test("copies of a model's states go with their scope", async () => {
  const { model } = smallRun();
  const states = [...model.state().values()];
  evaluate(...states);
  const before = held(await testDevice());
  {
    using best = new BestWeights(model);
    evaluate(...best.state().values());
    expect(held(await testDevice())).toBe(before + states.length);
  }
  expect(held(await testDevice())).toBe(before);
});

test("the best model is saved apart from the run", async () => {
  const values = [3, 1, 2];
  const best = memoryStore();
  const monitor = ({ epoch }: EpochEvent) => values[epoch];
  await fit({ ...smallRun(), epochs: 3, callbacks: [new Checkpoint({ best, monitor })] });
  expect(best.written).toHaveLength(2);
});

test("a listener learns of each epoch's number, and a table is written", async () => {
  const seen: number[] = [];
  const lines: string[] = [];
  const callbacks = [
    onMetric({ update: (x) => seen.push(x) }, "loss"),
    csvLog((line) => lines.push(line)),
  ];
  const { history } = await outcome(smallRun, { callbacks });
  expect(seen).toEqual(history.map(({ loss }) => loss));
  expect(lines).toHaveLength(3);
  expect(lines[0]).toBe(
    "epoch,step,loss,validationLoss,stepsPerSecond,accuracy,validation accuracy\n",
  );
  const [epoch, step, loss] = lines[2].split(",").map(Number);
  expect([epoch, step, loss]).toEqual([1, 8, history[1].loss]);
});

test("a table's cells are quoted where a name has a comma, a quote or a line's end", async () => {
  const names = ['"a", b', "c,d", 'e"', "f\r", "g\nh", "i j"];
  const metrics = Object.fromEntries(names.map((name) => [name, () => tensor(1)]));
  const lines: string[] = [];
  const callbacks = [csvLog((line) => lines.push(line))];
  await fit({ ...smallRun(), epochs: 1, metrics, callbacks });
  expect(lines[0]).toBe('epoch,step,loss,stepsPerSecond,"""a"", b","c,d","e""","f\r","g\nh",i j\n');
});

test("callbacks are called in turn, and disposed after an error too", async () => {
  const calls: string[] = [];
  const note = (name: string, isLast = false) => ({
    isLast,
    onStart: () => void calls.push(`start ${name}`),
    onEpoch: async () => void calls.push(`epoch ${name}`),
    onEnd: () => void calls.push(`end ${name}`),
    dispose: () => void calls.push(`dispose ${name}`),
  });
  const run = smallRun();
  await fit({ ...run, epochs: 1, callbacks: [note("b", true), note("a")] });
  expect(calls.join()).toBe("start a,start b,epoch a,epoch b,end a,end b,dispose a,dispose b");
  calls.length = 0;
  const failing = { onEpoch: () => Promise.reject(new Error("no epoch")) };
  const failed = fit({ ...run, epochs: 1, callbacks: [note("a"), failing] });
  await expect(failed).rejects.toThrow("no epoch");
  expect(calls).toEqual(["start a", "epoch a", "dispose a"]);
  calls.length = 0;
  const stuck = {
    dispose: () => {
      throw new Error("cannot be freed");
    },
  };
  const before = held(await testDevice());
  const freed = fit({ ...run, epochs: 1, callbacks: [stuck, note("a")] });
  await expect(freed).rejects.toThrow("cannot be freed");
  expect(calls.at(-1)).toBe("dispose a");
  expect(held(await testDevice())).toBe(before);
});

test("mistakes are told", async () => {
  const run = smallRun();
  // Only what begins as an event's name does is taken for one.
  await fit({ ...run, epochs: 0, callbacks: [{ writesOnPaper() {} } as object] });
  await expect(fit({ ...run, epochs: 1, callbacks: [new EarlyStopping()] })).rejects.toThrow(
    "EarlyStopping: no validationLoss in epoch 0; expected one. " +
      "Give fit the data to measure it on, or watch another number",
  );
  await expect(fit({ ...run, epochs: 0.5 })).rejects.toThrow("fit: epochs 0.5; expected");
  const loader = new DataLoader({ dataset: smallData(20), batchSize: 5 });
  await expect(fit({ ...run, loader, epochs: 1, accumulate: 0 })).rejects.toThrow(
    "fit: accumulate 0; expected an integer from 1",
  );
  expect(() => new EarlyStopping({ patience: 0 })).toThrow("EarlyStopping: patience 0; expected");
  expect(() => new EarlyStopping({ minDelta: -1 })).toThrow("EarlyStopping: minDelta -1; expected");
  expect(() => new Checkpoint({})).toThrow("Checkpoint: no store; expected to or best");
  expect(() => new Checkpoint({ to: memoryStore(), every: { steps: 0 } })).toThrow(
    "Checkpoint: every 0 steps; expected an integer from 1",
  );
});
