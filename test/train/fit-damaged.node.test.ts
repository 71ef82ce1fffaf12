import { beforeAll, expect, test } from "vitest";
import type { Batch } from "../../src/data/index.ts";
import { type Device, FormatError, GradusError } from "../../src/index.ts";
import { decodeValues, encodeValues } from "../../src/io/checkpoint-values.ts";
import { readSafetensors } from "../../src/io/safetensors.ts";
import { writeSafetensors } from "../../src/io/safetensors-write.ts";
import type { Module } from "../../src/nn/index.ts";
import { ReduceOnPlateau } from "../../src/optim/index.ts";
import { Checkpoint, EarlyStopping, fit, onMetric, type Run } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { type Bytes, memoryStore } from "../support/fit-outcome.ts";
import { held } from "../support/memory.ts";
import { bitsOf, smallRun } from "../support/small-run.ts";

let device: Device;
let good: Bytes;

const parts = (run: ReturnType<typeof smallRun>) => [
  new EarlyStopping({ monitor: "loss", patience: 9 }),
  onMetric(new ReduceOnPlateau(run.optimizer), "loss"),
  new Checkpoint({ to: memoryStore() }),
];

const fitted = (run: ReturnType<typeof smallRun>, resume: Bytes | null, epochs = 2) =>
  fit<Module, Batch>({ ...run, epochs, resume, accumulate: 2, callbacks: parts(run) });

beforeAll(async () => {
  device = await testDevice();
  const run = smallRun(0.05);
  const saved: Bytes[] = [];
  const save = {
    onStep: async (_: unknown, at: Run) => void saved.push(await at.checkpoint()),
  };
  const callbacks = [...parts(run), save];
  await fit<Module, Batch>({ ...run, epochs: 2, metricsEvery: 1, accumulate: 2, callbacks });
  good = saved[4]; // of step 7, in the middle of a change
});

/** The checkpoint with other free text. */
async function rewritten(change: (metadata: Record<string, string>) => void): Promise<Bytes> {
  const { tensors, metadata } = readSafetensors(good);
  const text = { ...metadata };
  change(text);
  return writeSafetensors(tensors, text);
}

/** The checkpoint with another value at a path; undefined takes it away. */
function changed(path: string, value: unknown): Promise<Bytes> {
  return rewritten((metadata) => {
    const values = decodeValues("test", metadata.values) as Record<string, unknown>;
    const names = path.split(".");
    const last = names.pop() as string;
    const at = names.reduce((x, name) => x[name] as Record<string, unknown>, values);
    at[last] = value;
    metadata.values = encodeValues("test", path === "" ? value : values);
  });
}

