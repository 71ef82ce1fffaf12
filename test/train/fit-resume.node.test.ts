import { beforeAll, expect, test } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { tensor } from "../../src/index.ts";
import { saveCheckpoint } from "../../src/io/index.ts";
import type { Module } from "../../src/nn/index.ts";
import { Adam, cosineDecay, ReduceOnPlateau, SGD } from "../../src/optim/index.ts";
import {
  accumulatedStep,
  type Callback,
  Checkpoint,
  csvLog,
  EarlyStopping,
  fit,
  onMetric,
  type Run,
  type StepEvent,
  trainStep,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { memoryStore, metrics, type Options, outcome } from "../support/fit-outcome.ts";
import { bitsOf, smallData, smallRun } from "../support/small-run.ts";

beforeAll(() => testDevice());

type Make = () => ReturnType<typeof smallRun>;

/** A signal and a callback that stop a run when it has made so many steps. */
function cutAfter(steps: number): { signal: AbortSignal; note: Callback } {
  let run: Run | null = null;
  const signal = {
    get aborted() {
      return run !== null && run.step >= steps;
    },
  } as AbortSignal;
  const onStart = (given: Run) => {
    run = given;
  };
  return { signal, note: { onStart } };
}

/** Runs up to each step, saves, begins anew with what was saved, and compares with no cut at all. */
async function expectCuts(make: Make, options: Options, callbacks: () => Callback[]) {
  const common = { epochs: 3, metricsEvery: 3, ...options };
  const straight = await outcome(make, { ...common, callbacks: callbacks() });
  const chain = memoryStore();
  for (let k = 1; k <= straight.step; k++) {
    const to = memoryStore();
    const { signal, note } = cutAfter(k);
    const first = [note, ...callbacks(), new Checkpoint({ to, every: { epochs: 100 } })];
    const cut = await outcome(make, { ...common, signal, callbacks: first });
    expect([cut.step, cut.end.by]).toEqual([k, "signal"]);
    expect(to.written).toHaveLength(1);
    const rest = [...callbacks(), new Checkpoint({ to, every: { epochs: 100 } })];
    const again = await outcome(make, { ...common, resume: await to.read(), callbacks: rest });
    expect(again.bits).toEqual(straight.bits);
    expect(again.history).toEqual(straight.history);
    expect([...cut.steps, ...again.steps]).toEqual(straight.steps);
    // And one step at a time, each in a run of its own.
    const one = cutAfter(k);
    const save = new Checkpoint({ to: chain, every: { epochs: 100 } });
    await outcome(make, {
      ...common,
      signal: one.signal,
      resume: await chain.read(),
      callbacks: [one.note, ...callbacks(), save],
    });
  }
  const save = new Checkpoint({ to: chain, every: { epochs: 100 } });
  const resume = await chain.read();
  const last = await outcome(make, { ...common, resume, callbacks: [...callbacks(), save] });
  expect(last.bits).toEqual(straight.bits);
  expect(last.history).toEqual(straight.history);
}

test("a run that is cut at any step goes on with the same bits: schedule, dropout", async () => {
  await expectCuts(
    () => smallRun(),
    {},
    () => [],
  );
});

test("cut at any step: gradients summed, a shorter last batch, best states", async () => {
  const values = [3, 1, 2];
  const callbacks = () => [
    new EarlyStopping({ monitor: ({ epoch }) => values[epoch], restoreBest: true }),
  ];
  await expectCuts(() => smallRun(undefined, 6), { accumulate: 3 }, callbacks);
});

test("cut at any step: rates that are lowered, changes that end with an epoch", async () => {
  const plateaus = new WeakMap<object, ReduceOnPlateau>();
  let latest: object | null = null;
  const make = () => {
    const run = smallRun(0.05);
    plateaus.set(run, new ReduceOnPlateau(run.optimizer, { patience: 0, factor: 0.5 }));
    latest = run;
    return run;
  };
  const listen = {
    update: () => plateaus.get(latest as object)?.update(1),
    state: () => plateaus.get(latest as object)?.state(),
    load: (saved: never) => plateaus.get(latest as object)?.load(saved),
  };
  await expectCuts(make, { accumulate: 2 }, () => [onMetric(listen, "loss")]);
});

test("a run that a callback stopped stays stopped, with its best states", async () => {
  const values = [5, 3, 4, 6, 2.5, 2];
  const early = (patience = 2) =>
    new EarlyStopping({ monitor: ({ epoch }) => values[epoch], patience, restoreBest: true });
  const straight = await outcome(smallRun, { epochs: 5, callbacks: [early()] });
  expect(straight.end).toEqual({
    by: "callback",
    reason: "EarlyStopping: no epoch better than 1, with 3, in 2",
  });
  expect(straight.history).toHaveLength(4);
  // Not due at the epoch of the stop, and saved then all the same.
  const to = memoryStore();
  const save = () => new Checkpoint({ to, every: { epochs: 3 } });
  await outcome(smallRun, { epochs: 5, callbacks: [early(), save()] });
  expect(to.written).toHaveLength(2);
  for (const epochs of [5, 5, 6, 50]) {
    const callbacks = [early(), save()];
    const again = await outcome(smallRun, { epochs, callbacks, resume: await to.read() });
    expect(again).toEqual({ ...straight, steps: [] });
    expect(to.written).toHaveLength(2);
  }
  // Told to go on, with more patience, it finds something better.
  const more = { ignoreStop: true, resume: await to.read(), epochs: 5 };
  const on = await outcome(smallRun, { ...more, callbacks: [early(3), save()] });
  expect([on.history.length, on.end]).toEqual([5, { by: "epochs" }]);
  expect(to.written).toHaveLength(3);
  // With as much as before the next epoch that is no better ends it again.
  values[4] = 7;
  const once = await outcome(smallRun, { ...more, resume: to.written[1], callbacks: [early()] });
  expect([once.history.length, once.end.by]).toEqual([5, "callback"]);
});

test("a run stopped within an epoch, or before its first step, makes no step after that", async () => {
  const to = memoryStore();
  const at = (step: number): Callback => ({
    onStep: (event, run) => {
      if (event.step === step) run.stop("enough");
    },
  });
  const save = () => new Checkpoint({ to });
  const stopped = await outcome(smallRun, { callbacks: [at(2), save()] });
  expect(stopped.end).toEqual({ by: "callback", reason: "enough" });
  const again = await outcome(smallRun, { callbacks: [save()], resume: await to.read() });
  expect([again.step, again.end, again.bits]).toEqual([stopped.step, stopped.end, stopped.bits]);
  const late = { onStep: (_: StepEvent, run: Run) => run.stop("too late") };
  const first = await outcome(smallRun, { callbacks: [at(1), late] });
  expect(first.end.reason).toBe("enough");
  const atOnce = { onStart: (run: Run) => run.stop() };
  const none = await outcome(smallRun, { callbacks: [atOnce, save()] });
  expect([none.step, none.history, none.end]).toEqual([0, [], { by: "callback" }]);
});

test("a run that came to its last epoch goes on when there are to be more", async () => {
  const straight = await outcome(smallRun, { epochs: 4 });
  const to = memoryStore();
  const save = () => new Checkpoint({ to, every: { epochs: 3 } });
  const short = await outcome(smallRun, { epochs: 2, callbacks: [save()] });
  expect([short.end, short.stopped]).toEqual([{ by: "epochs" }, false]);
  expect(to.written).toHaveLength(1); // at its end, though not due
  const same = await outcome(smallRun, { epochs: 2, callbacks: [save()], resume: await to.read() });
  expect([same.bits, same.steps, to.written.length]).toEqual([short.bits, [], 1]);
  const fewer = await outcome(smallRun, { epochs: 1, resume: await to.read() });
  expect([fewer.bits, fewer.history]).toEqual([short.bits, short.history]);
  const more = await outcome(smallRun, { epochs: 4, resume: await to.read() });
  expect([more.bits, more.history]).toEqual([straight.bits, straight.history]);
});

test("it goes on from its last weights, though the best ones were restored at its end", async () => {
  const values = [1, 2, 3, 0];
  const early = () =>
    new EarlyStopping({ monitor: ({ epoch }) => values[epoch], restoreBest: true });
  const straight = await outcome(smallRun, { epochs: 4, callbacks: [early()] });
  const to = memoryStore();
  const save = new Checkpoint({ to, every: { epochs: 3 } });
  await outcome(smallRun, { epochs: 2, callbacks: [early(), save] });
  const more = { epochs: 4, callbacks: [early()], resume: await to.read() };
  const again = await outcome(smallRun, more);
  expect([again.bits, again.history]).toEqual([straight.bits, straight.history]);
});

test("callbacks that take part in a second run begin anew", async () => {
  const lines: string[] = [];
  const best = memoryStore();
  const to = memoryStore();
  const values = [1, 2];
  const monitor = () => values[0];
  const callbacks = [
    csvLog((line) => lines.push(line)),
    new Checkpoint({ best, to, monitor, every: { epochs: 1 } }),
    new EarlyStopping({ monitor, patience: 1 }),
  ];
  await outcome(smallRun, { epochs: 1, callbacks });
  values[0] = 2; // worse than all of the first run
  const { end } = await outcome(smallRun, { epochs: 1, callbacks });
  expect(end).toEqual({ by: "epochs" });
  expect([best.written.length, to.written.length]).toEqual([2, 2]);
  expect(lines).toHaveLength(4);
  expect(lines[2]).toBe(lines[0]);
});

test("no epochs make no step and save nothing", async () => {
  const to = memoryStore();
  const none = await outcome(smallRun, { epochs: 0, callbacks: [new Checkpoint({ to })] });
  expect([none.step, none.history, none.end]).toEqual([0, [], { by: "epochs" }]);
  expect(to.written).toEqual([]);
});

test("a checkpoint that an own loop made is gone on with", async () => {
  for (const accumulate of [1, 3]) {
    const straight = await outcome(smallRun, { accumulate });
    const { loader, ...parts } = smallRun();
    const given = { ...parts, metrics, batchAt: loader.batchAt };
    const step = accumulate === 1 ? trainStep(given) : accumulatedStep({ ...given, accumulate });
    for (let i = 0; i < 2; i++) await step();
    const resume = await saveCheckpoint({ ...parts, step });
    const again = await outcome(smallRun, { accumulate, resume });
    expect(again.bits).toEqual(straight.bits);
    expect(again.history[1]).toEqual(straight.history[1]);
    const untold = outcome(smallRun, { accumulate, resume, loader: new Set<Batch>() });
    await expect(untold).rejects.toThrow(
      "fit: a checkpoint that tells of no epochs, with an iterable that does not tell its length; " +
        "expected a list or a DataLoader",
    );
  }
});

test("a checkpoint of another run is refused by both values, unless that is allowed", async () => {
  const to = memoryStore();
  const callbacks = [new Checkpoint({ to })];
  await outcome(() => smallRun(0.05), { epochs: 1, callbacks });
  const resume = await to.read();
  const before = await bitsOf(smallRun(0.05));
  const run = smallRun(0.05);
  const { model, optimizer } = run;
  const { loader } = smallRun(0.05, 10);
  const going = fit<Module, Batch>({ ...run, loader, epochs: 2, resume });
  await expect(going).rejects.toThrow(
    "fit: a checkpoint of a run with batchSize 5 for one with batchSize 10; expected the same. " +
      'Give the options of that run, or allowMismatch: ["batchSize"]',
  );
  const other = new Adam(model.parameters(), { learningRate: 0.1 });
  Object.assign(other, { kind: "Other" });
  const mismatches: [Partial<Options>, string][] = [
    [{ optimizer: other }, "optimizer Adam for one with optimizer Other; expected"],
    [
      { optimizer: new SGD(model.parameters(), { learningRate: cosineDecay(0.1, { steps: 9 }) }) },
      "fit: a checkpoint of a run with optimizer Adam for one with optimizer SGD; expected the same. " +
        'Give the options of that run, or allowMismatch: ["optimizer"]',
    ],
    [{ loader: [] as unknown as Batch[] }, "fit: loader with no batches; expected at least one"],
    [
      { loader: [smallData(3).batch(Uint32Array.of(0, 1, 2))] },
      "fit: a checkpoint of a run with stepsPerEpoch none, seed 3, batchSize 5, size 20",
    ],
    [
      { loader: [smallData(3).batch(Uint32Array.of(0, 1, 2))] },
      "for one with stepsPerEpoch 1, seed none, batchSize none",
    ],
    [{ allowMismatch: ["seeds"] }, 'allowMismatch of "seeds"; expected some of seed, batchSize'],
    [{ allowMismatch: ["batchsize"] }, 'Did you mean "batchSize"?'],
    [{ allowMismatch: "seed" as unknown as [] }, 'fit: allowMismatch "seed"; expected a list'],
    [
      { resume: "run.checkpoint" as unknown as null },
      'fit: resume "run.checkpoint"; expected the bytes of a checkpoint, or null. ' +
        "Give what a store's read() gives",
    ],
  ];
  for (const [options, message] of mismatches) {
    const wrong = fit<Module, Batch>({ ...run, metrics, epochs: 2, resume, ...options });
    await expect(wrong).rejects.toThrow(message);
  }
  expect(await bitsOf({ ...run, optimizer })).toEqual(before);
  // Between epochs the numbering of steps follows the new size.
  const allowed = { resume, allowMismatch: ["batchSize"] };
  const on = await fit<Module, Batch>({ ...run, loader, metrics, epochs: 3, ...allowed });
  expect(on.history.map(({ epoch, step }) => [epoch, step])).toEqual([
    [0, 4],
    [1, 4],
    [2, 6],
  ]);
});

test("other metrics may be watched from an epoch on, not within one", async () => {
  const to = memoryStore();
  const other = { watched: () => tensor(2) };
  await outcome(smallRun, { epochs: 1, metricsEvery: 3, callbacks: [new Checkpoint({ to })] });
  const first = { metrics: other, metricsEvery: 3, resume: await to.read() };
  const { history, steps } = await outcome(smallRun, first);
  expect(history.map((epoch) => Object.keys(epoch.metrics ?? {}))).toEqual([
    ["accuracy"],
    ["watched"],
  ]);
  expect([steps[0].step, steps[0].metrics]).toEqual([6, { watched: 2 }]);
  const { signal, note } = cutAfter(2);
  await outcome(smallRun, { signal, callbacks: [note, new Checkpoint({ to })] });
  const within = outcome(smallRun, { metrics: other, resume: await to.read() });
  await expect(within).rejects.toThrow(
    'epoch\'s sums of ["loss","accuracy"]; expected those of loss, watched, as fit saves it',
  );
});

test("callbacks of one name each get back what they gave", async () => {
  const to = memoryStore();
  const restored: unknown[] = [];
  const keeper = (own: number): Callback => ({
    name: "keeper",
    save: () => own,
    restore: (saved) => void restored.push([own, saved]),
  });
  const nameless: Callback = { save: () => 9, restore: (saved) => void restored.push(saved) };
  const keepers = () => [keeper(1), nameless, keeper(2), keeper(3)];
  const first = [...keepers(), new Checkpoint({ to })];
  await outcome(smallRun, { epochs: 1, callbacks: first });
  await outcome(smallRun, { epochs: 1, callbacks: keepers(), resume: await to.read() });
  expect(restored).toEqual([
    [1, 1],
    [2, 2],
    [3, 3],
  ]);
});

test("a table begins with what every epoch of a resumed run has", async () => {
  const to = memoryStore();
  await outcome(smallRun, {
    epochs: 1,
    validationData: undefined,
    callbacks: [new Checkpoint({ to })],
  });
  const lines: string[] = [];
  await outcome(smallRun, {
    resume: await to.read(),
    callbacks: [csvLog((line) => lines.push(line))],
  });
  expect(lines).toHaveLength(3);
  const cells = lines.map((line) => line.trimEnd().split(","));
  expect(cells.map((line) => line.length)).toEqual([7, 7, 7]);
  const column = cells[0].indexOf("validationLoss");
  expect([cells[1][column], Number(cells[2][column]) > 0]).toEqual(["", true]);
});
