import { beforeAll, expect, test } from "vitest";
import { debug } from "../../src/debug.ts";
import {
  compile,
  type Device,
  evaluate,
  GradusError,
  grad,
  init,
  mul,
  randomNormal,
  ShapeError,
  slice,
  square,
  squeeze,
  stack,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { loadSafetensors, saveSafetensors } from "../../src/io/index.ts";
import {
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  loadState,
  type Module,
  RNN,
  RNNCell,
  removeParametrization,
  spectralNorm,
  weightNorm,
} from "../../src/nn/index.ts";
import TORCH from "../fixtures/recurrent.json" with { type: "json" };
import { errorOf } from "../support/error-of.ts";
import { digest, RECURRENT_CASES, recurrentOutcome } from "../support/recurrent-cases.ts";

let cpu: Device;
let plain: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu" })).device;
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

const values = async (x: Tensor) => [...(await x.data())];

function expectNear(actual: readonly number[], wanted: readonly number[], epsilon = 1e-9): void {
  expect(actual.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) {
    expect(Math.abs(actual[i] - value)).toBeLessThan(epsilon * Math.max(1, Math.abs(value)));
  }
}

interface Expected {
  readonly results: number[][];
  readonly inputs: number[][];
  readonly weights: Readonly<Record<string, number[]>>;
}

test("each case of PyTorch's is compared", () => {
  expect(Object.keys(RECURRENT_CASES)).toEqual(Object.keys(TORCH));
});

test.each(Object.entries(RECURRENT_CASES))(
  "%s: values and gradients are PyTorch's",
  async (name, one) => {
    const wanted = (TORCH as unknown as Record<string, Expected>)[name];
    const { results, inputs, weights } = recurrentOutcome(one, cpu, "f64");
    evaluate(...results, ...inputs, ...weights.values());
    expect(results.length).toBe(wanted.results.length);
    for (const [i, y] of results.entries()) expectNear(await values(y), wanted.results[i]);
    for (const [i, g] of inputs.entries()) expectNear(await digest(g), wanted.inputs[i]);
    expect([...weights.keys()]).toEqual(Object.keys(wanted.weights));
    for (const [theirs, g] of weights) expectNear(await digest(g), wanted.weights[theirs]);
  },
);

test.each(Object.entries(RECURRENT_CASES))(
  "%s: compiled in f32 it is what it is in f64",
  async (_, one) => {
    const [own, wanted] = [recurrentOutcome(one, cpu, "f32"), recurrentOutcome(one, plain, "f64")];
    const all = ({ results, inputs, weights }: typeof own) => [
      ...results,
      ...inputs,
      ...weights.values(),
    ];
    for (const outcome of [own, wanted]) evaluate(...all(outcome));
    for (const [i, y] of all(own).entries()) {
      expectNear(await values(y), await values(all(wanted)[i]), 2e-5);
    }
  },
);

/** Numbers as rows of a matrix. */
function rowsOf(flat: readonly number[], columns: number): number[][] {
  return Array.from({ length: flat.length / columns }, (_, i) => {
    return flat.slice(i * columns, (i + 1) * columns);
  });
}

const sigma = (x: number) => 1 / (1 + Math.exp(-x));

test.each([1, 1e4])(
  "an LSTM is what a loop of numbers gives, rows of their own lengths from both ends, of inputs about %d",
  async (std) => {
    const [n, time, inputs, hidden] = [3, 6, 2, 3];
    const lengths = [6, 2, 4];
    const lstm = new LSTM(inputs, hidden, { bidirectional: true, seed: 3, dtype: "f64" });
    const x = randomNormal([n, time, inputs], { seed: 1, std, dtype: "f64" });
    const [y, [h, c]] = lstm.call(x, undefined, tensor(lengths, { dtype: "i32" }));
    const given = rowsOf(await values(x), inputs);
    const outputs = rowsOf(await values(y), 2 * hidden);
    for (const [d, ending] of ["", "Reverse"].entries()) {
      const weight = async (name: string) => {
        const { data, columns } = await (async () => {
          const p = lstm.state().get(name + ending) as Tensor;
          return { data: await values(p), columns: p.shape[p.rank - 1] };
        })();
        return rowsOf(data, columns);
      };
      const [wi, wh] = [await weight("weightIhL0"), await weight("weightHhL0")];
      const [[bi], [bh]] = [await weight("biasIhL0"), await weight("biasHhL0")];
      for (let row = 0; row < n; row++) {
        let [hidden_, cell] = [new Array(hidden).fill(0), new Array(hidden).fill(0)];
        for (let k = 0; k < lengths[row]; k++) {
          const t = d === 0 ? k : lengths[row] - 1 - k;
          const own = given[row * time + t];
          const z = bi.map((b, j) => {
            const fromX = own.reduce((all, value, i) => all + value * wi[i][j], 0);
            return b + bh[j] + fromX + hidden_.reduce((all, value, i) => all + value * wh[i][j], 0);
          });
          cell = cell.map((value, j) => {
            return sigma(z[hidden + j]) * value + sigma(z[j]) * Math.tanh(z[2 * hidden + j]);
          });
          hidden_ = cell.map((value, j) => sigma(z[3 * hidden + j]) * Math.tanh(value));
          expectNear(outputs[row * time + t].slice(d * hidden, (d + 1) * hidden), hidden_);
        }
        for (let t = lengths[row]; t < time; t++) {
          expect(outputs[row * time + t]).toEqual(new Array(2 * hidden).fill(0));
        }
        const at = (d * n + row) * hidden;
        expectNear((await values(h)).slice(at, at + hidden), hidden_);
        expectNear((await values(c)).slice(at, at + hidden), cell);
      }
    }
  },
);

/** Gives a layer's weights to a cell. */
function asCell<M extends Module<never, unknown>>(cell: M, layer: Module<never, unknown>): M {
  const own = [...layer.state()].map(([name, x]) => [name.replace("L0", ""), x] as const);
  loadState(cell as unknown as Map<string, never>, new Map(own));
  return cell;
}

const pairs = {
  RNN: [RNN, RNNCell],
  LSTM: [LSTM, LSTMCell],
  GRU: [GRU, GRUCell],
} as const;

test.each(Object.entries(pairs))(
  "%s has the gradients, of second order too, of its cell in a loop",
  async (_, [Layer, Cell]) => {
    const options = { seed: 2, dtype: "f64" } as const;
    const layer = new Layer(2, 3, options) as unknown as Module<[Tensor], [Tensor, unknown]>;
    const cell = asCell(
      new Cell(2, 3, { dtype: "f64" }) as unknown as Module<[Tensor, unknown?], unknown>,
      layer,
    );
    const x = randomNormal([2, 5, 2], { seed: 4, dtype: "f64" });
    const byLayer = layer.call(x)[0];
    let state: unknown;
    const rows = Array.from({ length: 5 }, (_, t) => {
      state = cell.call(squeeze(slice(x, [{}, { start: t, end: t + 1 }]), 1), state);
      return Array.isArray(state) ? state[0] : state;
    });
    const byCell = stack(rows as Tensor[], { axis: 1 });
    expectNear(await values(byLayer), await values(byCell));
    const weights = randomNormal(byLayer.shape, { seed: 5, dtype: "f64" });
    const slopesOf = (y: Tensor, module: Module<never, unknown>) => {
      const by = [x, ...module.parameters()];
      const first = grad(sum(mul(y, weights)), by);
      const total = first.map((g) => sum(square(g))).reduce((a, b) => a.add(b));
      return [...first, ...grad(total, by)];
    };
    const [own, wanted] = [slopesOf(byLayer, layer), slopesOf(byCell, cell)];
    evaluate(...own, ...wanted);
    for (const [i, g] of own.entries()) expectNear(await values(g), await values(wanted[i]), 1e-8);
  },
);

test("a state that was given goes on where another call ended", async () => {
  const lstm = new LSTM(2, 3, { numLayers: 2, seed: 1, dtype: "f64" });
  const x = randomNormal([2, 6, 2], { seed: 1, dtype: "f64" });
  const [whole, [h, c]] = lstm.call(x);
  const [start, between] = lstm.call(slice(x, [{}, { end: 4 }]));
  const [rest, end] = lstm.call(slice(x, [{}, { start: 4 }]), between);
  const joined = [
    await values(slice(whole, [{}, { end: 4 }])),
    await values(slice(whole, [{}, { start: 4 }])),
  ];
  expectNear(await values(start), joined[0]);
  expectNear(await values(rest), joined[1]);
  expectNear(await values(end[0]), await values(h));
  expectNear(await values(end[1]), await values(c));
});

test.each([LSTM, GRU, RNN])("values of 1e4 leave slopes finite", async (Layer) => {
  const layer = new Layer(4, 8, { seed: 1, numLayers: 2 }) as unknown as Module<[Tensor], [Tensor]>;
  const x = randomNormal([3, 5, 4], { seed: 1, std: 1e4 });
  const [y] = layer.call(x);
  const slopes = grad(sum(y), [x, ...layer.parameters()]);
  evaluate(y, ...slopes);
  for (const all of [y, ...slopes]) expect((await values(all)).every(Number.isFinite)).toBe(true);
});

test("a file of PyTorch's names takes a layer's weights there and back", async () => {
  const make = (seed: number) =>
    new LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2, seed });
  const [from, to] = [make(1), make(2)];
  const bytes = await saveSafetensors(from, {}, { to: "pytorch" });
  const tensors = await loadSafetensors(bytes);
  expect(tensors.get("weight_hh_l1_reverse")?.shape).toEqual([16, 2]);
  expect(loadState(to, bytes, { from: "pytorch" })).toEqual({ missing: [], unknown: [] });
  const x = randomNormal([2, 5, 3], { seed: 1 });
  expect(await values(to.call(x)[0])).toEqual(await values(from.call(x)[0]));
});

