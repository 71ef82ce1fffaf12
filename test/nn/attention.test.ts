import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  argmax,
  compile,
  type Device,
  explain,
  GradusError,
  grad,
  matmul,
  mul,
  randomNormal,
  reshape,
  rotaryEmbedding,
  scaledDotProductAttention,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  Embedding,
  KvCache,
  LayerNorm,
  Linear,
  Module,
  MultiheadAttention,
  PositionalEncoding,
  sinusoidalPositions,
  TransformerDecoder,
  TransformerDecoderLayer,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "../../src/nn/index.ts";
import { expectWithin } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

async function expectNear(x: Tensor, expected: Tensor, within = 1e-5): Promise<void> {
  expect(x.shape).toEqual(expected.shape);
  expectWithin(await x.data(), await expected.data(), (value) => within * (1 + Math.abs(value)));
}

/** A head's columns of `[rows, heads · n]`. */
const headOf = (x: Tensor, i: number, n: number) =>
  slice(x, [{}, { start: i * n, end: (i + 1) * n }]);

test("heads in groups and turned by their positions attend as the parts do", async () => {
  const attention = new MultiheadAttention(12, 6, { kvHeads: 3, rotary: { base: 50 }, seed: 1 });
  const { inProjWeight, inProjBias, outProj } = attention;
  inProjBias?.assign(randomNormal([24], { seed: 7 }));
  const x = randomNormal([5, 12], { seed: 2 });
  const whole = add(matmul(x, inProjWeight as Tensor), inProjBias as Tensor);
  expect(whole.shape).toEqual([5, 12 + 2 * 6]);
  const outputs = Array.from({ length: 6 }, (_, i) => {
    const shared = Math.floor(i / 2); // two heads of queries share one of keys
    const q = rotaryEmbedding(headOf(whole, i, 2), { base: 50 });
    const k = rotaryEmbedding(headOf(whole, 6 + shared, 2), { base: 50 });
    const v = headOf(whole, 9 + shared, 2);
    const y = scaledDotProductAttention(q, k, v, { causal: true });
    return matmul(y, slice(outProj.weight, [{ start: 2 * i, end: 2 * i + 2 }]));
  });
  const expected = add(
    outputs.reduce((a, b) => add(a, b)),
    outProj.bias as Tensor,
  );
  await expectNear(attention.call(x, { causal: true }), expected);
  const [y, weights] = attention.withWeights(x, { causal: true, averageWeights: false });
  await expectNear(y, expected);
  expect(weights.shape).toEqual([6, 5, 5]);
  const sums = await sum(weights, { axis: -1 }).data();
  expectWithin(sums, new Array(30).fill(1), () => 1e-6);
});

test("masks say alike who may attend to whom", async () => {
  const attention = new MultiheadAttention(8, 2, { seed: 3 });
  const x = randomNormal([2, 3, 8], { seed: 4 });
  const causal = tensor([1, 0, 0, 1, 1, 0, 1, 1, 1], { shape: [3, 3], dtype: "bool" });
  const wanted = attention.call(x, { causal: true });
  await expectNear(attention.call(x, { mask: causal }), wanted);
  const none = Number.NEGATIVE_INFINITY;
  const added = tensor([0, none, none, 0, 0, none, 0, 0, 0], { shape: [3, 3] });
  await expectNear(attention.call(x, { mask: added }), wanted);
  // Padding at the end is the sequence without it.
  const padding = tensor([false, false, true], { shape: [1, 3] });
  const short = slice(x, [{}, { end: 2 }]);
  for (const options of [{}, { causal: true }, { mask: added }, { mask: causal }]) {
    const y = attention.call(x, { ...options, keyPaddingMask: padding });
    const isCausal = Object.keys(options).length > 0;
    const expected = attention.call(short, { causal: isCausal });
    await expectNear(slice(y, [{}, { end: 2 }]), expected);
  }
  // Zeros and learned rows may be attended to by all, also where nothing else may.
  const wide = new MultiheadAttention(8, 2, { addBiasKv: true, addZeroAttn: true, seed: 5 });
  const [, weights] = wide.withWeights(x, { causal: true });
  const [first] = (await weights.toArray()) as number[][][];
  for (const [i, row] of first.entries()) {
    expect(row.map((weight) => weight > 0)).toEqual(
      [0, 1, 2].map((j) => j <= i).concat(true, true),
    );
  }
});

