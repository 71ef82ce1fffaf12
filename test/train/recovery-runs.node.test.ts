import { afterAll, beforeEach, describe, expect, test } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { type Device, init, mul, setDefaultDevice, tensor } from "../../src/index.ts";
import type { Module } from "../../src/nn/index.ts";
import {
  type Callback,
  Checkpoint,
  EarlyStopping,
  fit,
  type Loader,
  type MeasureEvent,
  type RecoveredEvent,
  RunControl,
  train,
} from "../../src/train/index.ts";
import { memoryStore, type Options, outcome } from "../support/fit-outcome.ts";
import { FragileDevice } from "../support/fragile-device.ts";
import { bitsOf, smallData, smallRun } from "../support/small-run.ts";

let device: FragileDevice;
let before: Device;
beforeEach(async () => {
  before = (await init({ device: "cpu" })).device;
  device = new FragileDevice();
  setDefaultDevice(device);
});
afterAll(() => setDefaultDevice(before));

/** Loses the device at the n-th call of a kind, counted from 0, and says so later. */
function loseAt(kind: "run" | "read" | "prepare", n: number, late: number): void {
  let count = 0;
  device.onCall = (what) => {
    if (what === kind && count++ === n) void device.lose(late);
  };
}

/** A run, its events and its losses of the device. */
async function run(options: Options, make = () => smallRun()) {
  const heard: string[] = [];
  const note: Callback = {
    onDeviceLost: ({ event, message }) => void heard.push(`${event}: ${message}`),
    onRecovered: ({ event, kind, dropped }) => void heard.push(`${event} ${kind} ${dropped}`),
  };
  const callbacks = [...(options.callbacks ?? []), note];
  const result = await outcome(make, { ...options, callbacks });
  return { result, heard };
}

const HEARD = ["deviceLost: the test took it away", "recovered cpu 0"];

type Make = () => ReturnType<typeof smallRun>;

/** The small run's batches, given in other ways. */
const loaders: Record<string, Make> = {
  "a DataLoader": () => smallRun(),
  "a step's own counter": () => smallRun(undefined, 4),
  "batches that are computed": () => {
    const own = smallRun();
    const { loader } = own;
    const scaled: Loader<Batch> = {
      stepsPerEpoch: loader.stepsPerEpoch,
      async *epoch(epoch) {
        for await (const { images, labels } of loader.epoch(epoch)) {
          yield { images: mul(images, 0.5), labels } as Batch;
        }
      },
    };
    return { ...own, loader: scaled as typeof loader };
  },
};

describe("fit comes to the same bits, history and reports, whenever the device is lost", () => {
  for (const [name, make] of Object.entries(loaders)) {
    for (const accumulate of name === "a DataLoader" ? [1, 3] : [1]) {
      test(`${name}, accumulate ${accumulate}`, async () => {
        const options = () => ({
          accumulate,
          metricsEvery: 2,
          callbacks: [
            new EarlyStopping({ patience: 5, restoreBest: true }),
            new Checkpoint({ to: memoryStore(), every: { steps: 3 } }),
          ],
        });
        const { result: straight, heard: nothing } = await run(options(), make);
        expect(nothing).toEqual([]);
        const places = [
          ["run", 3, 0], // while the run is being made ready
          ["run", 9, 2],
          ["run", 22, 1],
          ["read", 1, 0],
          ["read", 4, 3],
          ["prepare", 1, 0],
        ] as const;
        for (const [kind, n, late] of places) {
          const { losses } = device;
          loseAt(kind, n, late);
          const { result, heard } = await run(options(), make);
          expect(result, `lost at ${kind} ${n}`).toEqual(straight);
          const isLost = device.losses > losses;
          expect(isLost || kind === "prepare").toBe(true); // there may be one plan only
          expect(heard, `lost at ${kind} ${n}`).toEqual(isLost ? HEARD : []);
        }
      });
    }
  }
});

test("a loss while a run is validated changes none of its means", async () => {
  const options = () => {
    const data = smallData(7, 20);
    const real = data.batch.bind(data);
    let count = 0;
    return {
      data,
      loseAt: (n: number, late: number) => {
        data.batch = (indices) => {
          if (count++ === n) void device.lose(late);
          return real(indices);
        };
      },
    };
  };
  const straight = (await run({ validationData: options().data })).result;
  for (const [n, late] of [
    [0, 0],
    [0, 3],
    [1, 1],
  ]) {
    const { data, loseAt } = options();
    loseAt(n, late);
    const { result, heard } = await run({ validationData: data });
    expect(result, `lost at batch ${n}`).toEqual(straight);
    expect(heard, `lost at batch ${n}`).toEqual(HEARD);
  }
});

