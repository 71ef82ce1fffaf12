import { beforeAll, describe, expect, test } from "vitest";
import { readAll } from "../../src/graph/tensor.ts";
import {
  add,
  embedding,
  GradusError,
  grad,
  isNaN,
  matmul,
  mul,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  where,
} from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import {
  Embedding,
  Linear,
  loadState,
  type Module,
  Sequential,
  zerosInit,
} from "../../src/nn/index.ts";
import {
  Adam,
  AdamW,
  clipByGlobalNorm,
  clipByValue,
  Lion,
  type Optimizer,
  OptimizerGroup,
  SGD,
} from "../../src/optim/index.ts";
import { accumulatedStep, trainStep } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

const ids = (...values: number[]) => tensor(Int32Array.from(values));

/** Batches of ids, some of them twice, out of range, or of the padding, row 2. */
const BATCHES = [
  [1, 4, 1, 7],
  [2, 0, 4, 4],
  [7, 7, 7, 7],
  [2, -1, 9, 3],
];
const TARGET = [0.5, -1, 2];

/** Σ (w[id] − t)² over what is no padding and no row's number; weighed, so that rows differ. */
function loss(layer: Module, batch: Tensor): Tensor {
  const rows = layer.call(batch);
  const off = sub(rows, tensor(TARGET));
  const kept = where(isNaN(off), 0, off);
  return sum(mul(square(kept), tensor([[1], [2], [3], [4]])));
}

const wordLoss = (layer: Module, batch: Tensor) => sum(square(layer.call(batch)));

type Make = (layer: Embedding) => Optimizer;

/** All states after each batch, trained by compiled steps or by eager ones. */
async function trained(make: Make, sparse: boolean, isCompiled = true): Promise<number[][][]> {
  const layer = new Embedding(9, 3, { seed: 3, paddingIndex: 2, sparse });
  const optimizer = make(layer);
  const step = trainStep({ model: layer, optimizer, loss });
  const found: number[][][] = [];
  for (const batch of BATCHES) {
    using given = ids(...batch);
    if (isCompiled) await step(given);
    else optimizer.step(loss(layer, given));
    const all = await readAll("test", [layer.weight, ...optimizer.owned()]);
    found.push(all.map((values) => [...values]));
  }
  for (const part of [step, optimizer, layer]) part.dispose();
  return found;
}

const sgd: Make = (layer) => new SGD(layer.parameters(), { learningRate: 0.1 });
const clipped: Make = (layer) =>
  new SGD(layer.parameters(), {
    learningRate: 0.1,
    clip: (g) => clipByGlobalNorm(clipByValue(g, 3), 2).gradients,
  });
const grouped: Make = (layer) => {
  const member = new SGD(layer.parameters(), { learningRate: 0.1 });
  const clip = (g: readonly Tensor[]) => clipByGlobalNorm(g, 2).gradients;
  return new OptimizerGroup([member], { clip }) as unknown as Optimizer;
};