test("a gradient of a gradient is that of differences", async () => {
  if (!device.dtypes.has("f64")) return expect(device.kind).toBe("webgpu");
  const layer = new TransformerEncoderLayer(4, 2, {
    dimFeedforward: 5,
    dropout: 0,
    activation: "gelu",
    rotary: true,
    dtype: "f64",
    seed: 6,
  });
  const x = randomNormal([3, 4], { seed: 7, dtype: "f64" });
  const direction = randomNormal([3, 4], { seed: 8, dtype: "f64" });
  const slope = (at: Tensor) => {
    const [g] = grad(sum(square(layer.call(at, { causal: true }))), [at]);
    return sum(mul(g, direction));
  };
  const [second] = grad(slope(x), [x]);
  const h = 1e-5;
  const moved = await Promise.all(
    [h, -h].map((by) => slope(add(x, mul(direction, by))).item() as Promise<number>),
  );
  const expected = (moved[0] - moved[1]) / (2 * h);
  expect(await sum(mul(second, direction)).item()).toBeCloseTo(expected, 6);
});

test("dropout drops other weights at each step in training, and none in evaluation", async () => {
  const attention = new MultiheadAttention(8, 2, { dropout: 0.5, seed: 9 });
  const x = randomNormal([6, 8], { seed: 10 });
  const plain = await attention.call(x).data();
  expect(await attention.call(x).data()).toEqual(plain);
  attention.train();
  const [a, b] = [await attention.call(x).data(), await attention.call(x).data()];
  expect(a).not.toEqual(b);
  expect(await attention.step?.item()).toBe(2);
  attention.step?.assign(zeros([], { dtype: "u32" }));
  expect(await attention.call(x).data()).toEqual(a);
  const [, weights] = attention.withWeights(x, { averageWeights: false });
  const dropped = [...(await weights.data())].filter((weight) => weight === 0).length;
  expect(dropped).toBeGreaterThan(20);
  expect(dropped).toBeLessThan(52); // of 72
});

test("positions are sines, or learned, from a start that a scalar gives", async () => {
  const table = sinusoidalPositions(7, 5, { base: 100 });
  const expected = Array.from({ length: 35 }, (_, i) => {
    const [p, c] = [Math.floor(i / 5), i % 5];
    const angle = p / 100 ** ((2 * Math.floor(c / 2)) / 5);
    return c % 2 === 0 ? Math.sin(angle) : Math.cos(angle);
  });
  expectWithin(await table.data(), expected, () => 1e-7);
  const x = randomNormal([2, 3, 5], { seed: 1 });
  const sines = new PositionalEncoding(5, { base: 100, maxLength: 6 });
  await expectNear(sines.call(x), add(x, slice(table, [{ end: 3 }])), 1e-6);
  const start = tensor(2, { dtype: "i32" });
  await expectNear(sines.call(x, start), add(x, slice(table, [{ start: 2, end: 5 }])), 1e-6);
  const learned = new PositionalEncoding(5, { learned: true, maxLength: 6, seed: 2 });
  const weight = learned.weight as Tensor;
  expect(weight.shape).toEqual([6, 5]);
  await expectNear(learned.call(x), add(x, slice(weight, [{ end: 3 }])), 1e-6);
  await expectNear(learned.call(x, start), add(x, slice(weight, [{ start: 2, end: 5 }])), 1e-6);
  const behind = await learned.call(x, tensor(5, { dtype: "i32" })).data();
  expect([...behind].map(Number.isNaN)).toEqual(Array.from({ length: 30 }, (_, i) => i % 15 >= 5));
});

/** A decoder of tokens: their vectors, positions, blocks and logits. */
class Net extends Module<[tokens: Tensor, caches?: readonly KvCache[]]> {
  readonly tokens = new Embedding(11, 8, { seed: 1 });
  readonly positions: PositionalEncoding;
  readonly blocks: TransformerEncoder;
  readonly output = new Linear(8, 11, { seed: 9 });