test("under debug the turns are made one by one, and give the same", async () => {
  const gru = new GRU(2, 3, { bidirectional: true, seed: 1, dtype: "f64" });
  const x = randomNormal([2, 4, 2], { seed: 2, dtype: "f64" });
  const lengths = tensor([4, 1], { dtype: "i32" });
  const wanted = await values(gru.call(x, undefined, lengths)[0]);
  const found = await debug(() => values(gru.call(x, undefined, lengths)[0]));
  expectNear(found, wanted);
});

test("weights begin between ±1/√hidden, the same of a seed, each its own", async () => {
  const layers = [1, 1, 2].map((seed) => new GRU(30, 25, { seed }));
  const all = await Promise.all(layers.map((one) => Promise.all(one.parameters().map(values))));
  expect(all[0]).toEqual(all[1]);
  expect(all[0]).not.toEqual(all[2]);
  const flat = all[0].flat();
  expect(Math.max(...flat)).toBeLessThan(0.2);
  expect(Math.max(...flat)).toBeGreaterThan(0.199);
  expect(Math.min(...flat)).toBeLessThan(-0.199);
  expect(Math.min(...flat)).toBeGreaterThanOrEqual(-0.2);
  expect(Math.abs(flat.reduce((a, b) => a + b, 0) / flat.length)).toBeLessThan(0.005);
  expect(all[0][2]).not.toEqual(all[0][3]);
});

