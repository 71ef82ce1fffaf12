import { beforeAll, describe, expect, test } from "vitest";
import {
  BatchSampler,
  DataLoader,
  DeviceDataset,
  kFold,
  normalizeImages,
  Subset,
  splitDataset,
  type TensorBatch,
  TensorDataset,
} from "../../src/data/index.ts";
import {
  cast,
  type Device,
  evaluate,
  mean,
  oneHot,
  State,
  square,
  sub,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { Linear } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { train, trainStep } from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const values = (n: number, start = 0) => Float32Array.from({ length: n }, (_, i) => start + i);

/** n examples: inputs [2i, 2i + 1], targets [10 i], ids i as i32. */
function numbers(n: number) {
  const inputs = tensor(values(2 * n), { shape: [n, 2] });
  const targets = tensor(
    values(n).map((i) => 10 * i),
    { shape: [n, 1] },
  );
  return new TensorDataset({ inputs, targets, ids: tensor(Int32Array.from(values(n))) });
}

describe("TensorDataset", () => {
  test("batches have the names, shapes and dtypes of the tensors", async () => {
    using data = numbers(6);
    expect(data.size).toBe(6);
    using batch = data.batch(Uint32Array.of(4, 0, 4));
    expect(batch.size).toBe(3);
    expect(batch.inputs.shape).toEqual([3, 2]);
    expect(await batch.inputs.toArray()).toEqual([
      [8, 9],
      [0, 1],
      [8, 9],
    ]);
    expect(await batch.targets.toArray()).toEqual([[40], [0], [40]]);
    expect(batch.ids.dtype).toBe("i32");
    expect(await batch.ids.toArray()).toEqual([4, 0, 4]);
  });

  test("any dtype and rank can be a member", async () => {
    using data = new TensorDataset({
      flags: tensor([true, false, true]),
      bytes: tensor(Uint8Array.of(1, 2, 255, 4, 5, 6), { shape: [3, 2, 1] }),
      counts: tensor(Uint32Array.of(1, 2, 2 ** 32 - 1)),
    });
    using batch = data.batch(Uint32Array.of(2, 1));
    expect(batch.flags.dtype).toBe("bool");
    expect([...(await batch.flags.data())]).toEqual([1, 0]);
    expect(batch.bytes.shape).toEqual([2, 2, 1]);
    expect([...(await batch.bytes.data())]).toEqual([5, 6, 255, 4]);
    expect([...(await batch.counts.data())]).toEqual([2 ** 32 - 1, 2]);
  });

  test("prepare changes what a batch holds", async () => {
    const images = tensor(Uint8Array.of(0, 255, 51, 102), { shape: [2, 2] });
    const labels = tensor(Uint8Array.of(1, 0));
    const prepare = { images: normalizeImages, labels: (x: Tensor) => cast(x, "i32") };
    using data = new TensorDataset({ images, labels }, { prepare });
    using batch = data.batch(Uint32Array.of(1));
    expectClose(await batch.images.data(), [0.2, 0.4], 6);
    expect(await batch.labels.toArray()).toEqual([0]);
    expect(batch.labels.dtype).toBe("i32");
  });

  test("batchAt gives what the loader gives, without an upload", async () => {
    using data = numbers(12);
    const loader = new DataLoader({ dataset: data, batchSize: 4, seed: 3 });
    using step = new State(tensor(4, { dtype: "u32" }));
    evaluate(step, ...Object.values(data.tensors));
    const before = device.counters.now;
    using batch = loader.batchAt?.(step) as TensorBatch<"inputs" | "targets" | "ids">;
    expect([...(await batch.ids.data())]).toEqual([...loader.sampler.at(4)]);
    expect(device.counters.since(before).writes).toBe(0);
  });

  test("disposing a batch frees what it held", async () => {
    using data = numbers(5);
    evaluate(...Object.values(data.tensors));
    const before = held(device);
    const batch = data.batch(Uint32Array.of(1, 2));
    evaluate(batch.inputs, batch.targets);
    expect(held(device)).toBeGreaterThan(before);
    batch.dispose();
    expect(held(device)).toBe(before);
  });

  test("other tensors are rejected", () => {
    const a = tensor([1, 2]);
    expect(() => new TensorDataset({})).toThrow(
      "TensorDataset: no tensors; expected tensors by name, none called size or dispose",
    );
    expect(() => new TensorDataset({ size: a })).toThrow("TensorDataset: a tensor called size");
    expect(() => new TensorDataset({ a, b: tensor([1]) })).toThrow(
      "TensorDataset: a [2], b [1]; expected [n, …] with one n",
    );
    expect(() => new TensorDataset({ a: tensor(1) })).toThrow("TensorDataset: a []");
  });
});

test("a compiled step takes batches of names, from arguments and from its counter", async () => {
  using data = numbers(8);
  const losses: number[][] = [];
  for (const compiled of [false, true]) {
    using model = new Linear(2, 1, { seed: 1 });
    using optimizer = new SGD(model.parameters(), { learningRate: 1e-4 });
    const loader = new DataLoader({ dataset: data, batchSize: 4, seed: 5 });
    const { batchAt } = compiled ? loader : {};
    const step = trainStep({
      model,
      optimizer,
      batchAt,
      loss: (net, { inputs, targets }: TensorBatch<"inputs" | "targets" | "ids">) =>
        mean(square(sub(net.call(inputs), targets))),
    });
    for (const epoch of [0, 1]) {
      for await (using batch of loader.epoch(epoch)) await step(compiled ? undefined : batch);
    }
    losses.push((await step.read()).map(({ loss }) => loss));
    expect(step.plans).toHaveLength(1);
    step.dispose();
  }
  expect(losses[0]).toHaveLength(4);
  expect(losses[1]).toEqual(losses[0]);
});

describe("Subset", () => {
  test("numbers examples anew, also of another subset", async () => {
    using data = numbers(10);
    using odd = new Subset(data, [9, 7, 5, 3, 1]);
    using inner = new Subset(odd, [4, 0]);
    expect(odd.size).toBe(5);
    using batch = await odd.batch(Uint32Array.of(1, 1, 4));
    expect(await batch.ids.toArray()).toEqual([7, 7, 1]);
    using both = await inner.batch(Uint32Array.of(0, 1));
    expect(await both.ids.toArray()).toEqual([1, 9]);
    expect([...odd.indices]).toEqual([9, 7, 5, 3, 1]);
  });

  test("batchAt names the same examples as the loader, in subsets of subsets too", async () => {
    using data = numbers(10);
    using odd = new Subset(data, [9, 7, 5, 3, 1, 0]);
    using inner = new Subset(odd, [4, 0, 5, 2]);
    for (const dataset of [odd, inner]) {
      const loader = new DataLoader({ dataset, batchSize: 2, seed: 1 });
      using step = new State(tensor(0, { dtype: "u32" }));
      for await (using batch of loader.epoch(0)) {
        using same = loader.batchAt?.(step);
        expect(await same?.ids.toArray()).toEqual(await batch.ids.toArray());
        step.assign(step.add(1));
      }
    }
  });

  test("a data set without rows gives batches, but none from a counter", async () => {
    const plain = {
      size: 3,
      batch: (indices: Uint32Array) => ({ indices, [Symbol.dispose]() {} }),
    };
    const subset = new Subset(plain, [2, 0]);
    expect(subset.batchAt).toBeUndefined();
    expect(new DataLoader({ dataset: subset, batchSize: 2 }).batchAt).toBeUndefined();
    expect([...(await subset.batch(Uint32Array.of(0))).indices]).toEqual([2]);
  });

  test("bad numbers and samplers are rejected", () => {
    using data = numbers(3);
    expect(() => new Subset(data, [0, 3])).toThrow(
      "Subset: example 3; expected integers from 0 to 2",
    );
    expect(() => new Subset(data, [0.5])).toThrow("Subset: example 0.5");
    expect(() => new Subset(data, [])).toThrow("Subset: no examples");
    const sampler = new BatchSampler({ size: 3, batchSize: 1 });
    const step = tensor(0, { dtype: "u32" });
    expect(() => new Subset(data, [0]).batchAt?.(step, sampler)).toThrow(
      "Subset: a sampler of 3 examples for 1; expected the same size",
    );
  });

  test("training and evaluation take subsets of labelled images", async () => {
    const pixels = Uint8Array.from({ length: 40 }, (_, i) => (i % 4 < 2 ? 255 : 0));
    const labels = Uint8Array.from({ length: 20 }, (_, i) => i % 2);
    using data = new DeviceDataset(tensor(pixels, { shape: [20, 2] }), tensor(labels));
    const { train: trainPart, test: testPart } = splitDataset(data, { train: 0.8, test: 0.2 });
    using model = new Linear(2, 2, { seed: 1 });
    using optimizer = new SGD(model.parameters(), { learningRate: 1 });
    const loader = new DataLoader({ dataset: trainPart, batchSize: 4, seed: 1 });
    expect(loader.batchAt).toBeDefined();
    const events = train({
      model,
      optimizer,
      loader,
      epochs: 3,
      loss: (net, batch) => mean(square(sub(net.call(batch.images), oneHot(batch.labels, 2)))),
      testData: testPart,
    });
    let accuracy: number | undefined;
    for await (const event of events) if (event.event === "epoch") accuracy = event.testAccuracy;
    expect(accuracy).toBe(1);
    for (const part of [trainPart, testPart]) part.dispose();
  });
});

describe("splitDataset", () => {
  test("parts hold every example once, in order, the same for a seed", () => {
    using data = numbers(101);
    const shares = { train: 0.8, validation: 0.1, test: 0.1 };
    const parts = splitDataset(data, shares, { seed: 4 });
    expect(Object.keys(parts)).toEqual(["train", "validation", "test"]);
    expect([parts.train.size, parts.validation.size, parts.test.size]).toEqual([81, 10, 10]);
    const all = Object.values(parts).map((part) => [...part.indices]);
    expect(all.flat().sort((a, b) => a - b)).toEqual([...values(101)]);
    for (const part of all) expect(part).toEqual([...part].sort((a, b) => a - b));
    const again = splitDataset(data, shares, { seed: 4 });
    expect(again.test.indices).toEqual(parts.test.indices);
    expect(splitDataset(data, shares, { seed: 5 }).test.indices).not.toEqual(parts.test.indices);
    const plain = splitDataset(data, shares, { shuffle: false });
    expect([...plain.validation.indices]).toEqual([...values(10, 81)]);
  });

  test("stratified parts have the classes' shares and the same sizes", () => {
    const sizes = [[200, [120, 50, 30]] as const, [103, [3, 40, 60]] as const];
    for (const [n, counts] of sizes) {
      using data = numbers(n);
      const stratify = counts.flatMap((count, c) => Array.from({ length: count }, () => c));
      const shares = { train: 0.7, validation: 0.2, test: 0.1 };
      const parts = splitDataset(data, shares, { stratify, seed: 2 });
      const plain = splitDataset(data, shares, { seed: 2 });
      for (const [name, share] of Object.entries(shares) as [keyof typeof shares, number][]) {
        expect(parts[name].size).toBe(plain[name].size);
        for (const [c, count] of counts.entries()) {
          const found = parts[name].indices.filter((i) => stratify[i] === c).length;
          expect(Math.abs(found - share * count)).toBeLessThan(2);
        }
      }
    }
  });

  test("bad shares are rejected", () => {
    using data = numbers(10);
    expect(() => splitDataset(data, { train: 0.8, test: 0.1 })).toThrow(
      "splitDataset: shares 0.8, 0.1 with the sum 0.9",
    );
    expect(() => splitDataset(data, { train: 1.5, test: -0.5 })).toThrow(
      "expected numbers above 0",
    );
    expect(() => splitDataset(data, { train: 0.99, test: 0.01 })).toThrow(
      "splitDataset: a share of 0.01 of 10 examples; expected at least one",
    );
    expect(() => splitDataset(data, { all: 1 }, { seed: -1 })).toThrow("splitDataset: seed -1");
    expect(() => splitDataset(data, { all: 1 }, { stratify: [1] })).toThrow(
      "splitDataset: 1 classes to stratify; expected 10",
    );
  });
});

describe("kFold", () => {
  test("each example is for validation once, and for training in the other folds", () => {
    using data = numbers(11);
    const folds = kFold(data, 3, { seed: 1 });
    expect(folds.map(({ validation }) => validation.size)).toEqual([4, 4, 3]);
    const held = folds.flatMap(({ validation }) => [...validation.indices]);
    expect(held.sort((a, b) => a - b)).toEqual([...values(11)]);
    for (const { train: rest, validation } of folds) {
      const both = [...rest.indices, ...validation.indices].sort((a, b) => a - b);
      expect(both).toEqual([...values(11)]);
      expect([...rest.indices]).toEqual([...rest.indices].sort((a, b) => a - b));
    }
  });

  test("stratified folds share out each class evenly", () => {
    using data = numbers(50);
    const stratify = Array.from({ length: 50 }, (_, i) => (i < 10 ? 0 : 1));
    for (const { validation } of kFold(data, 5, { stratify, seed: 3 })) {
      expect(validation.size).toBe(10);
      expect(validation.indices.filter((i) => stratify[i] === 0).length).toBe(2);
    }
  });

  test("bad numbers of folds are rejected", () => {
    using data = numbers(3);
    for (const k of [1, 4, 2.5]) {
      expect(() => kFold(data, k)).toThrow(`kFold: k ${k}; expected an integer from 2 to 3`);
    }
  });
});