  constructor(readonly rotary: boolean) {
    super();
    this.positions = new PositionalEncoding(8, { learned: true, maxLength: 12, seed: 2 });
    this.blocks = new TransformerEncoder(
      (i) =>
        new TransformerEncoderLayer(8, 4, {
          dimFeedforward: 16,
          normFirst: true,
          rotary,
          kvHeads: 2,
          seed: 3 + i,
        }),
      2,
      { norm: new LayerNorm(8) },
    );
  }

  override forward(tokens: Tensor, caches?: readonly KvCache[]): Tensor {
    const x = this.tokens.call(tokens);
    const y = this.rotary ? x : this.positions.call(x, caches?.[0].position());
    return this.output.call(this.blocks.call(y, { causal: true, caches }));
  }
}

const tokensOf = (rows: readonly (readonly number[])[]) =>
  tensor(Int32Array.from(rows.flat()), { shape: [rows.length, rows[0].length] });

describe.each([true, false])("a cache, with rotary positions %s", (rotary) => {
  test("gives the logits of the whole sequence, by one plan, and the same tokens", async () => {
    const net = new Net(rotary).eval();
    const caches = net.blocks.caches({ capacity: 12, batch: 2 });
    const next = compile((token: Tensor, own: readonly KvCache[]) => {
      const logits = net.call(token, own);
      return [reshape(argmax(logits, { axis: -1 }), [2, 1]), logits];
    });
    const sequences = [[3], [7]];
    let token = tokensOf(sequences);
    for (let i = 0; i < 11; i++) {
      const [chosen, logits] = await next(token, caches);
      const whole = net.call(tokensOf(sequences));
      const last = slice(whole, [{}, { start: -1 }]);
      await expectNear(logits, last, 1e-5);
      expect(await chosen.data()).toEqual(await argmax(last, { axis: -1 }).data());
      const values = await chosen.data();
      for (const [row, sequence] of sequences.entries()) sequence.push(values[row]);
      token = chosen;
    }
    expect(new Set(sequences.flat()).size).toBeGreaterThan(2);
    expect(await caches[1].length.item()).toBe(11);
    expect(next.plans).toHaveLength(1);
    // What is kept is written in place, not copied.
    expect(String(await explain(next.plans[0]))).not.toContain("identity");
    // Anew, several positions at once, then one: not compiled.
    for (const cache of caches) cache.reset();
    const first = net.call(tokensOf(sequences.map((s) => s.slice(0, 5))), caches);
    await expectNear(first, net.call(tokensOf(sequences.map((s) => s.slice(0, 5)))));
    const sixth = net.call(tokensOf(sequences.map((s) => s.slice(5, 6))), caches);
    const six = net.call(tokensOf(sequences.map((s) => s.slice(0, 6))));
    await expectNear(sixth, slice(six, [{}, { start: 5 }]));
    for (const cache of caches) cache.dispose();
  });
});

test("time first, attention caches as batch first, and is told of in that order", async () => {
  const settings = { dimFeedforward: 12, rotary: true, kvHeads: 1, dropout: 0 };
  const encoder = (batchFirst: boolean) =>
    new TransformerEncoder(
      (i) => new TransformerEncoderLayer(8, 2, { ...settings, batchFirst, seed: i }),
      2,
    ).eval();
  const [first, own] = [encoder(true), encoder(false)];
  const x = randomNormal([5, 2, 3, 8], { seed: 1 });
  const turned = x.transpose([1, 2, 0, 3]);
  const whole = first.call(turned, { causal: true }).transpose([2, 0, 1, 3]);
  await expectNear(own.call(x, { causal: true }), whole);
  const caches = own.caches({ capacity: 5, batch: 6 });
  for (const [start, end] of [
    [0, 3],
    [3, 5],
  ]) {
    const rows = slice(x, [{ start, end }]);
    await expectNear(own.call(rows, { caches }), slice(whole, [{ start, end }]));
  }
  const [{ selfAttn }] = own.layers;
  const wanted = "MultiheadAttention: inputs [2, 4], [3, 8], [3, 8]; expected";
  expect(() => selfAttn.call(zeros([2, 4]), zeros([3, 8]))).toThrow(
    `${wanted} [l, …, 8], [s, …, 8], [s, …, 8]`,
  );
  expect(() => first.layers[0].selfAttn.call(zeros([2, 4]), zeros([3, 8]))).toThrow(
    `${wanted} […, l, 8], […, s, 8], […, s, 8]`,
  );
  expect(() => own.call(zeros([6, 2, 3, 8]), { caches })).toThrow(
    "KvCache: rows [6, 1, 6, 4]; expected [6, 1, n, 4] with n up to 5",
  );
  expect(() => new MultiheadAttention(4, 2, { batchFirst: 1 as never })).toThrow(GradusError);
});

