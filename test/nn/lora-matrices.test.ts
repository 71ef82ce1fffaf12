import { beforeAll, describe, expect, test } from "vitest";
import {
  broadcastTo,
  compile,
  type Device,
  GradusError,
  grad,
  mul,
  type Parameter,
  randomNormal,
  type State,
  sum,
  type Tensor,
} from "../../src/index.ts";
import { saveSafetensors } from "../../src/io/index.ts";
import { parseSafetensors } from "../../src/io/safetensors.ts";
import {
  type AnyModule,
  addLora,
  GRU,
  GRUCell,
  Linear,
  LSTM,
  LSTMCell,
  loadState,
  loraState,
  MultiheadAttention,
  mergeLora,
  RNN,
  removeLora,
  Sequential,
  TransformerEncoderLayer,
  unmergeLora,
  weightNorm,
} from "../../src/nn/index.ts";
import golden from "../fixtures/lora.json" with { type: "json" };
import { expectWithin } from "../support/close.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";
import { digest, waves } from "../support/recurrent-cases.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const dtype = inBrowser ? "f32" : "f64";
const values = async (x: Tensor) => [...(await x.data())] as number[];
const near = (given: ArrayLike<number>, wanted: ArrayLike<number>, within = 1e-8) => {
  const limit = inBrowser ? 5e-5 : within;
  expectWithin(given, wanted, (value) => limit * (1 + Math.abs(value)));
};

/** What PyTorch gives of a layer with adapters; test/fixtures/lora.py makes it. */
interface Golden {
  readonly results: number[][];
  readonly a: Readonly<Record<string, number[]>>;
  readonly b: Readonly<Record<string, number[]>>;
}

/** A layer of that file, and what it gives. */
interface Case {
  make(): AnyModule;
  run(model: AnyModule): Tensor[];
}

function of<M extends AnyModule>(make: () => M, run: (model: M) => unknown): Case {
  const flat = (x: unknown): Tensor[] => (Array.isArray(x) ? x.flatMap(flat) : [x as Tensor]);
  return { make, run: (model) => flat(run(model as M)) };
}

const given = (n: number, ...shape: number[]) => waves(shape, n, { device, dtype });
const both = { numLayers: 2, bidirectional: true };

const CASES: Record<keyof typeof golden, Case> = {
  attention: of(
    () => new MultiheadAttention(4, 2, { dtype }),
    (m) => m.withWeights(given(20, 2, 3, 4)),
  ),
  "attention to others": of(
    () => new MultiheadAttention(4, 2, { dtype }),
    (m) => m.withWeights(given(20, 2, 2, 4), given(21, 2, 3, 4), given(22, 2, 3, 4)),
  ),
  "attention of several sizes": of(
    () => new MultiheadAttention(4, 2, { kdim: 3, vdim: 5, dtype }),
    (m) => m.withWeights(given(20, 2, 2, 4), given(21, 2, 3, 3), given(22, 2, 3, 5)),
  ),
  RNN: of(
    () => new RNN(3, 4, { dtype }),
    (m) => m.call(given(20, 2, 5, 3)),
  ),
  LSTM: of(
    () => new LSTM(3, 4, { ...both, projSize: 2, dtype }),
    (m) => m.call(given(20, 2, 5, 3)),
  ),
  GRU: of(
    () => new GRU(3, 4, { ...both, dtype }),
    (m) => m.call(given(20, 2, 5, 3)),
  ),
  LSTMCell: of(
    () => new LSTMCell(3, 4, { dtype }),
    (m) => m.call(given(20, 2, 3), [given(30, 2, 4), given(31, 2, 4)]),
  ),
  GRUCell: of(
    () => new GRUCell(3, 4, { dtype }),
    (m) => m.call(given(20, 2, 3), given(30, 2, 4)),
  ),
};

