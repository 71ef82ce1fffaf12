import { beforeAll, describe, expect, test } from "vitest";
import irisTable from "../../examples/iris/iris.csv?raw";
import {
  add,
  type Device,
  type DType,
  mean,
  memory,
  mul,
  type NumericArray,
  Parameter,
  type State,
  type Tensor,
  tensor,
  where,
} from "../../src/index.ts";
import { crossEntropy, meanSquaredError } from "../../src/losses/index.ts";
import { accuracy } from "../../src/metrics/index.ts";
import { Linear, Module, Sequential, Tanh } from "../../src/nn/index.ts";
import { exponentialDecay } from "../../src/optim/index.ts";
import {
  GeneticAlgorithm,
  type GeneticAlgorithmOptions,
  lossPerIndividual,
} from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

interface Examples {
  readonly x: Tensor;
  readonly y: Tensor;
}

function xor(): Examples {
  const x = [0, 0, 0, 1, 1, 0, 1, 1];
  return { x: tensor(x, { shape: [4, 2] }), y: tensor([0, 1, 1, 0], { shape: [4, 1] }) };
}

/** Fisher's 150 flowers, each measure with mean 0 and variance 1. */
function iris(): Examples {
  const lines = irisTable
    .trim()
    .split("\n")
    .slice(1)
    .map((line) => line.split(","));
  const species = [...new Set(lines.map((line) => line[4]))];
  const columns = [0, 1, 2, 3].map((i) => lines.map((line) => Number(line[i])));
  const scaled = columns.map((values) => {
    const mean = values.reduce((a, b) => a + b) / values.length;
    const variance = values.reduce((a, b) => a + (b - mean) ** 2, 0) / values.length;
    return values.map((v) => (v - mean) / Math.sqrt(variance));
  });
  const x = Float32Array.from({ length: 600 }, (_, i) => scaled[i % 4][i >> 2]);
  const labels = Int32Array.from(lines, (line) => species.indexOf(line[4]));
  return { x: tensor(x, { shape: [150, 4] }), y: tensor(labels) };
}

type Net = Sequential;