test("masks with a cache are those of positions", async () => {
  const attention = new MultiheadAttention(8, 2, { seed: 1 });
  const x = randomNormal([2, 4, 8], { seed: 4 });
  const padding = tensor([true, false, false, false, true, true, false, false], { shape: [2, 4] });
  const added = randomNormal([4, 4], { seed: 5 });
  const whole = attention.call(x, { causal: true, keyPaddingMask: padding, mask: added });
  const cache = new KvCache(attention, { capacity: 4, batch: 2 });
  for (const [start, end] of [
    [0, 1],
    [1, 4],
  ]) {
    const rows = slice(x, [{}, { start, end }]);
    const mask = slice(added, [{ start, end }]);
    const y = attention.call(rows, { cache, keyPaddingMask: padding, mask });
    await expectNear(y, slice(whole, [{}, { start, end }]));
  }
});

test("a decoder's caches keep what it has seen, beside what is remembered", async () => {
  const decoder = new TransformerDecoder(
    (i) => new TransformerDecoderLayer(8, 2, { dimFeedforward: 12, seed: i }),
    2,
  ).eval();
  const x = randomNormal([1, 4, 8], { seed: 1 });
  const memory = randomNormal([1, 3, 8], { seed: 2 });
  const whole = decoder.call(x, memory, { causal: true });
  const caches = decoder.caches({ capacity: 4 });
  for (let i = 0; i < 4; i++) {
    const row = slice(x, [{}, { start: i, end: i + 1 }]);
    const y = decoder.call(row, memory, { caches });
    await expectNear(y, slice(whole, [{}, { start: i, end: i + 1 }]));
  }
  // There is no room for a fifth.
  const y = await decoder.call(slice(x, [{}, { end: 1 }]), memory, { caches }).data();
  expect([...y].every(Number.isNaN)).toBe(true);
});

test("what comes behind a cache's capacity is NaN, and what was forgotten counts for nothing", async () => {
  const encoder = new TransformerEncoder(
    (i) => new TransformerEncoderLayer(4, 2, { dimFeedforward: 4, seed: i }),
    3,
  ).eval();
  const x = randomNormal([1, 4, 4], { seed: 1 });
  const rows = (start: number, end: number) => slice(x, [{}, { start, end }]);
  const whole = encoder.call(x, { causal: true });
  const caches = encoder.caches({ capacity: 3 });
  const next = compile((y: Tensor) => encoder.call(y, { caches }));
  for (const run of [(y: Tensor) => encoder.call(y, { caches }), next]) {
    await (await run(rows(0, 1))).data();
    const y = await run(rows(1, 4));
    await expectNear(slice(y, [{}, { end: 2 }]), slice(whole, [{}, { start: 1, end: 3 }]));
    expect([...(await slice(y, [{}, { start: 2 }]).data())].every(Number.isNaN)).toBe(true);
    for (const cache of caches) cache.reset();
    await (await run(mul(rows(0, 3), Number.NaN))).data();
    for (const cache of caches) cache.reset();
    await expectNear(await run(rows(0, 1)), slice(whole, [{}, { end: 1 }]));
    for (const cache of caches) cache.reset();
  }
  const attention = new MultiheadAttention(4, 2, { seed: 1 });
  const cache = new KvCache(attention, { capacity: 1 });
  const [, weights] = attention.withWeights(rows(0, 2), {
    cache: new KvCache(attention, { capacity: 2 }),
  });
  expect(weights.shape).toEqual([1, 2, 4]);
  attention.call(rows(0, 1), { cache });
  const [y, none] = attention.withWeights(rows(1, 2), { cache });
  for (const one of [y, none]) expect([...(await one.data())].every(Number.isNaN)).toBe(true);
});