/** A layer of waves, as in PyTorch's file, with adapters where its own matrices are. */
function adapted({ make }: Case): AnyModule {
  const model = make();
  const named = [...model.state()].filter(([name]) => name !== "step");
  const theirs = named.map(([name, x], n) => {
    const shape = x.pytorch?.axes ? [...x.shape].reverse() : x.shape;
    return [nameThere(name, x), waves(shape, n, { device, dtype })] as const;
  });
  loadState(model as never, new Map(theirs), { from: "pytorch" });
  addLora(model, {
    rank: 2,
    alpha: 3,
    match: (_, part) => !(part instanceof Linear),
  });
  return model;
}

const nameThere = (name: string, x: State) =>
  name.startsWith("outProj.") ? `out_proj.${name.slice(8)}` : (x.pytorch?.name ?? name);

/** A and B by the names of PyTorch's weights; one pair has none. */
function pairsOf(model: AnyModule, name: string): [a: Parameter, b: Parameter] {
  const { loraA, loraB } = model as unknown as Record<string, Record<string, Parameter>>;
  const own = name.replace(/_(l?)(.)/g, (_, l, letter) => l.toUpperCase() + letter.toUpperCase());
  return own in loraA ? [loraA[own], loraB[own]] : ([loraA, loraB] as never);
}

describe.each(Object.entries(CASES))("adapters of %s", (name, one) => {
  test("give what PyTorch gives, beside the weights and in them", async () => {
    const { results, a, b } = (golden as unknown as Record<string, Golden>)[name];
    using model = adapted(one);
    using plain = one.make();
    loadState(plain as never, model as never, { strict: false });
    const before = await Promise.all(one.run(plain).map(values));
    for (const [i, y] of one.run(model).entries()) near(await values(y), before[i], 1e-12);
    const pairs = Object.keys(a).map((weight) => pairsOf(model, weight));
    expect(new Set(model.namedParameters().values())).toEqual(new Set(pairs.flat()));
    for (const [i, [own, other]] of pairs.entries()) {
      const [rows, columns] = [own.shape[0], other.shape[1]];
      own.assign(given(50 + 2 * i, 2, rows).transpose());
      other.assign(given(51 + 2 * i, columns, 2).transpose());
    }
    const expectGolden = async () => {
      const ys = one.run(model);
      expect(ys.length).toBe(results.length);
      for (const [i, y] of ys.entries()) near(await values(y), results[i]);
      return ys;
    };
    const ys = await expectGolden();
    const loss = ys
      .map((y, n) => sum(mul(y, given(40 + n, ...y.shape))))
      .reduce((x, y) => x.add(y));
    const slopes = grad(loss, pairs.flat()).map((g) => g.transpose());
    const wanted = Object.keys(a).flatMap((weight) => [a[weight], b[weight]]);
    for (const [i, g] of slopes.entries()) near(await digest(g), wanted[i]);
    mergeLora(model);
    expect(Object.keys(model)).not.toContain("forward");
    await expectGolden();
    unmergeLora(model);
    await expectGolden();
    removeLora(model);
    for (const [i, y] of one.run(model).entries()) near(await values(y), before[i]);
  });
});