const cases: [path: string, value: unknown, message: string][] = [
  ["", "text", 'with values "text"; expected an object, as fit saves it'],
  ["", [1], "with values [1]; expected an object"],
  ["history", undefined, "with history undefined; expected a list of epochs"],
  ["history", 5, "with history 5; expected a list of epochs"],
  ["history", {}, "with history {}; expected a list of epochs"],
  ["history", ["a"], 'epoch 1 of its history "a"; expected a report of that epoch, as fit saves'],
  ["history", [null, null], "epoch 1 of its history null; expected"],
  ["history.0.epoch", 1, "epoch 1 of its history {"],
  ["history.0.loss", undefined, "epoch 1 of its history {"],
  ["history.0.step", "4", "epoch 1 of its history {"],
  ["history.0.event", "step", "epoch 1 of its history {"],
  ["history.0.stepsPerSecond", null, "epoch 1 of its history {"],
  ["history.0.testAccuracy", "1", "epoch 1 of its history {"],
  ["history.0.metrics", { a: "1" }, "epoch 1 of its history {"],
  ["history.0.validationMetrics", [], "epoch 1 of its history {"],
  ["progressed", undefined, "with progress undefined; expected an object"],
  ["progressed.epochs", -1000, "with epochs -1000; expected an integer from 0"],
  ["progressed.epochs", "1", 'with epochs "1"; expected an integer'],
  ["progressed.epochs", 1e300, "with epochs 1e+300; expected an integer"],
  ["progressed.epochs", 0, "epoch 1 of its history {"],
  ["progressed.steps", -1, "with steps -1; expected an integer from 0"],
  ["progressed.steps", 1, "a checkpoint of step 7, 1 steps after 1 epochs; expected a place in"],
  ["progressed.stepsPerEpoch", 0, "with stepsPerEpoch 0; expected an integer from 1, or null"],
  ["progressed.epoch", undefined, "with epoch's sums undefined; expected an object"],
  ["progressed.recent", 1, "with sums 1; expected an object"],
  ["progressed.epoch.examples", -1, "sums of examples -1; expected an integer from 0"],
  ["progressed.epoch.sums.loss", "1", 'sums {"loss":"1"}; expected numbers by name'],
  ["progressed.epoch.sums.a", 1, 'epoch\'s sums of ["loss","a"]; expected those of loss'],
  [
    "progressed.recent",
    { examples: 5, sums: { a: 1 } },
    'with sums of ["a"]; expected those of loss',
  ],
  ["progressed.epoch.sums", {}, "of []; expected those of loss"],
  ["callbacks", 3, "with callbacks 3; expected an object"],
  ["end", "epochs", 'with end "epochs"; expected null, or what ended the run'],
  ["end", { by: "signal" }, 'with end {"by":"signal"}; expected null, or what ended the run'],
  ["end", { by: "callback", reason: 1 }, "expected null, or what ended the run"],
  ["end", undefined, "with end undefined; expected null, or what ended the run"],
  ["fingerprint", undefined, "with fingerprint undefined; expected values by name"],
  ["fingerprint.seed", {}, "expected values by name"],
  ["callbacks.earlyStopping.wait", -1, "EarlyStopping: wait -1 in a checkpoint; expected an int"],
  ["callbacks.earlyStopping", null, "EarlyStopping: wait undefined in a checkpoint; expected"],
  ["callbacks.earlyStopping.value", "1", "EarlyStopping: best string of epoch"],
  ["callbacks.earlyStopping.epoch", -2, "best number of epoch -2 in a checkpoint; expected"],
  ["callbacks.metric", { waited: 0 }, "ReduceOnPlateau: best of type undefined; expected"],
  ["callbacks.metric.waited", "a", 'ReduceOnPlateau: waited "a"; expected an integer from 0'],
  ["callbacks.metric.resting", -1, "ReduceOnPlateau: resting -1; expected an integer from 0"],
  ["callbacks.checkpoint.saved", 4, "Checkpoint: last save at step undefined"],
  ["callbacks.checkpoint.saved.step", -4, "Checkpoint: last save at step -4"],
  ["callbacks.checkpoint.saved.ended", 1, "Checkpoint: last save at step 4"],
];

test.each(cases)("a damaged checkpoint changes nothing: %s = %o", async (path, value, message) => {
  const run = smallRun(0.05);
  const before = await bitsOf(run);
  const resume = await changed(path, value);
  const tensors = held(device);
  const error = await fitted(run, resume).then(
    () => null,
    (thrown: unknown) => thrown as Error,
  );
  expect(error).toBeInstanceOf(GradusError);
  expect(error?.message).toContain(message);
  expect(error?.message).toMatch(/^(fit|EarlyStopping|ReduceOnPlateau|Checkpoint): /);
  expect(error?.message.length).toBeLessThan(600);
  expect(await bitsOf(run)).toEqual(before);
  expect(run.optimizer.learningRate).toBe(0.05);
  expect(held(device)).toBe(tensors);
});

test.each<[string, number, object, string]>([
  [
    "more steps than an epoch has",
    7,
    {},
    "a checkpoint of step 7, 7 steps after 0 epochs; expected",
  ],
  ["an epoch before the first", -1, { epoch: -1 }, "epoch 1 of its history {"],
])("damage that fits together changes nothing: %s", async (_, steps, report, message) => {
  const run = smallRun(0.05);
  const before = await bitsOf(run);
  const resume = await rewritten((metadata) => {
    const values = decodeValues("test", metadata.values) as {
      history: object[];
      progressed: object;
    };
    const history = steps < 0 ? [{ ...values.history[0], ...report }] : [];
    const progressed = { ...values.progressed, epochs: 0, steps: 7 };
    metadata.values = encodeValues("test", { ...values, history, progressed });
  });
  await expect(fitted(run, resume)).rejects.toThrow(message);
  expect(await bitsOf(run)).toEqual(before);
});

