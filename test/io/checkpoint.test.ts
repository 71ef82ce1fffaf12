import { beforeAll, expect, test, vi } from "vitest";
import { DeviceError, GradusError, State, tensor } from "../../src/index.ts";
import {
  loadCheckpoint,
  saveCheckpoint,
  saveSafetensors,
  writeSafetensors,
} from "../../src/io/index.ts";
import { readSafetensors } from "../../src/io/safetensors.ts";
import { OptimizerGroup, SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { bitsOf, smallRun } from "../support/small-run.ts";

beforeAll(() => testDevice());

const stepOf = ({ loader, ...run }: ReturnType<typeof smallRun>) =>
  trainStep({ ...run, batchAt: loader.batchAt });

test.each([
  ["a schedule", undefined],
  ["a number", 0.03],
])("a run goes on with the same bits, with %s as learning rate", async (_, learningRate) => {
  const straight = smallRun(learningRate);
  const step = stepOf(straight);
  for (let i = 0; i < 11; i++) await step();
  if (learningRate) straight.optimizer.learningRate = 0.1 / 3;
  const bytes = await saveCheckpoint({ ...straight, step });
  for (let i = 0; i < 8; i++) await step();

  const resumed = smallRun(learningRate && 0.5);
  const again = stepOf(resumed);
  await again(); // what was done before does not matter
  expect(loadCheckpoint({ ...resumed, step: again }, bytes)).toEqual({ step: 11, values: null });
  expect(again.next).toBe(11);
  if (learningRate) expect(resumed.optimizer.learningRate).toBe(0.1 / 3);
  for (let i = 0; i < 8; i++) await again();
  expect(await bitsOf(resumed)).toEqual(await bitsOf(straight));
  expect(await again.read()).toEqual((await step.read()).slice(11));
});

test("the file is one of tensors by their parts, and holds values as they are", async () => {
  const run = smallRun(0.5);
  const average = new State(tensor([1, 2]), { name: "mean" });
  const extra = { average: { state: () => new Map([["weight", average]]) } };
  const values = { best: Number.NaN, worst: -Infinity, list: [1, 0.1, "NaN", null] };
  const bytes = await saveCheckpoint({ ...run, extra }, values);
  const { tensors, metadata } = readSafetensors(bytes);
  expect([...tensors.keys()].sort()).toEqual(
    [
      "extra.average.weight",
      ...[...run.model.state().keys()].map((name) => `model.${name}`),
      ...[...run.optimizer.state().keys()].map((name) => `optimizer.${name}`),
    ].sort(),
  );
  expect(metadata).toMatchObject({ step: "0", learningRates: "[0.5]" });
  average.assign(tensor([0, 0]));
  expect(loadCheckpoint({ ...run, extra }, bytes)).toEqual({ step: 0, values });
  expect(Array.from(await average.data())).toEqual([1, 2]);
});

test("loading is all or nothing", async () => {
  const run = smallRun(0.5);
  const bytes = await saveCheckpoint(run);
  const other = smallRun(0.25);
  const before = await bitsOf(other);
  const twice = { state: () => new Map([["w", other.model.parameters()[0]]]) };
  const rejected: [() => unknown, string][] = [
    [
      () => loadCheckpoint({ ...other, extra: { more: twice } }, bytes),
      "loadCheckpoint: missing [extra.more.w], unknown []; expected exactly the names",
    ],
    [
      () => loadCheckpoint({ ...other, extra: { a: named("b.c"), "a.b": named("c") } }, bytes),
      'loadCheckpoint: "extra.a.b.c" twice; expected each name once',
    ],
    [
      () => loadCheckpoint({ ...other, optimizer: smallRun().optimizer }, bytes),
      "loadCheckpoint: learning rates [0.5]; expected [null], as the optimizer has them",
    ],
  ];
  for (const [call, message] of rejected) expect(call).toThrow(message);
  expect(await bitsOf(other)).toEqual(before);
  expect(other.optimizer.learningRate).toBe(0.25);

  const weights = await saveSafetensors(run.model);
  expect(() => loadCheckpoint(other, weights)).toThrow(
    'loadCheckpoint: file of format "gradus"; expected "gradus checkpoint 1"',
  );
  for (const [metadata, message] of [
    [{ step: "-1" }, "step -1; expected an integer from 0 to 2^32 - 1"],
    [{ step: "4294967296" }, "step 4294967296; expected an integer"],
    [{ step: "1e1" }, "step 1e1; expected an integer from 0 to 2^32 - 1"],
    [{ step: "7 steps" }, "step 7 steps; expected an integer from 0 to 2^32 - 1"],
    [{ pending: "-1" }, "pending -1; expected an integer from 0 to 2^32 - 1"],
    [{ learningRates: "[-2]" }, "learning rates [-2]; expected [number], as the optimizer has"],
    [{ learningRates: "[1,2]" }, "learning rates [1,2]; expected [number], as the optimizer has"],
    [{ learningRates: "[" }, "learning rates: "],
    [{ learningRates: "{}" }, "learning rates {}; expected [number], as the optimizer has them"],
    [{ values: "{" }, "values: "],
  ] as [Record<string, string>, string][]) {
    const { tensors, metadata: good } = readSafetensors(bytes);
    const file = writeSafetensors(tensors, { ...good, ...metadata });
    expect(() => loadCheckpoint(other, file)).toThrow(`loadCheckpoint: ${message}`);
  }
  expect(await bitsOf(other)).toEqual(before);
});

test("what a file says of the run is there, and is its own", async () => {
  const run = smallRun(0.5);
  const { tensors, metadata } = readSafetensors(await saveCheckpoint(run));
  for (const [key, message] of [
    ["step", "step none; expected an integer from 0 to 2^32 - 1"],
    ["learningRates", "learning rates: Unexpected end of JSON input; expected JSON"],
    ["values", "values: Unexpected end of JSON input; expected JSON"],
  ]) {
    const { [key]: _, ...others } = metadata;
    const file = writeSafetensors(tensors, others);
    expect(() => loadCheckpoint(run, file)).toThrow(`loadCheckpoint: ${message}`);
  }
});

test("a learning rate of 0, and each member's of a group, come back", async () => {
  const make = (rates: number[]) => {
    const { model } = smallRun(0.5);
    const halves = [model.parameters().slice(0, 1), model.parameters().slice(1)];
    const members = halves.map((x, i) => new SGD(x, { learningRate: rates[i] }));
    return { model, members, optimizer: new OptimizerGroup(members) };
  };
  const bytes = await saveCheckpoint(make([0, 0.25]));
  expect(readSafetensors(bytes).metadata.learningRates).toBe("[0,0.25]");
  const other = make([1, 2]);
  loadCheckpoint(other, bytes);
  expect(other.members.map(({ learningRate }) => learningRate)).toEqual([0, 0.25]);

  const metadata = { ...readSafetensors(bytes).metadata, learningRates: "[0,-1]" };
  const wrong = writeSafetensors(readSafetensors(bytes).tensors, metadata);
  expect(() => loadCheckpoint(other, wrong)).toThrow(
    "loadCheckpoint: learning rates [0,-1]; expected [number,number], as the optimizer has them",
  );
});

test("an optimizer need not have a learning rate", async () => {
  const { model } = smallRun(0.5);
  const optimizer = named("count");
  const bytes = await saveCheckpoint({ model, optimizer });
  expect(readSafetensors(bytes).metadata.learningRates).toBe("[]");
  expect(loadCheckpoint({ model, optimizer }, bytes)).toEqual({ step: 0, values: null });
});

test("states of a step lie under its name", async () => {
  const step = { next: 3, seek() {}, ...named("sum") };
  const bytes = await saveCheckpoint({ ...smallRun(0.5), step });
  expect([...readSafetensors(bytes).tensors.keys()]).toContain("step.sum");
});

test("steps that wait for their plan are made before", async () => {
  const run = smallRun(0.5);
  const step = stepOf(run);
  const steps = [step(), step()];
  const bytes = await saveCheckpoint({ ...run, step });
  await Promise.all(steps);
  expect(loadCheckpoint({ ...run, step }, bytes).step).toBe(2);
});

test("a name that two parts have is told where it is saved", async () => {
  const extra = { a: named("b.c"), "a.b": named("c") };
  await expect(saveCheckpoint({ ...smallRun(0.5), extra })).rejects.toThrow(
    'saveCheckpoint: "extra.a.b.c" twice; expected each name once',
  );
});

function named(name: string) {
  return { state: () => new Map([[name, new State(tensor(0))]]) };
}

test("values that JSON cannot hold are told", async () => {
  const run = smallRun(0.5);
  const cycle: Record<string, unknown> = {};
  cycle.self = cycle;
  let deep: unknown = 1;
  for (let i = 0; i < 100_000; i++) deep = [deep];
  const told: [unknown, RegExp][] = [
    [cycle, /^saveCheckpoint: values: .*circular.*; expected what JSON can hold$/],
    [1n, /^saveCheckpoint: values: .*BigInt.*; expected what JSON can hold$/],
    [deep, /^saveCheckpoint: values: values nested too deeply; expected what JSON can hold$/],
  ];
  for (const [values, message] of told) {
    const saving = saveCheckpoint(run, values);
    await expect(saving).rejects.toThrow(message);
    await expect(saving).rejects.toThrow(GradusError);
  }
});

test("what a device takes only in part is an error at each use, until all of it is assigned", async () => {
  const device = await testDevice();
  const run = smallRun();
  const step = stepOf(run);
  for (let i = 0; i < 3; i++) await step();
  const parts = { ...run, step };
  const bytes = await saveCheckpoint(parts);
  const before = await bitsOf(run);
  const failure = new DeviceError("write: no room; expected some");
  const real = device.overwrite.bind(device);
  for (const at of [0, 1, 5]) {
    await step();
    let left = at;
    const write = vi.spyOn(device, "overwrite").mockImplementation((...args) => {
      if (left-- === 0) throw failure;
      real(...args);
    });
    expect(() => loadCheckpoint(parts, bytes)).toThrow(failure);
    write.mockRestore();
    await expect(step()).rejects.toThrow(failure);
    await expect(saveCheckpoint(parts)).rejects.toThrow(failure);
    await expect(run.model.parameters()[0].data()).rejects.toThrow(failure);
    loadCheckpoint(parts, bytes);
    expect(step.next).toBe(3);
    expect(await bitsOf(run)).toEqual(before);
  }
});