test("parameters have PyTorch's names, in our spelling and order of axes", () => {
  const lstm = new LSTM(3, 4, { numLayers: 2, bidirectional: true, projSize: 2 });
  expect([...lstm.state()].slice(0, 10).map(([name, { shape }]) => [name, ...shape])).toEqual([
    ["weightIhL0", 3, 16],
    ["weightHhL0", 2, 16],
    ["biasIhL0", 16],
    ["biasHhL0", 16],
    ["weightHrL0", 4, 2],
    ["weightIhL0Reverse", 3, 16],
    ["weightHhL0Reverse", 2, 16],
    ["biasIhL0Reverse", 16],
    ["biasHhL0Reverse", 16],
    ["weightHrL0Reverse", 4, 2],
  ]);
  expect(lstm.weightIhL1.shape).toEqual([4, 16]);
  expect(lstm.weightIhL0).toBe(lstm.state().get("weightIhL0"));
  expect([...lstm.state().values()].slice(5, 7).map(({ pytorch }) => pytorch)).toEqual([
    { name: "weight_ih_l0_reverse", axes: [1, 0] },
    { name: "weight_hh_l0_reverse", axes: [1, 0] },
  ]);
  const names = [...new LSTMCell(3, 4).state()].map(([name, { pytorch }]) => [name, pytorch?.name]);
  expect(names).toEqual([
    ["weightIh", "weight_ih"],
    ["weightHh", "weight_hh"],
    ["biasIh", "bias_ih"],
    ["biasHh", "bias_hh"],
  ]);
});