test("batches of a generator that lie on the host are had again: no step is dropped", async () => {
  const make = () => {
    const own = smallRun();
    async function* batches() {
      for (let i = 0; i < 6; i++) {
        const pixels = Float32Array.from({ length: 30 }, (_, k) => ((k * (i + 3)) % 7) / 7);
        yield {
          images: tensor(pixels, { shape: [5, 6] }),
          labels: tensor(Uint8Array.from({ length: 5 }, (_, k) => (k + i) % 3)),
        };
      }
    }
    const loader = { [Symbol.asyncIterator]: batches } as AsyncIterable<Batch>;
    return { ...own, loader: loader as unknown as typeof own.loader };
  };
  const { result: straight } = await run({ epochs: 1 }, make);
  for (const n of [4, 9, 13]) {
    loseAt("run", n, 1);
    const { result, heard } = await run({ epochs: 1 }, make);
    expect(result, `lost at run ${n}`).toEqual(straight);
    expect(heard, `lost at run ${n}`).toEqual(HEARD);
  }
});

test("train tells of the loss and of what was made again", async () => {
  const { model, optimizer, loss, loader } = smallRun();
  const seen: string[] = [];
  let recovered: RecoveredEvent | undefined;
  for await (const event of train({ model, optimizer, loss, loader, epochs: 2, metricsEvery: 1 })) {
    seen.push(event.event);
    if (event.event === "step" && event.step === 3) void device.lose(1);
    if (event.event === "recovered") recovered = event;
  }
  expect(seen.filter((x) => x === "step")).toHaveLength(8);
  expect(seen.filter((x) => x === "epoch")).toHaveLength(2);
  expect(seen.indexOf("recovered")).toBe(seen.indexOf("deviceLost") + 1);
  expect(recovered).toMatchObject({
    kind: "cpu",
    description: expect.stringMatching(/^WebAssembly, SIMD/),
    dropped: 0,
  });
  expect(recovered?.repeated).toBeGreaterThan(0);
  expect(recovered?.milliseconds).toBeGreaterThan(0);
});

test("measurements within an epoch are those of a run without a loss", async () => {
  for (const [name, make] of Object.entries(loaders)) {
    const measured = async () => {
      const events: MeasureEvent[] = [];
      const onMeasure = (event: MeasureEvent) => void events.push(event);
      const { result, heard } = await run({ measureEvery: 2, callbacks: [{ onMeasure }] }, make);
      return { events, result, heard };
    };
    const straight = await measured();
    expect(straight.events.map(({ step }) => step)).toEqual(name.startsWith("a step") ? [2, 4, 7, 9] : [2, 6]); // biome-ignore format: long
    for (const [kind, n, late] of [
      ["run", 9, 0],
      ["run", 12, 2],
      ["read", 2, 0],
      ["read", 3, 1],
    ] as const) {
      // biome-ignore format: a list
      loseAt(kind, n, late);
      const { events, result, heard } = await measured();
      expect(heard, `${name}, lost at ${kind} ${n}`).toEqual(HEARD);
      expect(events, `${name}, lost at ${kind} ${n}`).toEqual(straight.events);
      expect(result, `${name}, lost at ${kind} ${n}`).toEqual(straight.result);
    }
  }
});

test("a loss while a run is paused is told at once, and the run goes on when it may", async () => {
  const { result: straight } = await run({});
  const control = new RunControl();
  const told: boolean[] = [];
  const onStep = ({ step }: { step: number }) => {
    if (step !== 3) return;
    control.pause();
    setTimeout(() => void device.lose(1), 20); // when all that was under way has been told
  };
  const onDeviceLost = () => void told.push(control.paused);
  const onRecovered = () => {
    told.push(control.paused);
    control.resume();
  };
  const callbacks = [{ onStep, onDeviceLost, onRecovered }];
  const { result, heard } = await run({ control, callbacks });
  expect(told).toEqual([true, true]);
  expect(heard).toEqual(HEARD);
  expect(result).toEqual(straight);
});

test("a run resumes before the steps whose batches cannot be had again, and says so", async () => {
  const { model, optimizer, loss } = smallRun();
  async function* batches() {
    for (let i = 0; i < 6; i++) {
      const images = mul(tensor(new Float32Array(30).fill(i), { shape: [5, 6] }), 1);
      for (let k = 0; k < 20; k++) await images.data(); // is there, and how it came to be is not kept
      const labels = tensor(new Uint8Array(5).fill(i % 3));
      const hidden = { images: images.add(images).add(1), labels };
      await hidden.images.data();
      yield { ...hidden };
    }
  }
  const given: Parameters<typeof fit<Module, Batch>>[0] = {
    model,
    optimizer,
    loss,
    loader: { [Symbol.asyncIterator]: batches } as AsyncIterable<Batch>,
    epochs: 1,
  };
  const events: RecoveredEvent[] = [];
  const lose: Callback = { onRecovered: (event) => void events.push(event) };
  loseAt("run", 12, 0);
  const { step } = await fit({ ...given, callbacks: [lose] });
  expect(events).toHaveLength(1);
  expect(step).toBe(6 - events[0].dropped);
  expect(await optimizer.counter.item()).toBe(step);
});

test("weights outlast a loss after the run", async () => {
  const own = smallRun();
  await fit<Module, Batch>({ ...own, epochs: 1, validationData: smallData(7, 20) });
  const bits = await bitsOf(own);
  await device.lose();
  expect(await bitsOf(own)).toEqual(bits);
});