test("a call that is refused caches and drops nothing", async () => {
  const attention = new MultiheadAttention(4, 2, { dropout: 0.5, seed: 1 }).train();
  const cache = new KvCache(attention, { capacity: 4 });
  const x = zeros([1, 2, 4]);
  const bools = (...shape: number[]) => zeros(shape, { dtype: "bool" });
  const integers = zeros([2, 2], { dtype: "i32" });
  const plain = (value: unknown) => value as never;
  const decoder = new TransformerDecoderLayer(4, 2, { seed: 1 });
  const encoder = new TransformerEncoder((i) => new TransformerEncoderLayer(4, 2, { seed: i }), 2);
  const caches = encoder.caches({ capacity: 4 });
  const rows: [() => unknown, string][] = [
    [
      () => attention.call(x, { cache, mask: zeros([3, 3]) }),
      "MultiheadAttention: mask [3, 3]; expected what broadcasts to [1, 2, 2, 4]",
    ],
    [
      () => attention.call(x, { cache, mask: bools(2, 2) }),
      "MultiheadAttention: mask [2, 2]; expected what broadcasts to [1, 2, 2, 4]",
    ],
    [
      () => attention.call(x, { cache, keyPaddingMask: bools(1, 2) }),
      "MultiheadAttention: keyPaddingMask [1, 2]; expected […, 4]",
    ],
    [
      () => attention.call(x, { cache, keyPaddingMask: bools(3, 4) }),
      "MultiheadAttention: keyPaddingMask [3, 4]; expected […, 4], all but the last axis as [1]",
    ],
    [
      () => attention.call(x, { mask: integers, keyPaddingMask: bools(1, 2) }),
      "MultiheadAttention: mask has dtype i32; expected bool or f32",
    ],
    [
      () => attention.call(x, { mask: plain([[1]]) }),
      "MultiheadAttention: mask is an array; expected a tensor",
    ],
    [
      () => attention.call(zeros([2, 2, 4]), zeros([3, 2, 4])),
      "MultiheadAttention: shapes [2] and [3] do not broadcast",
    ],
    [
      () => attention.call(x, zeros([1, 2, 4], { dtype: "i32" })),
      "MultiheadAttention: input 1 has dtype i32; expected f32",
    ],
    [
      () => attention.call(zeros([1, 1, 4]), x, { cache }),
      "MultiheadAttention: 1 rows of queries, 2 of keys; expected as many for a cache",
    ],
    [
      () => attention.call(x, x, zeros([2, 2, 4]), { cache }),
      "KvCache: rows [2, 2, 2, 2]; expected [1, 2, n, 2] with n up to 4",
    ],
    [
      () => decoder.call(x, x, { cache, memoryMask: zeros([3, 3]) }),
      "TransformerDecoderLayer: memoryMask [3, 3]; expected what broadcasts to [1, 2, 2, 2]",
    ],
    [
      () => encoder.call(x, { caches: plain(caches[0]) }),
      "TransformerEncoder: caches a KvCache; expected an array of KvCaches",
    ],
    [
      () => encoder.call(x, { caches: [caches[0], plain(null)] }),
      "TransformerEncoder: caches an array; expected an array of KvCaches",
    ],
    [
      () => encoder.call(x, { caches: [caches[0], caches[0]] }),
      "TransformerEncoder: 1 of 2 caches; expected one of its own for each of 2 layers",
    ],
    [
      () => encoder.call(x, { caches: [caches[0], new KvCache(attention, { capacity: 1 })] }),
      "KvCache: rows [1, 2, 2, 2]; expected [1, 2, n, 2] with n up to 1",
    ],
    [
      () => new TransformerEncoder(() => plain(undefined), 1),
      "TransformerEncoder: makeLayer(0) gives undefined; expected a module",
    ],
    [
      () => new KvCache(plain(null), { capacity: 1 }),
      "KvCache: attention null; expected a MultiheadAttention",
    ],
    [
      () => new KvCache(plain(new Linear(2, 2)), { capacity: 1 }),
      "KvCache: attention a Linear; expected a MultiheadAttention",
    ],
  ];
  for (const [fn, message] of rows) {
    const error = errorOf(fn);
    expect(error).toBeInstanceOf(GradusError);
    expect((error as Error).message).toContain(message);
  }
  const counts = [
    attention.step,
    decoder.selfAttn.step,
    ...[cache, ...caches].map((c) => c.length),
  ];
  for (const count of counts) expect(await count?.item()).toBe(0);
});