test("dropout sets outputs between layers to 0 in training mode, others each time", async () => {
  const gru = new GRU(2, 16, { numLayers: 2, dropout: 0.5, seed: 1 });
  const x = randomNormal([4, 3, 2], { seed: 1 });
  const run = async () => values(gru.call(x)[0]);
  const still = await run();
  expect(await run()).toEqual(still);
  gru.train();
  const [first, second] = [await run(), await run()];
  expect(first).not.toEqual(still);
  expect(first).not.toEqual(second);
  const again = new GRU(2, 16, { numLayers: 2, dropout: 0.5, seed: 1 }).train();
  expect(await values(again.call(x)[0])).toEqual(first);
  const one = new GRU(2, 16, { dropout: 0.5, seed: 1 });
  expect(one.drop).toBe(null);
  expect([...one.state().keys()]).toHaveLength(4);
  // The second layer is given 0 or twice the value: with weights of one unit it tells which.
  const two = new RNN(1, 200, {
    numLayers: 2,
    dropout: 0.25,
    nonlinearity: "relu",
    bias: false,
    seed: 1,
  });
  for (const p of two.parameters()) p.assign(zeros(p.shape));
  two.weightIhL0.assign(zeros([1, 200]).add(1));
  const eye = tensor(
    Float32Array.from({ length: 40_000 }, (_, i) => Number(i % 201 === 0)),
    { shape: [200, 200] },
  );
  two.weightIhL1.assign(eye);
  const [y] = two.train().call(zeros([1, 4, 1]).add(1));
  const found = await values(y);
  expect(new Set(found.map((value) => value.toFixed(4)))).toEqual(new Set(["0.0000", "1.3333"]));
  const dropped = found.filter((value) => value === 0).length / found.length;
  expect(Math.abs(dropped - 0.25)).toBeLessThan(0.06);
});

test.each(["plain", "compiled"] as const)(
  "lengths that cannot be are errors: %s",
  async (engine) => {
    const { device } = await init({ device: "cpu", engine, isolated: true });
    const gru = new GRU(2, 3, { seed: 1, device });
    const run = (...lengths: number[]) => {
      const x = zeros([lengths.length, 3, 2], { device });
      return values(gru.call(x, undefined, tensor(lengths, { dtype: "i32", device }))[0]);
    };
    for (const [i, wrong] of [4, -1].entries()) {
      const lengths = [1, 0, 3];
      lengths[i] = wrong;
      const message = `GRU: lengths: ${wrong} of example ${i}; expected 0 to 3`;
      await expect(run(...lengths)).rejects.toThrow(new GradusError(message));
    }
    expect(await run(3, 1)).toHaveLength(18);
    device.dispose();
  },
);

test("a compiled function has lengths and states as inputs", async () => {
  const gru = new GRU(2, 3, { bidirectional: true, seed: 1 });
  const run = compile((x: Tensor, h: Tensor, lengths: Tensor) => gru.call(x, h, lengths));
  const x = randomNormal([2, 4, 2], { seed: 2 });
  const h = randomNormal([2, 2, 3], { seed: 3 });
  for (const lengths of [
    [4, 1],
    [2, 3],
    [0, 4],
  ]) {
    // biome-ignore format: short
    const given = tensor(lengths, { dtype: "i32" });
    const [y, end] = await run(x, h, given);
    const [y1, end1] = gru.call(x, h, given);
    expectNear(await values(y), await values(y1), 1e-6);
    expectNear(await values(end), await values(end1), 1e-6);
  }
});

