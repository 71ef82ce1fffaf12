import { beforeAll, expect, test } from "vitest";
import { GPT } from "../../examples/gpt/network.ts";
import { ngramLoss } from "../../examples/gpt/ngrams.ts";
import { baselinesOf, type Settings, tokensOf, trainOnText } from "../../examples/gpt/training.ts";
import { Writer } from "../../examples/gpt/writer.ts";
import { argmax, slice, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(async () => {
  await testDevice();
});

/** Words by a rule: which of four follows depends on the two before. */
function ruledText(words: number): string {
  const names = ["ada", "bob", "cyd", "dee"];
  const places = [0, 1];
  while (places.length < words) {
    const [a, b] = places.slice(-2);
    places.push((a + 2 * b + 1) % 4);
  }
  return places.map((i) => names[i]).join(" ");
}

const small: Settings = {
  layers: 1,
  heads: 2,
  width: 16,
  context: 16,
  dropout: 0,
  seed: 1,
  steps: 60,
  batchSize: 16,
  learningRate: 0.02,
  weightDecay: 0.1,
  every: 30,
  sample: 12,
  temperature: 0.5,
};

test("a small network learns a text better than counts of single characters, and writes", async () => {
  const text = ruledText(300);
  const { model, tokenizer, history, step } = await trainOnText(text, small);
  expect(step).toBe(60);
  expect(history.map(({ step }) => step)).toEqual([30, 60]);
  expect(history[1].loss).toBeLessThan(history[0].loss);
  const { unigram, bigram, trigram } = baselinesOf(text);
  expect(bigram).toBeLessThan(unigram);
  expect(trigram).toBeLessThan(bigram);
  expect(history[1].validation).toBeLessThan(bigram);
  for (const { sample } of history) {
    expect([...sample]).toHaveLength(13);
    for (const character of sample) expect(tokenizer.characters).toContain(character);
  }
  expect(model.training).toBe(false);
  model.dispose();
});

test("greedy writing with what attention keeps is that without, also beyond the context", async () => {
  const { tokenizer, train } = tokensOf(ruledText(40));
  const context = 6;
  const model = new GPT(tokenizer.vocabularySize, { ...small, layers: 2, context, seed: 4 }).eval();
  const writer = new Writer(model);
  const prompt = [...train.slice(0, 3)];
  const written = await writer.write(prompt, { length: 9, temperature: 0 });
  const all = [...prompt];
  let start = 0;
  while (all.length < 12) {
    if (all.length - start > context) start = all.length - context / 2;
    const seen = all.slice(start);
    using logits = model.call(tensor(Int32Array.from(seen), { shape: [1, seen.length] }));
    all.push((await argmax(slice(logits, [{}, { start: -1 }])).item()) as number);
  }
  expect([...written]).toEqual(all.slice(3));
  expect(new Set(written).size).toBeGreaterThan(1);
  // What is drawn is its seed's.
  const draw = (seed: number) => writer.write(prompt, { length: 12, temperature: 2, seed });
  const [a, b, c] = [await draw(1), await draw(1), await draw(2)];
  expect(a).toEqual(b);
  expect(a).not.toEqual(c);
  for (const held of [writer, model]) held.dispose();
});

test("the network of the command has 800,000 parameters, the vectors of characters among them once", () => {
  const model = new GPT(77, { ...small, layers: 4, heads: 4, width: 128, context: 64 });
  const w = 128;
  // Four blocks of 12 w² weights and 13 w biases and norms, a norm, vectors of characters.
  expect(model.size).toBe(4 * (12 * w ** 2 + 13 * w) + 2 * w + 77 * w);
  expect(model.size).toBeGreaterThanOrEqual(800_000);
  model.dispose();
});

test("counts cost what their formula says", () => {
  // Of a a b: p(a) = (2 + 5/2) / (3 + 5), p(b) = (1 + 5/2) / 8; behind a are a and b once each.
  const [a, b] = [4.5 / 8, 3.5 / 8];
  const unigram = -(Math.log(a) + Math.log(b)) / 2;
  expect(ngramLoss([0, 0, 1], [0, 1], 1, 2)).toBeCloseTo(unigram, 12);
  const bigram = -(Math.log(a) + Math.log((1 + 5 * b) / (2 + 5))) / 2;
  expect(ngramLoss([0, 0, 1], [0, 1], 2, 2)).toBeCloseTo(bigram, 12);
});

test("an aborted run stops before its next step", async () => {
  const controller = new AbortController();
  const { step, model } = await trainOnText(
    ruledText(60),
    { ...small, steps: 1000, every: 2, sample: 1 },
    { signal: controller.signal, onProgress: () => controller.abort() },
  );
  expect(step).toBe(2);
  model.dispose();
});
