import { beforeAll, describe, expect, test } from "vitest";
import { BucketLoader, type PaddedBatch, padSequences } from "../../src/data/index.ts";
import {
  cast,
  type Device,
  DTypeError,
  div,
  evaluate,
  GradusError,
  mean,
  mul,
  ShapeError,
  square,
  sub,
  sum,
} from "../../src/index.ts";
import { Embedding } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { fit } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

describe("padSequences", () => {
  test("pads behind, in front, with a value, to a length", async () => {
    const sequences = [Int32Array.of(1, 2, 3), Int32Array.of(), Int32Array.of(4)];
    using right = padSequences(sequences);
    expect([right.x.dtype, right.lengths.dtype, right.mask.dtype]).toEqual(["i32", "i32", "bool"]);
    expect(right.size).toBe(3);
    expect(await right.x.toArray()).toEqual([
      [1, 2, 3],
      [0, 0, 0],
      [4, 0, 0],
    ]);
    expect(await right.lengths.toArray()).toEqual([3, 0, 1]);
    using left = padSequences(sequences, { side: "left", value: -1, length: 4, dtype: "f32" });
    expect(left.x.dtype).toBe("f32");
    expect(await left.x.toArray()).toEqual([
      [-1, 1, 2, 3],
      [-1, -1, -1, -1],
      [-1, -1, -1, 4],
    ]);
    expect(await left.mask.toArray()).toEqual([
      [0, 1, 1, 1],
      [0, 0, 0, 0],
      [0, 0, 0, 1],
    ]);
  });

  test("elements may be several numbers each", async () => {
    const rows = [[[1, 2]], [[3, 4], Float32Array.of(0.5, 6)]];
    using batch = padSequences(rows, { side: "left" });
    expect(batch.x.shape).toEqual([2, 2, 2]);
    expect(await batch.x.toArray()).toEqual([
      [
        [0, 0],
        [1, 2],
      ],
      [
        [3, 4],
        [0.5, 6],
      ],
    ]);
    expect(await batch.mask.toArray()).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(padSequences([[], []]).x.shape).toEqual([2, 0]);
  });

  test.each<[string, () => unknown, string, typeof GradusError]>([
    ["no sequences", () => padSequences([]), "padSequences: no sequences; expected", ShapeError],
    ["no list", () => padSequences(3 as never), "padSequences: 3; expected a list", ShapeError],
    [
      "a number among them",
      () => padSequences([[1], 3 as never]),
      "padSequences: sequence 1 is 3; expected an array of numbers",
      GradusError,
    ],
    [
      "texts",
      () => padSequences([["a" as never]]),
      'padSequences: sequence 0 holds "a"; expected numbers, or arrays of them',
      GradusError,
    ],
    [
      "texts in elements",
      () => padSequences([[[1, 2]], [["3" as never, 4]]]),
      'padSequences: sequence 1 holds an array with "3"; expected numbers, or arrays of them',
      GradusError,
    ],
    [
      "elements with holes",
      () => padSequences([[[1, undefined as never]]]),
      "padSequences: sequence 0 holds an array with undefined; expected numbers",
      GradusError,
    ],
    [
      "big integers",
      () => padSequences([[BigInt64Array.of(1n) as never]]),
      "padSequences: sequence 0 holds a BigInt64Array with 1; expected numbers",
      GradusError,
    ],
    [
      "elements of other sizes",
      () => padSequences([[[1, 2]], [[3]]]),
      "padSequences: element 0 of sequence 1 is 1 numbers, others 2 numbers; expected one size",
      ShapeError,
    ],
    [
      "a length that is too short",
      () => padSequences([[1, 2, 3]], { length: 2 }),
      "padSequences: length 2 for a sequence of 3 elements; expected at least 3",
      ShapeError,
    ],
    [
      "another side",
      () => padSequences([[1]], { side: "top" as never }),
      "padSequences: side top; expected right, left",
      GradusError,
    ],
    [
      "another dtype",
      () => padSequences([[1]], { dtype: "i64" as never }),
      'padSequences: dtype "i64"; expected one of',
      DTypeError,
    ],
    [
      "numbers that the dtype lacks",
      () => padSequences([[0.5]], { dtype: "i32" }),
      "tensor: 0.5 as value 0 of dtype i32; expected whole numbers",
      DTypeError,
    ],
  ])("refuses %s", (_, call, message, Kind) => {
    const error = errorOf(call);
    expect(error).toBeInstanceOf(Kind);
    expect(error.message.startsWith(message), error.message).toBe(true);
  });
});