test.each([LSTM, GRU, RNN])("NaN behind the end of a row counts for nothing", async (Layer) => {
  const layer = new Layer(2, 3, {
    seed: 1,
    numLayers: 2,
    bidirectional: true,
  }) as unknown as Module<[Tensor, undefined, Tensor], [Tensor]>;
  const lengths = tensor([2], { dtype: "i32" });
  const outcome = (padding: number) => {
    const x = tensor([1, 2, 3, 4, padding, padding], { shape: [1, 3, 2] });
    const [y] = layer.call(x, undefined, lengths);
    return [y, ...grad(sum(square(y)), [x, ...layer.parameters()])];
  };
  const wanted = outcome(0);
  for (const padding of [Number.NaN, Number.POSITIVE_INFINITY]) {
    for (const [i, x] of outcome(padding).entries()) {
      expect(await values(x)).toEqual(await values(wanted[i]));
    }
  }
});

test.each([weightNorm, spectralNorm])("weights may be computed in each call", async (norm) => {
  const make = () => new GRU(2, 3, { seed: 1, numLayers: 2 });
  const [plainGru, gru] = [make(), norm(make(), { name: "weightHhL0" })];
  const x = randomNormal([1, 4, 2], { seed: 1 });
  const names = [...gru.state().values()].map(({ pytorch }) => pytorch?.name);
  const theirs = norm === weightNorm ? ["g", "v"] : ["orig", "u", "v"];
  expect(names.slice(-theirs.length)).toEqual(theirs.map((one) => `weight_hh_l0_${one}`));
  plainGru.weightHhL0.assign(gru.weightHhL0);
  expectNear(await values(gru.call(x)[0]), await values(plainGru.call(x)[0]), 1e-6);
  const computed = gru.state() as Map<string, Tensor>;
  const [name] = norm === weightNorm ? ["weightHhL0V"] : ["weightHhL0Original"];
  const [slope] = grad(sum(gru.call(x)[0]), [computed.get(name) as Tensor]);
  expect((await values(slope)).some((value) => value !== 0)).toBe(true);
  removeParametrization(gru, "weightHhL0");
  expectNear(await values(gru.call(x)[0]), await values(plainGru.call(x)[0]), 1e-6);
  gru.weightHhL0.assign(zeros([3, 9]));
  expect(await values(gru.call(x)[0])).not.toEqual(await values(plainGru.call(x)[0]));
});

test("a row without turns keeps the state it was given, as do series of none", async () => {
  const rnn = new RNN(2, 3, { seed: 1 });
  const h = randomNormal([1, 2, 3], { seed: 3 });
  const [y, end] = rnn.call(zeros([2, 4, 2]), h, tensor([0, 0], { dtype: "i32" }));
  expect(await values(y)).toEqual(new Array(24).fill(0));
  expect(await values(end)).toEqual(await values(h));
  const [none, same] = rnn.call(zeros([2, 0, 2]), h);
  expect(none.shape).toEqual([2, 0, 3]);
  expect(await values(same)).toEqual(await values(h));
});

