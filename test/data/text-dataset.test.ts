import { beforeAll, describe, expect, test } from "vitest";
import { DataLoader, Subset, splitTokens, TextDataset } from "../../src/data/index.ts";
import {
  add,
  type Device,
  DTypeError,
  evaluate,
  GradusError,
  ShapeError,
  State,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { crossEntropy } from "../../src/losses/index.ts";
import { Embedding, Linear, Sequential } from "../../src/nn/index.ts";
import { Adam } from "../../src/optim/index.ts";
import { evaluateMeans, trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const tokens = (count: number, step = 1) => Int32Array.from({ length: count }, (_, i) => step * i);

/** Window i of tokens, from token `shift` of it on. */
function windowAt(all: Int32Array, { length, stride }: TextDataset, i: number, shift: number) {
  const start = i * stride + shift;
  return [...all.subarray(start, start + length)];
}

describe("TextDataset", () => {
  test.each([
    { count: 10, length: 3, stride: 3, size: 3 },
    { count: 9, length: 3, stride: 3, size: 2 }, // the last window would lack its last y
    { count: 10, length: 3, stride: 1, size: 7 },
    { count: 10, length: 3, stride: 5, size: 2 },
    { count: 4, length: 3, stride: 9, size: 1 },
    { count: 2, length: 1, stride: 1, size: 1 },
  ])("$count tokens in windows of $length every $stride", async ({ size, count, ...options }) => {
    const all = tokens(count);
    using data = new TextDataset(all, options);
    expect(data.size).toBe(size);
    const order = Array.from({ length: size }, (_, i) => size - 1 - i);
    using batch = data.batch(order);
    expect(batch.size).toBe(size);
    expect([batch.x.dtype, batch.y.dtype]).toEqual(["i32", "i32"]);
    expect(await batch.x.toArray()).toEqual(order.map((i) => windowAt(all, data, i, 0)));
    expect(await batch.y.toArray()).toEqual(order.map((i) => windowAt(all, data, i, 1)));
  });

  test("windows do not overlap when nothing is said of stride", () => {
    using data = new TextDataset(tokens(13), { length: 4 });
    expect([data.stride, data.size]).toEqual([4, 3]);
  });

  test.each([
    [1, "u8"],
    [25, "u16"],
    [7000, "i32"],
  ])(
    "tokens that are multiples of %i below eleven times it are stored as %s",
    async (step, dtype) => {
      const all = tokens(11, step);
      using data = new TextDataset(all, { length: 10 });
      expect(data.tokens.dtype).toBe(step === 25 ? "u8" : dtype);
      using large = new TextDataset(
        all.map((x) => x * 2),
        { length: 10 },
      );
      expect(large.tokens.dtype).toBe(dtype);
      expect(await large.batch([0]).y.toArray()).toEqual([[...all.subarray(1)].map((x) => 2 * x)]);
    },
  );

  test("takes arrays of numbers and tensors, of which it takes charge", async () => {
    using list = new TextDataset([5, 6, 7], { length: 2 });
    expect(await list.batch([0]).y.toArray()).toEqual([[6, 7]]);
    const own = tensor(Uint32Array.of(5, 6, 7));
    const data = new TextDataset(own, { length: 2 });
    expect(data.tokens).toBe(own);
    expect(await data.batch([0]).x.toArray()).toEqual([[5, 6]]);
    data.dispose();
    expect(own.disposed).toBe(true);
  });

  test("batchAt gives what the loader gives, without an upload", async () => {
    const all = tokens(40);
    using data = new TextDataset(all, { length: 5, stride: 2 });
    const loader = new DataLoader({ dataset: data, batchSize: 3, seed: 2, dropLast: true });
    using step = new State(tensor(7, { dtype: "u32" }));
    evaluate(step, data.tokens);
    const before = device.counters.now;
    using batch = loader.batchAt?.(step) as { x: Tensor; y: Tensor } & Disposable;
    const expected = [...loader.sampler.at(7)];
    expect(await batch.x.toArray()).toEqual(expected.map((i) => windowAt(all, data, i, 0)));
    expect(await batch.y.toArray()).toEqual(expected.map((i) => windowAt(all, data, i, 1)));
    expect(device.counters.since(before).writes).toBe(0);
    using part = await new Subset(data, [4, 2]).batch([1]);
    expect(await part.x.toArray()).toEqual([windowAt(all, data, 2, 0)]);
  });

  test("batches free what they held", () => {
    using data = new TextDataset(tokens(40), { length: 5 });
    evaluate(data.tokens);
    const before = held(device);
    const batch = data.batch([1, 2]);
    evaluate(batch.x, batch.y);
    expect(held(device)).toBeGreaterThan(before);
    batch.dispose();
    expect(held(device)).toBe(before);
  });

  test("a step that takes windows on the device uploads and makes nothing", async () => {
    const words = [0, 1, 2, 3]; // each token is followed by one that it tells
    const all = Int32Array.from({ length: 161 }, (_, i) => words[i % 4]);
    using data = new TextDataset(all, { length: 8, stride: 1 });
    const model = new Sequential(new Embedding(4, 8, { seed: 1 }), new Linear(8, 4, { seed: 2 }));
    const loss = (net: typeof model, { x, y }: { x: Tensor; y: Tensor }) =>
      crossEntropy(net.call(x).reshape([-1, 4]), y.reshape([-1]));
    const loader = new DataLoader({ dataset: data, batchSize: 9, seed: 1, dropLast: true });
    const step = trainStep({
      model,
      optimizer: new Adam(model.parameters(), { learningRate: 0.05 }),
      loss,
      batchAt: loader.batchAt,
      mirrorEvery: null, // else read when half a second has passed
    });
    const before = await evaluateMeans(model, data, { loss });
    for (let i = 0; i < 5; i++) await step();
    await step.read();
    const mark = device.counters.now;
    for (let i = 0; i < 20; i++) await step();
    const { writes, reads, buffers, pipelines } = device.counters.since(mark);
    expect({ writes, reads, buffers, pipelines }).toEqual({
      writes: 0,
      reads: 0,
      buffers: 0,
      pipelines: 0,
    });
    await step.read();
    const after = await evaluateMeans(model, data, { loss });
    expect(after.loss).toBeLessThan(0.5 * before.loss);
    step.dispose();
  });

  test.each<[string, () => unknown, string, typeof GradusError]>([
    [
      "too few tokens",
      () => new TextDataset([1, 2, 3], { length: 3 }),
      "TextDataset: 3 tokens for windows of 3; expected at least 4",
      ShapeError,
    ],
    [
      "no length",
      () => new TextDataset([1, 2, 3], {} as never),
      "TextDataset: length undefined; expected a positive integer",
      ShapeError,
    ],
    [
      "a stride of 0",
      () => new TextDataset([1, 2, 3], { length: 2, stride: 0 }),
      "TextDataset: stride 0; expected a positive integer",
      ShapeError,
    ],
    [
      "fractions",
      () => new TextDataset([1, 0.5, 3], { length: 2 }),
      "TextDataset: token 0.5; expected integers from 0 to 2^31 - 1",
      GradusError,
    ],
    [
      "a text",
      () => new TextDataset("abc" as never, { length: 2 }),
      'TextDataset: tokens "abc"; expected an array of integers',
      GradusError,
    ],
    [
      "rows",
      () => new TextDataset(tensor(Uint8Array.of(1, 2), { shape: [1, 2] }), { length: 1 }),
      "TextDataset: tokens [1, 2]; expected [m]",
      ShapeError,
    ],
    [
      "floats",
      () => new TextDataset(tensor([1, 2]), { length: 1 }),
      "TextDataset: tokens have dtype f32",
      DTypeError,
    ],
  ])("refuses %s", (_, call, message, Kind) => {
    const error = errorOf(call);
    expect(error).toBeInstanceOf(Kind);
    expect(error.message.startsWith(message), error.message).toBe(true);
  });

  test("counts from a step on the data's device", () => {
    using data = new TextDataset(tokens(9), { length: 2 });
    const { sampler } = new DataLoader({ dataset: { size: 3, batch: () => 0 }, batchSize: 1 });
    expect(() => data.batchAt(add(tensor(0, { dtype: "u32" }), 0), sampler)).toThrow(
      "TextDataset: a sampler of 3 examples for 4; expected the same size",
    );
    expect(() => data.batch([4])).toThrow(
      "TextDataset.batch: example 4; expected integers from 0 to 3",
    );
  });
});

test("splitTokens cuts tokens in order, without copying typed arrays", () => {
  const all = tokens(10);
  const parts = splitTokens(all, { train: 0.75, validation: 0.25 });
  expect([[...parts.train], [...parts.validation]]).toEqual([
    [0, 1, 2, 3, 4, 5, 6, 7],
    [8, 9],
  ]);
  expect(parts.train.buffer).toBe(all.buffer);
  expect(splitTokens([7, 8, 9], { a: 2 / 3, b: 1 / 3 })).toEqual({ a: [7, 8], b: [9] });
  expect(() => splitTokens(all, { a: 0.5, b: 0.4 })).toThrow(
    "splitTokens: shares 0.5, 0.4 with the sum 0.9; expected numbers above 0 with the sum 1",
  );
  expect(() => splitTokens([1, 2], { a: 0.99, b: 0.01 })).toThrow(
    "splitTokens: a share of 0.01 of 2 tokens; expected at least one",
  );
});