describe("BucketLoader", () => {
  /** Sequences of lengths 0 to 20 and back, in each of which all numbers are the sequence's own. */
  const lengths = Array.from({ length: 42 }, (_, i) => (i <= 20 ? i : 41 - i));
  const sequences = lengths.map((length, i) => Int32Array.from({ length }, () => i + 1));
  const labels = lengths.map((_, i) => 100 + i);
  const given = { sequences, labels, batchSize: 4, seed: 5 };

  async function seen(loader: BucketLoader, epoch: number): Promise<number[][]> {
    const all: number[][] = [];
    for (const batch of loader.epoch(epoch)) {
      const numbers = [...(await batch.labels.data())].map((label) => label - 100);
      const x = (await batch.x.toArray()) as number[][];
      expect(await batch.lengths.toArray()).toEqual(numbers.map((i) => lengths[i]));
      expect(loader.boundaries).toContain(batch.x.shape[1]);
      for (const [row, i] of numbers.entries()) {
        const padding = new Array(batch.x.shape[1] - lengths[i]).fill(0);
        expect(x[row]).toEqual([...sequences[i], ...padding]);
      }
      all.push(numbers);
      batch.dispose();
    }
    expect(all).toHaveLength(loader.stepsPerEpoch);
    return all;
  }

  test("gives each example once an epoch, in batches of one bucket", async () => {
    const loader = new BucketLoader(given);
    expect(loader.boundaries).toEqual([8, 16, 20]);
    expect(loader.stepsPerEpoch).toBe(5 + 4 + 2); // of 18, 16 and 8 sequences
    const first = await seen(loader, 0);
    expect(first.flat().sort((a, b) => a - b)).toEqual(labels.map((_, i) => i));
    for (const numbers of first) {
      const buckets = numbers.map((i) => loader.boundaries.findIndex((end) => lengths[i] <= end));
      expect(new Set(buckets).size).toBe(1);
    }
    expect(await seen(loader, 0)).toEqual(first);
    expect(await seen(loader, 1)).not.toEqual(first);
    expect(await seen(new BucketLoader({ ...given, seed: 6 }), 0)).not.toEqual(first);
    const buckets = first.map(([i]) => lengths[i]);
    expect(buckets).not.toEqual([...buckets].sort((a, b) => a - b)); // batches are shuffled too
  });

  test("keeps order, drops short batches and takes other boundaries where it is told to", async () => {
    const options = { ...given, shuffle: false, dropLast: true, boundaries: [10, 30] };
    const loader = new BucketLoader(options);
    const all = await seen(loader, 3);
    expect(all).toHaveLength(5 + 5); // of 22 and 20
    expect(all[0]).toEqual([0, 1, 2, 3]);
    expect(all[5]).toEqual([11, 12, 13, 14]);
    expect(loader.fingerprint).toEqual({
      seed: 5,
      batchSize: 4,
      size: 42,
      shuffle: false,
      dropLast: true,
      boundaries: "10 30",
    });
    expect([...loader].map((batch) => batch.size)).toEqual(new Array(10).fill(4));
  });

  test("loops go on from epoch to epoch", async () => {
    const loader = new BucketLoader(given);
    const order = async (batches: Iterable<PaddedBatch>) =>
      Promise.all([...batches].map(async ({ labels }) => [...(await labels.data())]));
    expect(await order(loader)).toEqual(await order(loader.epoch(0)));
    expect(await order(loader)).toEqual(await order(loader.epoch(1)));
  });

  test("pads labels of elements as it pads these", async () => {
    const tags = [[7, 8], [9]];
    const loader = new BucketLoader({
      sequences: [[1, 2], [3]],
      labels: tags,
      batchSize: 2,
      shuffle: false,
      side: "left",
      value: 5,
    });
    const [batch] = [...loader.epoch(0)];
    expect(await batch.x.toArray()).toEqual([
      [1, 2],
      [5, 3],
    ]);
    expect(batch.labels.dtype).toBe("i32");
    expect(await batch.labels.toArray()).toEqual([
      [7, 8],
      [-100, 9],
    ]);
  });

  test("frees what its batches held", () => {
    const loader = new BucketLoader(given);
    const before = held(device);
    for (const batch of loader.epoch(0)) {
      evaluate(batch.x, batch.lengths, batch.mask, batch.labels);
      expect(held(device)).toBeGreaterThan(before);
      batch.dispose();
      expect(held(device)).toBe(before);
    }
  });

  test("is a loader of fit, with a plan for each boundary", async () => {
    const model = new Embedding(50, 1, { seed: 1 });
    const loss = (net: Embedding, { x, mask, labels }: PaddedBatch) => {
      const own = cast(mask, "f32");
      const told = sum(mul(net.call(x).reshape(x.shape), own), { axis: 1 });
      const count = sum(own, { axis: 1 });
      return mean(square(sub(div(told, count.add(1)), div(cast(labels, "f32"), 100))));
    };
    const { history, step } = await fit({
      model,
      optimizer: new SGD(model.parameters(), { learningRate: 0.5 }),
      loss,
      loader: new BucketLoader(given),
      epochs: 3,
    });
    expect(step).toBe(33);
    expect(history[2].loss).toBeLessThan(0.5 * history[0].loss);
  });

  test.each<[string, object, string, typeof GradusError]>([
    [
      "sequences that hold others",
      { sequences: lengths.map((length) => Array.from({ length }, () => [null])) },
      "BucketLoader: sequence 1 holds an array with null; expected numbers",
      GradusError,
    ],
    [
      "boundaries that end too early",
      { boundaries: [4, 19] },
      "BucketLoader: boundaries 4, 19; expected ascending integers, the last of them from 20",
      ShapeError,
    ],
    [
      "boundaries that do not ascend",
      { boundaries: [4, 4, 20] },
      "BucketLoader: boundaries 4, 4, 20; expected",
      ShapeError,
    ],
    ["boundaries of none", { boundaries: [] }, "BucketLoader: boundaries ; expected", ShapeError],
    [
      "too few labels",
      { labels: [1] },
      "BucketLoader: labels 1; expected one for each of 42",
      ShapeError,
    ],
    [
      "labels that are no integers",
      { labels: lengths.map(() => 0.5) },
      "BucketLoader: labels of sequence 0 0.5; expected an integer",
      GradusError,
    ],
    [
      "labels of other lengths",
      { labels: lengths.map(() => [1]) },
      "BucketLoader: labels of sequence 0 an array; expected 0 integers, one for each element",
      GradusError,
    ],
    [
      "a batch larger than each bucket",
      { batchSize: 40, dropLast: true },
      "BucketLoader: batchSize 40 with dropLast leaves no batch of 42 sequences in 3 buckets",
      ShapeError,
    ],
    [
      "a batch of none",
      { batchSize: 0 },
      "BucketLoader: batchSize 0; expected a positive integer",
      ShapeError,
    ],
    ["another seed", { seed: -1 }, "BucketLoader: seed -1; expected an integer", GradusError],
    [
      "a label value that is none",
      { labelValue: 0.5 },
      "BucketLoader: labelValue 0.5; expected a 32-bit integer",
      GradusError,
    ],
  ])("refuses %s", (_, options, message, Kind) => {
    const error = errorOf(() => new BucketLoader({ ...given, ...options }));
    expect(error).toBeInstanceOf(Kind);
    expect(error.message.startsWith(message), error.message).toBe(true);
  });

  test("counts epochs as others do", () => {
    expect(() => new BucketLoader(given).epoch(-1).next()).toThrow(
      "BucketLoader: epoch -1; expected an integer from 0 to 2^32 - 1",
    );
  });
});
