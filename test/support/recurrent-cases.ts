import { type Device, grad, mul, reshape, sum, type Tensor, tensor } from "../../src/index.ts";
import {
  GRU,
  GRUCell,
  LSTM,
  LSTMCell,
  type LSTMOptions,
  loadState,
  type Module,
  RNN,
  RNNCell,
  type RNNOptions,
} from "../../src/nn/index.ts";

const LAYERS = { RNN, LSTM, GRU, RNNCell, LSTMCell, GRUCell };

/** A layer of `test/fixtures/recurrent.py`, of 3 inputs and 4 hidden values, and what it is given. */
export interface RecurrentCase {
  readonly kind: keyof typeof LAYERS;
  readonly shape: readonly number[];
  readonly options?: LSTMOptions & RNNOptions;
  readonly lengths?: readonly number[];
  readonly state?: boolean;
}

const first = { numLayers: 1 };
const both = { numLayers: 2, bidirectional: true };

/** The layers of `test/fixtures/recurrent.json`, by its names. */
export const RECURRENT_CASES: Readonly<Record<string, RecurrentCase>> = {
  RNN: { kind: "RNN", shape: [2, 5, 3], options: first },
  "RNN of relu": {
    kind: "RNN",
    shape: [2, 5, 3],
    options: { ...both, nonlinearity: "relu" },
    state: true,
  },
  "RNN in rows": {
    kind: "RNN",
    shape: [4, 5, 3],
    options: both,
    lengths: [2, 4, 5, 1],
    state: true,
  },
  "LSTM without biases": { kind: "LSTM", shape: [2, 5, 3], options: { bias: false } },
  LSTM: { kind: "LSTM", shape: [2, 5, 3], options: both, state: true },
  "LSTM in rows": {
    kind: "LSTM",
    shape: [4, 5, 3],
    options: both,
    lengths: [2, 4, 5, 1],
    state: true,
  },
  "LSTM projected": {
    kind: "LSTM",
    shape: [2, 5, 3],
    options: { ...both, projSize: 2 },
    state: true,
  },
  "LSTM projected in rows": {
    kind: "LSTM",
    shape: [2, 5, 3],
    options: { ...both, projSize: 2 },
    lengths: [3, 5],
  },
  "LSTM of one series": { kind: "LSTM", shape: [5, 3], options: { numLayers: 2 }, state: true },
  GRU: { kind: "GRU", shape: [2, 5, 3], options: both, state: true },
  "GRU in rows": { kind: "GRU", shape: [4, 5, 3], options: both, lengths: [2, 4, 5, 1] },
  "GRU time first": {
    kind: "GRU",
    shape: [5, 2, 3],
    options: { numLayers: 2, bias: false, batchFirst: false },
    state: true,
  },
  RNNCell: { kind: "RNNCell", shape: [2, 3], state: true },
  "RNNCell of relu": {
    kind: "RNNCell",
    shape: [2, 3],
    options: { nonlinearity: "relu", bias: false },
    state: true,
  },
  LSTMCell: { kind: "LSTMCell", shape: [2, 3], state: true },
  "LSTMCell from zeros": { kind: "LSTMCell", shape: [2, 3], options: { bias: false } },
  GRUCell: { kind: "GRUCell", shape: [2, 3], state: true },
  "GRUCell without biases": {
    kind: "GRUCell",
    shape: [2, 3],
    options: { bias: false },
    state: true,
  },
};

/** 0.6 sin(0.37 i + 0.8 n) for i = 0, 1, … */
export function waves(shape: readonly number[], n: number, like: Pick<Tensor, "device" | "dtype">) {
  const size = shape.reduce((a, b) => a * b, 1);
  const values = Float64Array.from({ length: size }, (_, i) => 0.6 * Math.sin(0.37 * i + 0.8 * n));
  return tensor(values, { shape, dtype: like.dtype, device: like.device });
}

/** What a module gives, as a list. */
function flat(result: unknown): Tensor[] {
  return Array.isArray(result) ? result.flatMap(flat) : [result as Tensor];
}

/** What a layer gives of waves with weights of waves, and the gradients of a weighted sum of it. */
export interface RecurrentOutcome {
  readonly results: Tensor[];
  /** Of its input and its state. */
  readonly inputs: Tensor[];
  /** Of weights, by PyTorch's names and in its order of axes. */
  readonly weights: ReadonlyMap<string, Tensor>;
}

/** Computes what `test/fixtures/recurrent.py` computes of a case; weights go in as a file's would. */
export function recurrentOutcome(
  { kind, shape, options = {}, lengths, state }: RecurrentCase,
  device: Device,
  dtype: "f32" | "f64",
): RecurrentOutcome {
  const like = { device, dtype };
  const Layer = LAYERS[kind] as unknown as new (...given: unknown[]) => Module<unknown[], unknown>;
  const layer = new Layer(3, 4, { ...options, ...like });
  const own = [...layer.state()].map(([name, x]) => ({
    name,
    x,
    theirs: x.pytorch?.name as string,
  }));
  const values = own.map(({ x, theirs }, n) => {
    return [theirs, waves([...x.shape].reverse(), n, like)] as const;
  });
  loadState(layer, new Map(values), { from: "pytorch" });
  const x = waves(shape, 20, like);
  const { numLayers = 1, bidirectional = false, projSize = 0, batchFirst = true } = options;
  const isCell = kind.endsWith("Cell");
  const rows = isCell
    ? shape.slice(0, -1)
    : [
        numLayers * (bidirectional ? 2 : 1),
        ...(shape.length > 2 ? [shape[batchFirst ? 0 : 1]] : []),
      ];
  const sizes = [projSize || 4, ...(kind.startsWith("LSTM") ? [4] : [])];
  const start = state ? sizes.map((size, i) => waves([...rows, size], 30 + i, like)) : [];
  const given = start.length > 1 ? start : start[0];
  const ends = lengths && [tensor([...lengths], { dtype: "i32", device })];
  const results = flat(layer.call(x, given, ...(ends ?? [])));
  const terms = results.map((y, n) => sum(mul(y, waves(y.shape, 40 + n, like))));
  const loss = terms.reduce((a, b) => a.add(b));
  const slopes = grad(loss, [x, ...start, ...own.map(({ x }) => x)]);
  const inputs = slopes.splice(0, 1 + start.length);
  const weights = slopes.map((g, i) => [own[i].theirs, g.rank > 1 ? g.transpose() : g] as const);
  return { results, inputs, weights: new Map(weights) };
}

/** A gradient's first and last element, and its products with two waves. */
export async function digest(g: Tensor): Promise<number[]> {
  const values = await reshape(g, [g.size]).data();
  let [cosines, sines] = [0, 0];
  values.forEach((value, i) => {
    cosines += value * Math.cos(0.53 * i);
    sines += value * Math.sin(0.91 * i);
  });
  return [values[0], values[values.length - 1], cosines, sines];
}