const rejected: Record<string, readonly [() => unknown, string]> = {
  "an input of another size": [
    () => new LSTM(2, 3).call(zeros([4, 5, 3])),
    "LSTM: input [4, 5, 3]; expected [batch, time, 2], or [time, 2]",
  ],
  "an input of another rank": [
    () => new RNN(2, 3, { batchFirst: false }).call(zeros([2])),
    "RNN: input [2]; expected [time, batch, 2], or [time, 2]",
  ],
  "a state of another shape": [
    () => new GRU(2, 3, { numLayers: 2 }).call(zeros([4, 5, 2]), zeros([1, 4, 3])),
    "GRU: state [1, 4, 3]; expected [2, 4, 3]",
  ],
  "cells of another shape": [
    () => new LSTM(2, 3, { projSize: 1 }).call(zeros([5, 2]), [zeros([1, 1]), zeros([1, 1])]),
    "LSTM: state 1 [1, 1]; expected [1, 3]",
  ],
  "lengths in an array": [
    () => new GRU(2, 3).call(zeros([4, 5, 2]), undefined, [1] as never),
    "GRU: lengths is an array; expected a tensor. Use tensor(value)",
  ],
  "a state that is none": [
    () => new GRU(2, 3).call(zeros([4, 5, 2]), null as never),
    "GRU: state is null; expected a tensor. Use tensor(value)",
  ],
  "half a state": [
    () => new LSTM(2, 3).call(zeros([4, 5, 2]), zeros([1, 4, 3]) as never),
    "LSTM: state a Tensor; expected [h, c]",
  ],
  "a state of numbers": [
    () => new LSTMCell(2, 3).call(zeros([4, 2]), [[1], [2]] as never),
    "LSTMCell: state 0 is an array; expected a tensor. Use tensor(value)",
  ],
  "lengths that do not fit": [
    () => new GRU(2, 3).call(zeros([4, 5, 2]), undefined, tensor([1, 2], { dtype: "i32" })),
    "GRU: lengths [2] for input [4, 5, 2]; expected [4]",
  ],
  "lengths that are floats": [
    () => new GRU(2, 3).call(zeros([4, 5, 2]), undefined, tensor([1, 2, 3, 4])),
    "GRU: lengths have dtype f32; expected i32 or u32",
  ],
  "a cell's input of another size": [
    () => new GRUCell(2, 3).call(zeros([4, 5])),
    "GRUCell: input [4, 5]; expected [batch, 2], or [2]",
  ],
  "a cell's state of another shape": [
    () => new RNNCell(2, 3).call(zeros([2]), zeros([1, 3])),
    "RNNCell: state [1, 3]; expected [3]",
  ],
  "sizes of nothing": [() => new LSTM(2, 0), "LSTM: hiddenSize 0; expected a positive integer"],
  "layers of nothing": [
    () => new RNN(2, 3, { numLayers: 0 }),
    "RNN: numLayers 0; expected a positive integer",
  ],
  "a projection to as much": [
    () => new LSTM(2, 3, { projSize: 3 }),
    "LSTM: projSize 3; expected an integer from 0 to 2",
  ],
  "dropout of all": [
    () => new GRU(2, 3, { numLayers: 2, dropout: 1 }),
    "GRU: dropout 1; expected a number from 0 and below 1",
  ],
  "another nonlinearity": [
    () => new RNN(2, 3, { nonlinearity: "gelu" as never }),
    'RNN: nonlinearity gelu; expected tanh, relu. Did you mean "relu"?',
  ],
  "another one of a cell": [
    () => new RNNCell(2, 3, { nonlinearity: "tan" as never }),
    'RNNCell: nonlinearity tan; expected tanh, relu. Did you mean "tanh"?',
  ],
  "an option of another layer": [
    () => new GRU(2, 3, { projSize: 1 } as never),
    'GRU: unknown option "projSize"; expected bias, seed, key, device, dtype, numLayers, batchFirst, dropout, bidirectional',
  ],
  "a count of layers in the options' place": [
    () => new LSTM(2, 3, 2 as never),
    "LSTM: options 2; expected an object of bias, seed, key, device, dtype, numLayers, batchFirst, dropout, bidirectional, projSize",
  ],
};

test.each(Object.entries(rejected))("%s is refused", async (_, [call, message]) => {
  const error = await errorOf(call as () => unknown);
  expect(error).toBeInstanceOf(GradusError);
  expect((error as Error).message).toBe(message);
});

test("sizes that do not fit are errors of shapes", async () => {
  expect(await errorOf(() => new LSTM(2, 3).call(zeros([4, 5, 3])))).toBeInstanceOf(ShapeError);
  expect(await errorOf(() => new LSTM(2, 3, { projSize: 3 }))).toBeInstanceOf(ShapeError);
});
