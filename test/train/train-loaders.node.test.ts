import { beforeAll, describe, expect, test } from "vitest";
import { type Batch, DataLoader, TensorDataset } from "../../src/data/index.ts";
import { type Device, evaluate, type Tensor, tensor } from "../../src/index.ts";
import {
  Checkpoint,
  type EpochEvent,
  fit,
  type Loader,
  type StepEvent,
  train,
} from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { memoryStore } from "../support/fit-outcome.ts";
import { meanRun, type Points, points } from "../support/mean-run.ts";
import { held } from "../support/memory.ts";
import { bitsOf, smallData, smallLoss, smallRun } from "../support/small-run.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

describe("loaders", () => {
  const given = [[1, 2], [3], [4, 5, 6]];
  const other = {
    list: () => points(...given),
    set: () => new Set(points(...given)),
    "an iterable": () => ({ [Symbol.iterator]: () => points(...given)[Symbol.iterator]() }),
    "an async iterable": () => ({
      async *[Symbol.asyncIterator]() {
        yield* points(...given);
      },
    }),
    "an object with stepsPerEpoch": (): Loader<Points> => ({
      stepsPerEpoch: 3,
      epoch: () => points(...given),
    }),
  };

  test.each(Object.entries(other))("%s of batches", async (_, make) => {
    const steps: StepEvent[] = [];
    const { history, step } = await fit({
      ...meanRun(),
      loader: make(),
      epochs: 3,
      metricsEvery: 1,
      callbacks: [{ onStep: (event) => void steps.push(event) }],
    });
    expect(history.map(({ loss }) => loss)).toEqual([3.5, 3.5, 3.5]);
    expect(step).toBe(9);
    expect(steps.map(({ loss }) => loss).slice(0, 3)).toEqual([1.5, 3, 5]);
    // Where nothing tells before how many steps an epoch has, its first reports do not know.
    expect([9, Infinity]).toContain(steps[0].steps);
    expect([steps[8].steps, steps[8].secondsLeft]).toEqual([9, 0]);
  });

  test("a list's batches stay; those of others are freed", async () => {
    const batch = () => new TensorDataset({ x: tensor([[1], [2]]) }).batch(Uint32Array.of(0, 1));
    const list = [batch(), batch()];
    await fit({ ...meanRun(), loader: list, epochs: 2 });
    expect(list.some(({ x }) => x.disposed)).toBe(false);
    const away = new Set(list);
    await fit({ ...meanRun(), loader: away, epochs: 1 });
    expect(list.every(({ x }) => x.disposed)).toBe(true);
    const own = { x: tensor([[1]]), disposed: 0, dispose: () => void own.disposed++ };
    const loader = { stepsPerEpoch: 2, epoch: () => [own, own] };
    await fit({ ...meanRun(), loader, epochs: 1 });
    expect(own.disposed).toBe(2);
  });

  test("methods of a loader's class are called on it", async () => {
    class Own implements Loader<Points> {
      readonly stepsPerEpoch = 2;
      readonly #batches = points([1, 2], [3, 4]);
      epoch() {
        return this.#batches;
      }
      batchAt() {
        return this.#batches[1];
      }
    }
    const { history } = await fit({ ...meanRun(), loader: new Own(), epochs: 1 });
    expect(history[0].loss).toBe(3.5);
  });

  test("a run from an iterable is gone on with, within its first epoch and later", async () => {
    const loader = () => new Set(points(...given));
    const straight = await fit({ ...meanRun(), loader: loader(), epochs: 3 });
    for (const steps of [2, 3, 4, 7]) {
      const to = memoryStore();
      let made = 0;
      const signal = {
        get aborted() {
          return made >= steps;
        },
      } as AbortSignal;
      const counted = {
        *[Symbol.iterator]() {
          for (const batch of loader()) {
            yield batch;
            made++;
          }
        },
      };
      const first = { loader: counted, epochs: 3, signal, callbacks: [new Checkpoint({ to })] };
      const cut = await fit({ ...meanRun(), ...first });
      expect(cut.step).toBe(steps);
      const resume = await to.read();
      const rest = await fit({ ...meanRun(), loader: loader(), epochs: 3, resume });
      expect(rest.step).toBe(9);
      const losses = (epochs: readonly EpochEvent[]) => epochs.map(({ loss }) => loss);
      expect(losses(rest.history)).toEqual(losses(straight.history));
      // How many batches an epoch has is known from then on, at the least that it had more.
      const other = steps < 3 ? points([1]) : points([1], [2], [3], [4]);
      const wrong = fit({ ...meanRun(), loader: new Set(other), epochs: 3, resume });
      await expect(wrong).rejects.toThrow(
        steps < 3
          ? "loader gave 1 batches in epoch 0; expected at least 2"
          : "loader gave more than 3 batches in epoch",
      );
    }
  });

  test.each<[string, () => unknown, string | RegExp]>([
    ["no batches", () => [], "fit: loader with no batches; expected at least one"],
    ["undefined", () => undefined, "fit: loader undefined; expected a DataLoader, a list"],
    ["null", () => null, "fit: loader null; expected a DataLoader"],
    ["text", () => "batches", 'fit: loader "batches"; expected a DataLoader'],
    [
      "a data set",
      () => smallData(3),
      "fit: loader a DeviceDataset; expected a DataLoader, a list or another iterable of batches, " +
        "or an object with stepsPerEpoch and epoch. Did you mean new DataLoader({ dataset, batchSize })?",
    ],
    ["an object", () => ({ batch: 1 }), /^fit: loader an object; .* with stepsPerEpoch and epoch$/],
    [
      "a loader of no steps",
      () => ({ stepsPerEpoch: 0, epoch: () => [] }),
      "fit: a loader with stepsPerEpoch 0; expected an integer from 1",
    ],
    [
      "a loader that does not tell",
      () => ({ epoch: () => [] }),
      "fit: a loader with stepsPerEpoch undefined; expected an integer from 1",
    ],
    [
      "a promise of batches",
      () => ({ stepsPerEpoch: 1, epoch: async () => points([1]) }),
      "fit: loader gave a Promise for epoch 0; expected an iterable of batches",
    ],
    [
      "fewer batches",
      () => ({ stepsPerEpoch: 4, epoch: () => points(...given) }),
      "fit: loader gave 3 batches in epoch 0; expected 4, as many in each epoch",
    ],
    [
      "more batches",
      () => ({ stepsPerEpoch: 2, epoch: () => points(...given) }),
      "fit: loader gave more than 2 batches in epoch 0; expected 2, as many in each epoch",
    ],
    [
      "an iterable of nothing",
      () => new Set(),
      "fit: loader gave 0 batches in epoch 0; expected at least 1",
    ],
    [
      "a batch that holds itself",
      () => {
        const batch: Record<string, unknown> = {};
        return [Object.assign(batch, { more: { batch }, x: tensor([1]) })];
      },
      "fit: batch.more.batch holds itself; expected no cycle",
    ],
    [
      "one generator for two epochs",
      () => points(...given).values(),
      "fit: loader gave 0 batches in epoch 1; expected 3, as many in each epoch",
    ],
  ])("are refused with what is wrong: %s", async (_, make, message) => {
    const loader = make() as Points[];
    await expect(fit({ ...meanRun(), loader, epochs: 2 })).rejects.toThrow(message);
  });

  test("a batch too many is not trained on, and is freed with its source closed", async () => {
    let closed = false;
    const all = points(...given).map(({ x }) => ({ x, dispose: () => x.dispose() }));
    const loader: Loader<Points> = {
      stepsPerEpoch: 2,
      *epoch() {
        try {
          yield* all;
        } finally {
          closed = true;
        }
      },
    };
    const run = { ...meanRun(), loader };
    const states = [...run.model.state().values(), ...run.optimizer.state().values()];
    evaluate(...states, run.optimizer.rate, ...all.map(({ x }) => x));
    const before = held(device);
    await expect(fit({ ...run, epochs: 1 })).rejects.toThrow("more than 2 batches");
    expect([closed, all.map(({ x }) => x.disposed)]).toEqual([true, [true, true, true]]);
    expect(held(device)).toBe(before - 3);
  });

  test.each([1, 2, 3])("a signal after step %d frees the batch that was ready", async (steps) => {
    const made: Tensor[] = [];
    const controller = new AbortController();
    const loader: Loader<Points> = {
      stepsPerEpoch: 3,
      *epoch() {
        for (const { x } of points(...given)) {
          made.push(x);
          if (made.length > steps) controller.abort();
          yield { x, dispose: () => x.dispose() };
        }
        controller.abort();
      },
    };
    const run = { ...meanRun(), loader, epochs: 2, signal: controller.signal };
    const { step, end, history } = await fit(run);
    expect([step, end, history]).toEqual([steps, { by: "signal" }, []]);
    expect(made.every((x) => x.disposed)).toBe(true);
    expect(made).toHaveLength(Math.min(3, steps + 1));
  });

  test("a loop over a loader gives one epoch, the next loop the next", async () => {
    const loader = new DataLoader({ dataset: smallData(10), batchSize: 4, seed: 2 });
    const labels = async (batches: AsyncIterable<Batch>) => {
      const all: unknown[] = [];
      for await (const batch of batches) {
        all.push(...((await batch.images.toArray()) as unknown[]));
        batch.dispose();
      }
      return all;
    };
    const looped = [await labels(loader), await labels(loader)];
    expect(looped[0]).toHaveLength(10);
    expect(looped).toEqual([await labels(loader.epoch(0)), await labels(loader.epoch(1))]);
    expect(looped[0]).not.toEqual(looped[1]);
  });
});