describe("an embedding", () => {
  test("gives the rows that ids name, drawn from N(0, 1)", async () => {
    using layer = new Embedding(2000, 8, { seed: 1, dtype: "f32" });
    const weight = [...(await layer.weight.data())];
    const mean = weight.reduce((a, b) => a + b) / weight.length;
    const square = weight.reduce((a, b) => a + b * b, 0) / weight.length;
    expect(Math.abs(mean)).toBeLessThan(0.03); // four standard errors, 1/√16,000
    expect(Math.abs(square - 1)).toBeLessThan(0.05);
    const rows = layer.call(tensor([[3, 0], [1999, 3]], { dtype: "i32" })); // biome-ignore format: a matrix
    expect(rows.shape).toEqual([2, 2, 8]);
    const row = (i: number) => [...weight.slice(8 * i, 8 * i + 8)];
    expect([...(await rows.data())]).toEqual([3, 0, 1999, 3].flatMap(row));
    const outside = await layer.call(ids(-1, 2000)).data();
    expect(outside.every(Number.isNaN)).toBe(true);
  });

  test("begins with zeros at the padding, which gets no gradient", async () => {
    using layer = new Embedding(4, 2, { seed: 1, paddingIndex: -1 });
    expect(layer.paddingIndex).toBe(3);
    expect([...(await layer.weight.data())].slice(6)).toEqual([0, 0]);
    for (const sparse of [false, true]) {
      const y = embedding(layer.weight, ids(3, 1, 3, 1), { paddingIndex: 3, sparse });
      const [g] = grad(sum(mul(y, 2)), [layer.weight]);
      expect(await g.toArray()).toEqual([[0, 0], [4, 4], [0, 0], [0, 0]]); // biome-ignore format: a matrix
    }
  });

  test("has second derivatives, of rows too", async () => {
    const table = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
    for (const sparse of [false, true]) {
      const y = sum(mul(square(embedding(table, ids(1, 1), { sparse })), 0.5));
      const [g] = grad(y, [table]);
      const [h] = grad(sum(square(g)), [table]); // Σ (2 w)² → 8 w
      expect(await h.toArray()).toEqual([[0, 0], [24, 32]]); // biome-ignore format: a matrix
    }
  });

  test("is made of what there is, and then stays as it is", async () => {
    using given = tensor([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
    using kept = Embedding.fromPretrained(given, { paddingIndex: 1 });
    using free = Embedding.fromPretrained(given, { freeze: false, sparse: true });
    expect(await kept.call(ids(1, 2)).toArray()).toEqual([[3, 4], [5, 6]]); // biome-ignore format: a matrix
    expect([kept.parameters().length, free.parameters().length]).toEqual([0, 1]);
    expect([kept.paddingIndex, free.paddingIndex, free.sparse]).toEqual([1, null, true]);
    expect(await given.toArray()).toEqual([[1, 2], [3, 4], [5, 6]]); // biome-ignore format: a matrix
  });

  test("refuses what is no table, no id and no padding", () => {
    expect(() => new Embedding(0, 2)).toThrow("Embedding: numEmbeddings 0; expected a positive");
    expect(() => new Embedding(2, 2, { paddingIndex: 2 })).toThrow(
      "Embedding: paddingIndex 2; expected an integer in [-2, 1]",
    );
    expect(() => new Embedding(2, 2, { weightInit: 3 as never })).toThrow(
      "Embedding: weightInit is 3; expected a function",
    );
    expect(() => Embedding.fromPretrained(tensor([1]))).toThrow(
      "Embedding.fromPretrained: weights [1]; expected [numEmbeddings, embeddingDim]",
    );
    expect(() => new Embedding(2, 2).call(tensor([0.5]))).toThrow(
      "embedding: ids have dtype f32; expected i32 or u32",
    );
  });
});

describe("rows of a table are trained alone", () => {
  test.each<[string, Make]>([
    ["SGD", sgd],
    ["SGD that clips", clipped],
    ["a group that clips", grouped],
  ])("with the bits of the whole gradient: %s", async (_, make) => {
    const whole = await trained(make, false);
    expect(await trained(make, true)).toEqual(whole);
    expect(await trained(make, true, false)).toEqual(await trained(make, false, false));
  });

  test("by Adam, whose means of other rows stay as they are", async () => {
    const make: Make = (layer) => new Adam(layer.parameters(), { learningRate: 0.1, beta2: 0.9 });
    const found = await trained(make, true);
    const eager = await trained(make, true, false);
    using start = new Embedding(9, 3, { seed: 3, paddingIndex: 2 });
    const p = [...(await start.weight.data())];
    const [m, v] = [p.map(() => 0), p.map(() => 0)];
    for (const [t, batch] of BATCHES.entries()) {
      const g = p.map(() => 0);
      for (const [j, id] of batch.entries()) {
        if (id < 0 || id > 8 || id === 2) continue;
        for (let c = 0; c < 3; c++) g[3 * id + c] += 2 * (j + 1) * (p[3 * id + c] - TARGET[c]);
      }
      for (const id of new Set(batch)) {
        if (id < 0 || id > 8 || id === 2) continue;
        for (let i = 3 * id; i < 3 * id + 3; i++) {
          m[i] = 0.9 * m[i] + 0.1 * g[i];
          v[i] = 0.9 * v[i] + 0.1 * g[i] ** 2;
          const [mean, root] = [
            m[i] / (1 - 0.9 ** (t + 1)),
            Math.sqrt(v[i] / (1 - 0.9 ** (t + 1))),
          ];
          p[i] -= (0.1 * mean) / (root + 1e-8);
        }
      }
      for (const [weight, , , means, squares] of [found[t], eager[t]]) {
        for (const [own, expected] of [
          [weight, p],
          [means, m],
          [squares, v],
        ]) {
          own.forEach((x, i) => {
            expect(Math.abs(x - expected[i])).toBeLessThanOrEqual(
              1e-5 * Math.abs(expected[i]) + 1e-6,
            );
          });
        }
      }
    }
    // Row 5 is named by no batch, row 1 by the first alone.
    const rows = (t: number, state: number, row: number) =>
      found[t][state].slice(3 * row, 3 * row + 3);
    for (const state of [0, 3, 4]) {
      expect(rows(3, state, 5)).toEqual(rows(0, state, 5));
      expect(rows(3, state, 1)).toEqual(rows(0, state, 1));
    }
  });

  test("where they are looked up several times in a step", async () => {
    const twice = (layer: Module, [a, b]: readonly Tensor[]) =>
      add(sum(square(layer.call(a))), sum(mul(layer.call(b), 3)));
    const run = async (sparse: boolean) => {
      using layer = new Embedding(6, 2, { seed: 5, sparse });
      using optimizer = new SGD(layer.parameters(), { learningRate: 0.1 });
      const step = trainStep({ model: layer, optimizer, loss: twice });
      await step([ids(1, 2, 1), ids(1, 5)]);
      await step([ids(5, 2, 2), ids(0, 0)]);
      step.dispose();
      return [...(await layer.weight.data())];
    };
    const [rows, whole] = [await run(true), await run(false)];
    rows.forEach((x, i) => {
      expect(Math.abs(x - whole[i])).toBeLessThanOrEqual(1e-6 * Math.abs(whole[i]));
    });
  });

  test("unless the table is used otherwise too", async () => {
    const tied = (layer: Embedding, batch: Tensor) =>
      sum(square(matmul(layer.call(batch), transpose(layer.weight))));
    const run = async (sparse: boolean) => {
      using layer = new Embedding(5, 2, { seed: 5, sparse });
      using optimizer = new Adam(layer.parameters(), { learningRate: 0.1 });
      const step = trainStep({ model: layer, optimizer, loss: tied });
      for (const batch of [ids(1, 2, 1), ids(4, 4, 4)]) await step(batch);
      step.dispose();
      return [...(await layer.weight.data())];
    };
    expect(await run(true)).toEqual(await run(false));
  });

  test("beside other layers, and from a checkpoint on", async () => {
    const setup = () => {
      const model = new Sequential({
        words: new Embedding(7, 4, { seed: 1, sparse: true }),
        head: new Linear(4, 1, { seed: 2 }),
      });
      const optimizer = new Adam(model.parameters(), { learningRate: 0.1 });
      const step = trainStep({
        model,
        optimizer,
        loss: (net, batch: Tensor) => sum(square(sub(net.call(batch), 1))),
      });
      const dispose = () => {
        for (const part of [step, optimizer, model]) part.dispose();
      };
      return { model, optimizer, step, dispose };
    };
    const batches = [ids(1, 1, 6), ids(0, 6, 3), ids(2, 1, 1), ids(6, 5, 5)];
    const a = setup();
    await a.step(batches[0]);
    await a.step(batches[1]);
    const kept = [await saveSafetensors(a.model), await saveSafetensors(a.optimizer)];
    for (const batch of batches.slice(2)) await a.step(batch);
    const b = setup();
    loadState(b.model, kept[0]);
    loadState(b.optimizer, kept[1]);
    for (const batch of batches.slice(2)) await b.step(batch);
    for (const [name, state] of a.model.state()) {
      expect(await b.model.state().get(name)?.data()).toEqual(await state.data());
    }
    a.dispose();
    b.dispose();
  });

  test("at the cost of the ids, however many rows there are", async () => {
    const cost = async (rows: number, make: Make) => {
      using layer = new Embedding(rows, 16, { weightInit: zerosInit, sparse: true });
      using optimizer = make(layer);
      const step = trainStep({ model: layer, optimizer, loss: wordLoss });
      const { bytes, peakBytes, kernels } = await (await step.prepare(ids(1, 2, 3, 4, 1))).stats();
      step.dispose();
      return { bytes, peakBytes, kernels: kernels.length };
    };
    const adam: Make = (layer) => new Adam(layer.parameters(), { learningRate: 0.1 });
    for (const [make, most] of [
      [sgd, 4_500],
      [clipped, 9_000],
      [adam, 9_000],
    ] as const) {
      const few = await cost(1000, make);
      expect(await cost(20_000, make)).toEqual(few);
      expect(few.bytes).toBeLessThan(most); // a table of 1,000 rows has 64,000
    }
  });

  test("where ids that name no row, and the padding, count for nothing", async () => {
    const run = async (sparse: boolean, batch: Tensor) => {
      using layer = new Embedding(4, 2, { seed: 1, sparse, paddingIndex: 0 });
      using optimizer = clipped(layer);
      optimizer.step(sum(mul(layer.call(batch), 7)));
      return [...(await layer.weight.data())];
    };
    const expected = await run(false, ids(2, 3, 3));
    expect(await run(true, ids(2, 3, 3))).toEqual(expected);
    expect(await run(true, ids(0, 2, -7, 3, 4, 0, 3, 99, 4))).toEqual(expected);
  });

  test("by no optimizer that must change the others", async () => {
    using layer = new Embedding(4, 2, { seed: 1, sparse: true });
    const says =
      /^(SGD|Adam|AdamW|Lion): the gradient of "weight" is of rows, as lookups with sparse: true give it; expected SGD without momentum and weightDecay, or Adam without amsgrad and weightDecay. Leave sparse out$/;
    const p = layer.parameters();
    const learningRate = 0.1;
    for (const optimizer of [
      new SGD(p, { learningRate, momentum: 0.9 }),
      new SGD(p, { learningRate, weightDecay: 0.1 }),
      new Adam(p, { learningRate, weightDecay: 0.1 }),
      new Adam(p, { learningRate, amsgrad: true }),
      new AdamW(p, { learningRate }),
      new Lion(p, { learningRate }),
    ]) {
      expect(() => optimizer.step(sum(layer.call(ids(1))))).toThrow(GradusError);
      expect(() => optimizer.step(sum(layer.call(ids(1))))).toThrow(says);
      optimizer.dispose();
    }
    using optimizer = new SGD(p, { learningRate });
    const step = accumulatedStep({ model: layer, optimizer, loss: wordLoss, accumulate: 2 });
    await expect(step(ids(1))).rejects.toThrow(
      'accumulatedStep: the gradient of "weight" is of rows',
    );
    step.dispose();
  });

  test.each<[string, () => unknown, string]>([
    ["none", () => [], "SGD: 0 gradients; expected 1, one for each parameter"],
    ["no list", () => undefined, "SGD: gradients undefined; expected an array of tensors"],
    ["no tensor", () => [3], "SGD: input 0 is 3; expected a tensor"],
  ])("by what clip gives: %s", (_, clip, says) => {
    using layer = new Embedding(4, 2, { seed: 1, sparse: true });
    const options = { learningRate: 0.1, clip: clip as never };
    using optimizer = new SGD(layer.parameters(), options);
    expect(() => optimizer.step(sum(layer.call(ids(1))))).toThrow(says);
  });
});