class Bare extends Module {
  constructor(readonly list: readonly Parameter[]) {
    super();
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

const meanSquare = (net: Net, { x, y }: Examples) =>
  lossPerIndividual(meanSquaredError, net.call(x), y);
const entropy = (net: Net, { x, y }: Examples) => lossPerIndividual(crossEntropy, net.call(x), y);

function network(sizes: readonly [number, number, number], seed: number): Net {
  const [inputs, hidden, outputs] = sizes;
  return new Sequential(
    new Linear(inputs, hidden, { seed: 2 * seed }),
    new Tanh(),
    new Linear(hidden, outputs, { seed: 2 * seed + 1 }),
  );
}

type Search = Partial<GeneticAlgorithmOptions<Net, Examples>>;

function xorSearch(options: Search = {}) {
  const model = network([2, 4, 1], options.seed ?? 0);
  return { model, search: new GeneticAlgorithm({ model, loss: meanSquare, ...options }) };
}

async function best(search: GeneticAlgorithm<Net, Examples>): Promise<number> {
  return (await search.losses.data())[0];
}

describe.each([1, 2, 3])("seed %i", (seed) => {
  test("solves XOR", async () => {
    const examples = xor();
    const { model, search } = xorSearch({ seed });
    for (let i = 0; i < 60; i++) await search.step(examples);
    search.loadBest();
    using y = model.call(examples.x);
    expect(Array.from(await y.data(), (v) => v > 0.5)).toEqual([false, true, true, false]);
    expect(await meanSquaredError(y, examples.y).item()).toBeLessThan(0.02);
    search.dispose();
  });

  test("tells the species of 95 % of Fisher's flowers", async () => {
    const examples = iris();
    const model = network([4, 16, 3], seed);
    const search = new GeneticAlgorithm({ model, loss: entropy, populationSize: 50, seed });
    for (let i = 0; i < 60; i++) await search.step(examples);
    search.loadBest();
    using y = model.call(examples.x);
    expect(await accuracy(y, examples.y).item()).toBeGreaterThanOrEqual(0.95);
    search.dispose();
  });
});

test.each<Search>([
  { selection: "roulette", crossover: "blend" },
  {
    crossover: "one-point",
    mutationScale: exponentialDecay(1, { decaySteps: 20, decayRate: 0.5 }),
  },
  { populationSize: 40, elite: 5, tournamentSize: 2, crossoverRate: 0.5, mutationRate: 0.2 },
])("solves XOR with %o", async (options) => {
  const examples = xor();
  const { search } = xorSearch({ seed: 4, ...options });
  for (let i = 0; i < 80; i++) await search.step(examples);
  expect(await best(search)).toBeLessThan(0.05);
  search.dispose();
});

test("evaluates each individual as the model would with its weights", async () => {
  const examples = xor();
  const { model, search } = xorSearch({ populationSize: 5, elite: 1 });
  const genes = await (search.state().get("population") as State).data();
  const first = await Promise.all(model.parameters().map((p) => p.data()));
  const size = genes.length / 5;
  expect(genes.slice(0, size)).toEqual(Float32Array.from(first.flatMap((p) => [...p])));
  const expected: number[] = [];
  for (let i = 0; i < 5; i++) {
    let at = i * size;
    for (const p of model.parameters()) {
      p.assign(tensor(genes.slice(at, at + p.size), { shape: p.shape }));
      at += p.size;
    }
    using loss = meanSquaredError(model.call(examples.x), examples.y);
    expected.push(await loss.item());
  }
  await search.step(examples);
  expectClose(
    await search.losses.data(),
    expected.sort((a, b) => a - b),
  );
  search.dispose();
});

test("keeps the elite untouched, so that on one batch the best never gets worse", async () => {
  const examples = xor();
  const { model, search } = xorSearch({ elite: 3, mutationRate: 1 });
  const population = search.state().get("population") as State;
  const size = population.size / 100;
  let least = Number.POSITIVE_INFINITY;
  let elite: NumericArray = new Float32Array(0);
  for (let i = 0; i < 8; i++) {
    const before = await population.data();
    const rows = Array.from({ length: 100 }, (_, r) =>
      String(before.slice(r * size, (r + 1) * size)),
    );
    await search.step(examples);
    const losses = await search.losses.data();
    expect([...losses]).toEqual([...losses].sort((a, b) => a - b));
    expect(losses[0]).toBeLessThanOrEqual(least);
    least = losses[0];
    elite = (await population.data()).slice(0, 3 * size);
    for (let r = 0; r < 3; r++) {
      expect(rows).toContain(String(elite.slice(r * size, (r + 1) * size)));
    }
  }
  expect(await search.generation.item()).toBe(8);
  search.loadBest();
  const loaded = await Promise.all(model.parameters().map((p) => p.data()));
  expect(loaded.flatMap((p) => [...p])).toEqual([...elite.slice(0, size)]);
  expect(await meanSquaredError(model.call(examples.x), examples.y).item()).toBeCloseTo(least, 6);
  search.dispose();
});

test("takes individuals whose loss is NaN for the worst", async () => {
  const examples = xor();
  const loss = (net: Net, batch: Examples) => {
    const losses = meanSquare(net, batch);
    const isOdd = tensor(Array.from({ length: 10 }, (_, i) => i % 2 === 1));
    return where(isOdd, Number.NaN, losses);
  };
  const { search } = xorSearch({ loss, populationSize: 10, elite: 4 });
  await search.step(examples);
  const losses = [...(await search.losses.data())];
  expect(losses.slice(0, 5).every(Number.isFinite)).toBe(true);
  expect(losses.slice(5).every(Number.isNaN)).toBe(true);
  search.dispose();
});

test("a roulette never chooses what is not better than the worst", async () => {
  const examples = xor();
  const losses = tensor(
    Float32Array.from({ length: 20 }, (_, i) => (i === 0 ? 0 : i > 1 ? NaN : 1)),
  );
  const loss = (net: Net, batch: Examples) => add(mul(meanSquare(net, batch), 0), losses);
  const chance = { tournamentSize: 1, crossoverRate: 1, mutationRate: 0 };
  const alike = async (selection: "roulette" | "tournament") => {
    const { search } = xorSearch({ loss, populationSize: 20, elite: 1, selection, ...chance });
    const population = search.state().get("population") as State;
    const rows = async () => {
      const genes = await population.data();
      const size = genes.length / 20;
      return Array.from({ length: 20 }, (_, i) => String(genes.slice(i * size, (i + 1) * size)));
    };
    const [first] = await rows();
    await search.step(examples);
    const children = await rows();
    search.dispose();
    return children.filter((row) => row === first).length;
  };
  expect(await alike("roulette")).toBe(20);
  expect(await alike("tournament")).toBeLessThan(10);
});

test("a plan may be made before, and a generation be profiled", async () => {
  const examples = xor();
  using search = xorSearch({ populationSize: 4 }).search;
  expect([...search.state().keys()]).toEqual(["population", "generation", "losses"]);
  await search.prepare(examples);
  expect(await search.generation.item()).toBe(0);
  expect((await search.profile(examples)).kernels.length).toBeGreaterThan(0);
  expect(await search.generation.item()).toBe(1);
  const wrong = search.step({ ...examples, x: new WeakMap() as never });
  await expect(wrong).rejects.toThrow(/^GeneticAlgorithm: batch\.x is a WeakMap/);
});

test("the states that it holds are given back", () => {
  const searches = [0, 1].map(() => xorSearch({ populationSize: 4 }).search);
  const [first, second] = searches;
  first.dispose();
  {
    using _ = second;
  }
  for (const search of searches) {
    const states = [...search.state().values()];
    expect(states.map(({ disposed }) => disposed)).toEqual([true, true, true]);
  }
});

test("shares may be none and all", () => {
  for (const share of [0, 1]) {
    const { search } = xorSearch({ crossoverRate: share, mutationRate: share });
    search.dispose();
  }
});

test("the same seed gives the same bits, another one others", async () => {
  const examples = xor();
  const ends: string[] = [];
  for (const [seed, stepsPerSubmit] of [
    [7, 1],
    [7, 5],
    [8, 1],
  ]) {
    const model = network([2, 4, 1], 0);
    const search = new GeneticAlgorithm({ model, loss: meanSquare, seed, stepsPerSubmit });
    for (let i = 0; i < 12; i++) await search.step(examples);
    ends.push(String(await (search.state().get("population") as State).data()));
    search.dispose();
  }
  expect(ends[0]).toBe(ends[1]);
  expect(ends[0]).not.toBe(ends[2]);
});

test("steps hold what is in memory constant", async () => {
  const examples = xor();
  const { search } = xorSearch();
  for (let i = 0; i < 3; i++) await search.step(examples);
  const { tensors, bytes } = memory();
  for (let i = 0; i < 30; i++) await search.step(examples);
  expect(memory().tensors).toBeLessThanOrEqual(tensors);
  expect(memory().bytes).toBeLessThanOrEqual(bytes);
  search.dispose();
});

test.each<[Search, string]>([
  [{ populationSize: 1 }, "populationSize 1; expected an integer from 2"],
  [{ elite: 0 }, "elite 0; expected an integer from 1 to 99"],
  [{ elite: 100 }, "elite 100; expected an integer from 1 to 99"],
  [{ tournamentSize: 0 }, "tournamentSize 0; expected an integer from 1"],
  [{ crossoverRate: 1.5 }, "crossoverRate 1.5; expected a number from 0 to 1"],
  [{ crossoverRate: "0.5" as never }, 'crossoverRate "0.5"; expected a number from 0 to 1'],
  [{ mutationRate: Number.NaN }, "mutationRate NaN; expected a number from 0 to 1"],
  [{ mutationScale: -1 }, "mutationScale -1; expected a finite number from 0"],
  [{ initialScale: -1 }, "initialScale -1; expected a finite number from 0"],
  [{ selection: "best" as "roulette" }, "selection best; expected tournament, roulette"],
  [
    { crossover: "two-point" as "blend" },
    "crossover two-point; expected uniform, one-point, blend",
  ],
  [{ seed: 0.5 }, "seed 0.5; expected an integer from 0 to 2^53 - 1"],
])("rejects %o", (options, message) => {
  expect(() => xorSearch({ ...options })).toThrow(`GeneticAlgorithm: ${message}`);
});

test("rejects models without parameters, and losses of another shape", async () => {
  const empty = new Sequential(new Tanh());
  expect(() => new GeneticAlgorithm({ model: empty, loss: meanSquare })).toThrow(
    "GeneticAlgorithm: no parameters; expected at least one",
  );
  const mixed: [DType[], string][] = [
    [["i32"], '"list.0" has dtype i32'],
    [["f32", "i32"], '"list.1" has dtype i32'],
  ];
  if (device.kind === "cpu") mixed.push([["f32", "f64"], '"list.1" has dtype f64']);
  for (const [dtypes, wrong] of mixed) {
    const parameters = dtypes.map((dtype) => new Parameter(tensor([1], { dtype })));
    expect(
      () => new GeneticAlgorithm({ model: new Bare(parameters), loss: meanSquare as never }),
    ).toThrow(`GeneticAlgorithm: ${wrong}; expected f32 or f64, one for all`);
  }
  const loss = (net: Net, { x }: Examples) => mean(net.call(x));
  const { search } = xorSearch({ loss });
  await expect(search.step(xor())).rejects.toThrow(
    "GeneticAlgorithm: losses of shape []; expected [100], one for each individual. " +
      "Use lossPerIndividual",
  );
  const wrong: [number[][][] | number[], number[] | number, string][] = [
    [[[[1]]], [1, 2], "outputs [1, 1, 1], targets [2]"],
    [[1], 1, "outputs [1], targets []"],
  ];
  for (const [outputs, targets, given] of wrong) {
    const call = () =>
      lossPerIndividual(meanSquaredError, tensor(outputs as number[]), tensor(targets as number[]));
    expect(call).toThrow(`lossPerIndividual: ${given}; expected [p, n, …] and [n, …]`);
  }
  expect(() => lossPerIndividual(1 as never, tensor([[1]]), tensor([1]))).toThrow(
    "lossPerIndividual: loss is 1; expected a function",
  );
  const each = lossPerIndividual(
    meanSquaredError,
    tensor([
      [1, 2],
      [1, 4],
    ]),
    tensor([1, 2]),
  );
  expect(await each.toArray()).toEqual([0, 2]);
});
