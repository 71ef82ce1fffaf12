/** A small GPT learns to tell the next character of a text. */
import { init, tensor } from "gradus";
import { DataLoader, TextDataset } from "gradus/data";
import { AdamW, clipByGlobalNorm } from "gradus/optim";
import { trainJob } from "gradus/worker";
import { GPT } from "../../examples/gpt/network.ts";
import {
  type Baselines,
  baselinesOf,
  evaluator,
  lossOf,
  tokensOf,
} from "../../examples/gpt/training.ts";
import { Writer } from "../../examples/gpt/writer.ts";

/** How the net writes. */
export interface Writing {
  readonly prompt: string;
  readonly temperature: number;
}

export interface Task extends Writing {
  readonly text: string;
  readonly layers: number;
  readonly width: number;
  readonly context: number;
  readonly rate: number;
  readonly seed: number;
}

/** A character that may come next, and how likely it is. */
export interface Candidate {
  readonly character: string;
  readonly chance: number;
}

/** What the net writes after some steps. */
export interface Sample {
  readonly step: number;
  /** The prompt without characters that the text does not have. */
  readonly prompt: string;
  readonly written: string;
  /** What may come behind the prompt, the likeliest first. */
  readonly next: readonly Candidate[];
  /** Nats per character of the text that it is not trained on. */
  readonly validation: number;
}

/** What is told: the text at first, samples later. */
export type Note =
  | (Baselines & { readonly kind: "text"; readonly parameters: number })
  | (Sample & { readonly kind: "sample" });

const HEADS = 4;
const BATCH = 16;
/** Steps between two samples at first, characters of each, steps of a whole run. */
const [EVERY, LENGTH, STEPS] = [20, 180, 3000];

export default trainJob(async (task: Task, tell: (note: Note) => void) => {
  await init();
  const { text, layers, width, context, rate, seed } = task;
  // #region job
  const { tokenizer, train, validation } = tokensOf(text);
  const sizes = { layers, heads: HEADS, width, context, dropout: 0, seed };
  const model = new GPT(tokenizer.vocabularySize, sizes);
  const dataset = new TextDataset(train, { length: context, stride: 1 });
  const loader = new DataLoader({ dataset, batchSize: BATCH, seed, dropLast: true });
  const optimizer = new AdamW(model.parameters(), {
    learningRate: rate,
    beta2: 0.99,
    clip: (gradients) => clipByGlobalNorm(gradients, 1).gradients,
  });
  const writer = new Writer(model);
  const write = async ({ prompt, temperature }: Writing, step: number) => {
    const tokens = tokenizer.encode(prompt);
    const written = await writer.write(tokens, { length: LENGTH, temperature, seed: step });
    return tokenizer.decode(written);
  };
  // #endregion
  tell({ kind: "text", ...baselinesOf(text), parameters: model.size });
  const evaluate = evaluator(model, validation, BATCH);
  let writing: Writing = task;
  let [step, measured] = [0, Number.NaN];
  /** What the text has of a prompt's characters; its first one when that is none. */
  const known = (prompt: string) => {
    const found = Array.from(prompt).filter((c) => tokenizer.characters.includes(c));
    return found.length > 0 ? found.join("") : text[0];
  };
  const candidates = async ({ prompt, temperature }: Writing): Promise<Candidate[]> => {
    const tokens = tokenizer.encode(prompt).slice(-context);
    const row = new Int32Array(context);
    row.set(tokens);
    using x = tensor(row, { shape: [1, context] });
    using logits = model.call(x); // causal: what stands behind the prompt changes nothing before it
    const { vocabularySize: size, characters } = tokenizer;
    const all = (await logits.data()) as Float32Array;
    const own = all.subarray((tokens.length - 1) * size, tokens.length * size);
    const most = own.reduce((a, b) => Math.max(a, b));
    // At temperature 0 the likeliest is certain: a small one says the same.
    const powers = Array.from(own, (z) => Math.exp((z - most) / Math.max(temperature, 1e-3)));
    const sum = powers.reduce((a, b) => a + b);
    return powers
      .map((power, i) => ({ character: characters[i], chance: power / sum }))
      .sort((a, b) => b.chance - a.chance)
      .slice(0, 8);
  };
  /** Lets it write, and tells. */
  const sample = async () => {
    const asked = { ...writing, prompt: known(writing.prompt) };
    const written = await write(asked, step);
    const next = await candidates(asked);
    tell({ kind: "sample", step, prompt: asked.prompt, written, next, validation: measured });
  };
  // The writer has one memory: what is asked of it is done in turn.
  let last: Promise<void> = Promise.resolve();
  const inTurn = (make: () => Promise<void>) => {
    last = last.then(make);
    return last;
  };
  const measureAndWrite = () =>
    inTurn(async () => {
      measured = await evaluate.measure();
      await sample();
    });
  return {
    ...{ model, optimizer, loader, loss: lossOf, metricsEvery: 10 },
    epochs: Math.ceil(STEPS / loader.stepsPerEpoch),
    onStart: measureAndWrite,
    async onEvent(event) {
      if (event.event !== "step") return;
      ({ step } = event);
      if (step % (step < 5 * EVERY ? EVERY : 2 * EVERY) === 0) await measureAndWrite();
    },
    live: {
      writing(given: Writing) {
        writing = given;
      },
    },
    calls: { write: () => inTurn(sample) },
    dispose() {
      for (const held of [writer, evaluate, dataset]) held.dispose();
    },
  };
});