test("adapters of several weights are saved alone, here and as PyTorch's, and leave nothing", async () => {
  const net = () => new Sequential({ cell: new LSTM(3, 4, { seed: 1 }) } as never);
  using model = net();
  const names = [...model.state().keys()];
  removeLora(mergeLora(addLora(model))); // weights have been assigned
  const before = held(device);
  addLora(model, { rank: 2, seed: 3 });
  const own = [...loraState(model).keys()];
  expect(own).toEqual([
    "cell.loraA.weightIhL0",
    "cell.loraA.weightHhL0",
    "cell.loraB.weightIhL0",
    "cell.loraB.weightHhL0",
  ]);
  for (const [i, state] of [...loraState(model).values()].entries()) {
    using values = randomNormal(state.shape, { seed: i });
    state.assign(values);
  }
  const bytes = await saveSafetensors(loraState(model), {}, { to: "pytorch" });
  const { tensors } = parseSafetensors("test", bytes);
  expect([...tensors].map(([name, { shape }]) => [name, shape])).toEqual([
    ["cell.lora_A.weight_hh_l0", [2, 4]],
    ["cell.lora_A.weight_ih_l0", [2, 3]],
    ["cell.lora_B.weight_hh_l0", [16, 2]],
    ["cell.lora_B.weight_ih_l0", [16, 2]],
  ]);
  using other = addLora(net(), { rank: 2 });
  loadState(loraState(other), bytes, { from: "pytorch" });
  for (const [name, state] of loraState(other)) {
    expect(await values(state)).toEqual(await values(loraState(model).get(name) as Tensor));
  }
  mergeLora(model);
  expect([...model.state().keys()].filter((name) => name.includes("Merged"))).toEqual(
    own.map((name) => name.replace("lora", "loraMerged")),
  );
  removeLora(model);
  removeLora(other);
  other.dispose();
  expect([...model.state().keys()]).toEqual(names);
  expect(held(device)).toBe(before);
});

test("compiled functions notice adapters of attention that come, merge and go", async () => {
  using attention = new MultiheadAttention(8, 2, { seed: 1 });
  const x = randomNormal([1, 3, 8], { seed: 2 });
  const run = compile((m: MultiheadAttention, y: Tensor) => m.withWeights(y));
  const both = async () => {
    const [own, compiled] = [attention.withWeights(x), await run(attention, x)];
    for (const [i, y] of compiled.entries()) near(await values(y), await values(own[i]), 1e-5);
    return values(own[1]);
  };
  const plain = await both();
  addLora(attention, { rank: 2, seed: 3 });
  for (const state of loraState(attention).values()) state.assign(randomNormal(state.shape));
  const changed = await both();
  expect(changed).not.toEqual(plain);
  mergeLora(attention);
  near(await both(), changed, 1e-4);
  removeLora(unmergeLora(attention));
  near(await both(), plain, 1e-4);
  run.dispose();
});

test("a layer drops the same elements of all inputs, in training", async () => {
  using cell = new GRUCell(64, 2, { seed: 1 }).train();
  addLora(cell, { dropout: 0.5, seed: 2 });
  const states = loraState(cell);
  for (const state of states.values()) state.assign(randomNormal(state.shape, { seed: 3 }));
  const row = randomNormal([1, 64], { seed: 4 });
  const rows = broadcastTo(row, [3, 64]);
  const first = await values(cell.call(rows));
  expect(first.slice(0, 2)).toEqual(first.slice(2, 4));
  expect(await values(cell.call(rows))).not.toEqual(first);
  expect(await cell.state().get("loraDropout.step")?.item()).toBe(4); // two weights, twice
  cell.eval();
  expect(await values(cell.call(rows))).toEqual(await values(cell.call(rows)));
});

test("the layers of a transformer get one each, and those whose weights are computed none", () => {
  using layer = new TransformerEncoderLayer(4, 2, { dimFeedforward: 6, seed: 1 });
  addLora(layer, { rank: 1 });
  const a = [...loraState(layer).keys()].filter((name) => name.endsWith("loraA"));
  expect(a).toEqual(["selfAttn.outProj.loraA", "selfAttn.loraA", "linear1.loraA", "linear2.loraA"]);
  const rnn = weightNorm(new RNN(2, 2), { name: "weightHhL0" });
  expect(() => addLora(rnn)).toThrow(
    new GradusError('addLora: layer "" has as weightHhL0 a Tensor; expected a parameter'),
  );
  const [one, two] = [new RNN(2, 2), new RNN(2, 2)];
  Object.defineProperty(two, "weightHhL0", { value: one.weightHhL0, enumerable: true });
  using shared = addLora(new Sequential({ one, two } as never), { match: "one" });
  expect(() => mergeLora(shared)).toThrow(
    new GradusError(
      'mergeLora: the weightHhL0 of "one" is that of 2 modules; expected one of its own. ' +
        "Leave the adapter beside it",
    ),
  );
});