test("a place may be as far as steps can be counted", async () => {
  const at = async (epochs: number, steps: number) => {
    const resume = await rewritten((metadata) => {
      const values = decodeValues("test", metadata.values) as { progressed: object };
      const progressed = { ...values.progressed, epochs, steps };
      metadata.values = encodeValues("test", { ...values, history: [], progressed });
    });
    const allowed = { allowMismatch: ["seed"], accumulate: 2, callbacks: [] };
    return fit<Module, Batch>({ ...smallRun(0.05), epochs: 2, resume, ...allowed });
  };
  expect((await at(2 ** 30 - 1, 3)).step).toBe(2 ** 32 - 1);
  await expect(at(2 ** 30 - 1, 4)).rejects.toThrow(
    "fit: a checkpoint of step 7, 4 steps after 1073741823 epochs; expected a place in epochs of 4 steps",
  );
  await expect(at(2 ** 30, 0)).rejects.toThrow("0 steps after 1073741824 epochs; expected a place");
});

test("bytes that are no checkpoint are refused in the name of fit", async () => {
  for (const bytes of [Uint8Array.of(1, 2, 3), new Uint8Array(0), good.slice(0, 500)]) {
    await expect(fitted(smallRun(0.05), bytes)).rejects.toThrow(/^fit: /);
  }
});

test.each([
  ["format", "x".repeat(9999), 'fit: file of format "xxx'],
  ["step", "-1", "fit: step -1; expected an integer from 0 to 2^32 - 1"],
  [
    "step",
    "6",
    "fit: a checkpoint of step 6, 3 steps after 1 epochs; expected a place in epochs of 4",
  ],
  ["pending", "2", "fit: 2 batches pending; expected an integer from 0 to 1"],
  ["pending", "many", "fit: pending many; expected an integer from 0"],
  [
    "learningRates",
    "[-2]",
    "fit: learning rates [-2]; expected [number], as the optimizer has them",
  ],
  ["values", "{", "fit: values: "],
  ["values", "[".repeat(1e5), "fit: values: "],
])("damaged free text changes nothing: %s %.9s", async (name, text, message) => {
  const run = smallRun(0.05);
  const before = await bitsOf(run);
  const resume = await rewritten((metadata) => {
    metadata[name] = text;
  });
  const error = await fitted(run, resume).catch((thrown: unknown) => thrown as Error);
  expect(error).toBeInstanceOf(GradusError);
  expect((error as Error).message).toContain(message);
  expect((error as Error).message.length).toBeLessThan(600);
  expect(await bitsOf(run)).toEqual(before);
});

test("the checkpoint that they are made of is gone on with", async () => {
  const straight = smallRun(0.05);
  await fitted(straight, null);
  const run = smallRun(0.05);
  const { history, step } = await fitted(run, await changed("more", "is not read"));
  expect([step, history.length]).toEqual([8, 2]);
  expect(await bitsOf(run)).toEqual(await bitsOf(straight));
  const buffer = smallRun(0.05);
  await fitted(buffer, good.slice().buffer as unknown as Bytes);
  expect(await bitsOf(buffer)).toEqual(await bitsOf(straight));
  const error = await fitted(run, await changed("history", 1)).catch((e) => e);
  expect(error).toBeInstanceOf(FormatError);
});

test("values are what they were, whatever JSON lacks", () => {
  const values = {
    numbers: [Number.NaN, Infinity, -Infinity, -0, 0, 0.1],
    text: ["NaN", null, true, { $number: "x", other: 1 }],
  };
  const back = decodeValues("test", encodeValues("test", values)) as typeof values;
  expect(back).toEqual(values);
  expect(Object.is(back.numbers[3], -0)).toBe(true);
});