test("sizes, masks and caches that do not fit are refused, and nothing is lost", async () => {
  const attention = new MultiheadAttention(4, 2, { seed: 1 });
  const cache = new KvCache(attention, { capacity: 2 });
  const x = zeros([1, 3, 4]);
  const plain = (value: unknown) => value as never;
  const rows: [() => unknown, string][] = [
    [
      () => new MultiheadAttention(5, 2),
      "MultiheadAttention: embedDim 5, numHeads 2; expected embedDim to be a multiple",
    ],
    [
      () => new MultiheadAttention(6, 3, { kvHeads: 2 }),
      "MultiheadAttention: numHeads 3, kvHeads 2; expected numHeads to be a multiple",
    ],
    [
      () => new MultiheadAttention(6, 2, { rotary: true }),
      "MultiheadAttention: rotary with 3 features of a head; expected an even number",
    ],
    [
      () => new MultiheadAttention(4, 2, { dropout: 1 }),
      "MultiheadAttention: dropout 1; expected a number from 0 and below 1",
    ],
    [
      () => attention.call(zeros([3, 5])),
      "MultiheadAttention: inputs [3, 5], [3, 5], [3, 5]; expected […, l, 4], […, s, 4], […, s, 4]",
    ],
    [
      () => attention.call(x, zeros([1, 2, 4]), x),
      "MultiheadAttention: inputs [1, 3, 4], [1, 2, 4], [1, 3, 4]; expected […, l, 4], […, s, 4], […, s, 4]",
    ],
    [
      () => attention.call(x, { keyPaddingMask: zeros([1, 3]) }),
      "MultiheadAttention: keyPaddingMask has dtype f32; expected bool",
    ],
    [
      () => attention.call(x, { keyPaddingMask: zeros([1, 2], { dtype: "bool" }) }),
      "MultiheadAttention: keyPaddingMask [1, 2]; expected […, 3]",
    ],
    [
      () => attention.call(x, plain({ attnMask: x })),
      'MultiheadAttention: unknown option "attnMask"; expected mask, keyPaddingMask, causal, cache',
    ],
    [
      () => attention.call(x, { cache: plain({}) }),
      "MultiheadAttention: cache an object; expected a KvCache",
    ],
    [
      () => attention.call(x, { cache }),
      "KvCache: rows [1, 2, 3, 2]; expected [1, 2, n, 2] with n up to 2",
    ],
    [
      () => new KvCache(attention, { capacity: 0 }),
      "KvCache: capacity 0; expected a positive integer",
    ],
    [
      () => new TransformerEncoderLayer(4, 2, { activation: plain("tanh") }),
      'TransformerEncoderLayer: activation "tanh"; expected "relu", "gelu" or a function',
    ],
    [
      () => new TransformerEncoder(() => new TransformerEncoderLayer(4, 2), 0),
      "TransformerEncoder: numLayers 0; expected a positive integer",
    ],
    [
      () =>
        new TransformerEncoder(() => new TransformerEncoderLayer(4, 2), 2).call(x, {
          caches: [cache],
        }),
      "TransformerEncoder: 1 caches; expected one for each of 2 layers",
    ],
    [
      () => new PositionalEncoding(4, { maxLength: 2 }).call(x),
      "PositionalEncoding: input [1, 3, 4]; expected […, l, 4] with l up to 2",
    ],
    [
      () => new TransformerDecoderLayer(4, 2).call(x, plain(undefined)),
      "TransformerDecoderLayer: input 1 is undefined; expected a tensor",
    ],
    [() => sinusoidalPositions(2, 0), "sinusoidalPositions: dim 0; expected a positive integer"],
  ];
  for (const [fn, message] of rows) {
    const error = errorOf(fn);
    expect(error).toBeInstanceOf(GradusError);
    expect((error as Error).message).toContain(message);
  }
  expect(await cache.length.item()).toBe(0);
});