describe("startStep", () => {
  test("goes on within an epoch and after it, with the batches that are left", async () => {
    const seen: unknown[] = [];
    const loader: Loader<Points> = {
      stepsPerEpoch: 3,
      epoch: (epoch) => points([10 * epoch], [10 * epoch + 1], [10 * epoch + 2]),
    };
    for (const startStep of [0, 1, 2, 3, 4, 5, 6, 7]) {
      const run = { ...meanRun(), loader, epochs: 2, metricsEvery: 1, startStep };
      const losses: number[] = [];
      for await (const report of train(run)) {
        if (report.event === "step") losses.push(report.loss);
        else if (report.event === "epoch") {
          seen.push([startStep, report.epoch, report.loss, report.step]);
        }
      }
      expect(losses).toEqual([0, 1, 2, 10, 11, 12].slice(startStep));
    }
    expect(seen).toEqual([
      [0, 0, 1, 3],
      [0, 1, 11, 6],
      [1, 0, 1.5, 3],
      [1, 1, 11, 6],
      [2, 0, 2, 3],
      [2, 1, 11, 6],
      [3, 1, 11, 6],
      [4, 1, 11.5, 6],
      [5, 1, 12, 6],
    ]);
  });

  test("frees the batches that it passes over", async () => {
    const given: (Points & Disposable)[] = [];
    const loader: Loader<Points> = {
      stepsPerEpoch: 3,
      epoch: () => {
        const all = points([1], [2], [3]);
        given.push(...all.map(({ x }) => ({ x, [Symbol.dispose]: () => x.dispose() })));
        return given.slice(-3);
      },
    };
    for await (const _ of train({ ...meanRun(), loader, epochs: 1, startStep: 2 }));
    expect(given.map(({ x }) => x.disposed)).toEqual([true, true, true]);
  });

  test("is refused where it is not known what it means", () => {
    const run = { ...meanRun(), epochs: 2 };
    const loader = points([1], [2], [3], [4], [5]);
    expect(() => train({ ...run, loader: new Set(loader), startStep: 1 })).toThrow(
      "train: startStep 1 with an iterable that does not tell its length; " +
        "expected a list or a DataLoader",
    );
    expect(() => train({ ...run, loader, startStep: 8, accumulate: 2 })).toThrow(
      "train: startStep 8, 3 steps into an epoch, with accumulate 2; expected a step at which " +
        "a change begins. Use fit's resume, which restores the gradients that are pending",
    );
    expect(() => train({ ...run, loader, startStep: 7, accumulate: 2 })).not.toThrow();
    expect(() => train({ ...run, loader, startStep: 5, accumulate: 3 })).not.toThrow();
  });

  test("begins a change of its own with accumulate", async () => {
    const straight = smallRun(0.05);
    for await (const _ of train({ ...straight, epochs: 2, accumulate: 3 }));
    const run = smallRun(0.05);
    for await (const _ of train({ ...run, epochs: 1, accumulate: 3 }));
    for await (const _ of train({ ...run, epochs: 2, accumulate: 3, startStep: 4 }));
    expect(await bitsOf(run)).toEqual(await bitsOf(straight));
    expect(smallLoss).toBe(run.loss);
  });
});
