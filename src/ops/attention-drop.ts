import { foldIn, type Key, randomBits, uniformFromBits } from "../core/random.ts";
import type { Strided } from "../core/strided.ts";
import { Position } from "../forms/position.ts";
import type { Formula } from "../forms/scalars.ts";
import { defineOp, type OpDefinition } from "../graph/op.ts";
import { apply, type Tensor } from "../graph/tensor.ts";
import { RANDOM } from "../kernels/shaders.ts";
import { stretch } from "./broadcast.ts";
import { zeros } from "./creation.ts";

/** What is dropped: a share, by a key and the number of a step. */
export interface Drop {
  readonly rate: number;
  readonly key: Key;
  readonly step: Tensor;
}

/** What tells which weights are dropped. */
interface DropAttributes extends Record<string, unknown> {
  readonly rate: number;
}

interface WordsAttributes extends Record<string, unknown> {
  readonly batch: number;
  readonly key: Key;
}

/** y[b] = (step, the key's two words, b): `[batch, 4]`. */
const wordsOp: OpDefinition<WordsAttributes> = defineOp<WordsAttributes>({
  name: "dropWords",
  infer: ([step], { batch }) => ({ shape: [batch, 4], dtype: step.dtype }),
  cpu: (y, [step], { batch, key }) => {
    for (let part = 0; part < batch; part++) {
      y.data.set([step.data[step.offset], ...key, part], 4 * part);
    }
  },
  form: {
    kind: "pointwise",
    element: ({ at, load, scalars, y, attributes: { key } }) => {
      const m = scalars(y.dtype);
      const [part, i] = at.coordinates;
      const when = (n: number, yes: typeof i, no: typeof i) => {
        return m.call("select", no, yes, m.call("==", i, m.literal(n)));
      };
      const step = load(0, Position.at(at.body, [], []));
      return when(0, step, when(1, m.number(key[0]), when(2, m.number(key[1]), part)));
    },
  },
  vjp: null,
});

/** What tells which weights of each part are dropped. */
export function dropWords(batch: number, drop: Drop | null, like: Tensor): Tensor {
  if (drop) return apply(wordsOp, [drop.step], { batch, key: drop.key });
  return stretch(zeros([1, 1], { dtype: "u32", device: like.device }), [batch, 4]);
}

/** A word of a part. */
function wordOf({ data, offset, strides }: Strided, part: number, i: number): number {
  return data[offset + part * strides[0] + i * strides[1]];
}

/** A uniform number for each of a row's weights: those of `uniformAt` for `[b, rows, keys]`. */
export function drawRow(words: Strided, part: number, row: number, rows: number, keys: number) {
  const [step, low, high, own] = [0, 1, 2, 3].map((i) => wordOf(words, part, i));
  const bits = randomBits(foldIn([low, high], step), keys, (own * rows + row) * keys);
  return Float64Array.from(bits, uniformFromBits);
}

/** Writes what dropping leaves of a number, by random bits. */
export function shareFormula(rate: number): Formula {
  if (rate === 0) return (_, x) => x;
  const kept = 1 - rate;
  return (m, x, bits) => {
    const isKept = m.call("<", m.call("random_unit", bits), m.number(kept));
    return m.call("select", m.literal(0), m.call("*", x, m.number(1 / kept)), isKept);
  };
}

/** y[b, row, key] = x[b, row, key] / (1 − rate) or 0, by words `[b, 4]`. */
const dropOp: OpDefinition<DropAttributes> = defineOp<DropAttributes>({
  name: "dropWeights",
  cost: 200,
  cpu: (y, [x, words], { rate }) => {
    const [batch, rows, keys] = x.shape;
    const [a, b, c] = x.strides;
    let at = 0;
    for (let part = 0; part < batch; part++) {
      for (let row = 0; row < rows; row++) {
        const draws = drawRow(words, part, row, rows, keys);
        for (let key = 0; key < keys; key++) {
          const value = x.data[x.offset + part * a + row * b + key * c];
          y.data[at++] = draws[key] < 1 - rate ? value / (1 - rate) : 0;
        }
      }
    }
  },
  form: {
    kind: "pointwise",
    libraries: RANDOM,
    batching: "rows",
    element: ({ at, load, scalars, inputs: [x, words], attributes: { rate } }) => {
      const { body } = at;
      const [batch, rows, keys] = x.shape;
      const [part, row, key] = at.indices;
      const m = scalars("u32");
      const word = (i: number) => {
        return load(1, Position.at(body, words.shape, [part, { constant: i, digits: [] }]));
      };
      const pair = m.call("vec2u", word(1), word(2));
      const own = m.call("threefry2x32", pair, m.call("vec2u", word(0), m.literal(1)));
      const first = m.call("*", word(3), m.literal(rows * keys));
      const place = m.call("+", first, Position.at(body, [rows, keys], [row, key]).linear);
      const bits = body.bind(m.call("random_bits", body.bind(own), place));
      const share = shareFormula(rate) as Exclude<Formula, string>;
      return batch === 0 ? load(0, at) : share(scalars(x.dtype), load(0, at), bits);
    },
  },
  vjp: (g, { inputs: [, words], attributes }) => [apply(dropOp, [g, words], attributes), null],
});

/** Drops a share of weights `[b, rows, keys]`, or of what belongs to them. */
export function dropWeights(x: Tensor, words: Tensor, rate: number): Tensor {
  return rate === 0 ? x : apply(dropOp, [x, words], { rate });
}
