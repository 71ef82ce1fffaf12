import { compile, reshape, type Tensor } from "gradus";
import { BatchSampler, splitTokens, type TensorBatch, TextDataset } from "gradus/data";
import { crossEntropy } from "gradus/losses";
import { AdamW, clipByGlobalNorm, cosineDecay, linearWarmup, OptimizerGroup } from "gradus/optim";
import { CharacterTokenizer } from "gradus/text";
import { trainStep } from "gradus/train";
import { GPT, type NetworkOptions } from "./network.ts";
import { ngramLoss } from "./ngrams.ts";
import { Writer } from "./writer.ts";

/** What fixes a run. */
export interface Settings extends NetworkOptions {
  readonly steps: number;
  /** Windows in each step. */
  readonly batchSize: number;
  /** AdamW's behind the warm-up; it falls to a tenth along a cosine. */
  readonly learningRate: number;
  /** Of weights, not of vectors, biases and norms. */
  readonly weightDecay: number;
  /** Steps between two reports. */
  readonly every: number;
  /** Characters of a sample. */
  readonly sample: number;
  /** By what logits are divided before a character of a sample is drawn; 0 takes the likeliest. */
  readonly temperature: number;
}

/** How far a run has come. */
export interface Progress {
  readonly step: number;
  /** Nats per character of the steps since the last report. */
  readonly loss: number;
  /** Nats per character of text that it is not trained on. */
  readonly validation: number;
  /** What it writes. */
  readonly sample: string;
}

/** What a run gave. */
export interface TextResult {
  readonly model: GPT;
  readonly tokenizer: CharacterTokenizer;
  readonly history: readonly Progress[];
  readonly step: number;
}

/** What counting the same text achieves, in nats per character of text that was not counted. */
export interface Baselines {
  readonly unigram: number;
  readonly bigram: number;
  readonly trigram: number;
}

/** A text's tokens, the last tenth of them apart. */
export function tokensOf(text: string) {
  const tokenizer = new CharacterTokenizer(text);
  const shares = { train: 0.9, validation: 0.1 };
  return { tokenizer, ...splitTokens(tokenizer.encode(text), shares) };
}

/** Counts characters alone, after one other and after two. */
export function baselinesOf(text: string): Baselines {
  const { tokenizer, train, validation } = tokensOf(text);
  const [unigram, bigram, trigram] = [1, 2, 3].map((n) =>
    ngramLoss(train, validation, n, tokenizer.vocabularySize),
  );
  return { unigram, bigram, trigram };
}

type Windows = TensorBatch<"x" | "y">;

/** The mean cost of the next characters, in nats. */
export function lossOf(model: GPT, { x, y }: Pick<Windows, "x" | "y">): Tensor {
  const logits = model.call(x);
  return crossEntropy(reshape(logits, [y.size, model.vocabularySize]), reshape(y, [y.size]));
}

/** Weights of dense layers, the names by which decay is told. */
const DECAYED = /(linear\d|outProj)\.weight$|inProjWeight$/;

/** AdamW, whose rate rises for a twentieth of the steps and falls along a cosine. */
function optimizerOf(model: GPT, { steps, learningRate, weightDecay }: Settings): OptimizerGroup {
  const warmup = Math.ceil(steps / 20);
  const options = {
    learningRate: linearWarmup(
      cosineDecay(learningRate, { steps: steps - warmup + 1, finalRate: learningRate / 10 }),
      { steps: warmup },
    ),
    beta2: 0.99,
  };
  const named = [...model.namedParameters()];
  const part = (isDecayed: boolean) =>
    new Map(named.filter(([name]) => DECAYED.test(name) === isDecayed));
  return new OptimizerGroup(
    [
      new AdamW(part(true), { ...options, weightDecay }),
      new AdamW(part(false), { ...options, weightDecay: 0 }),
    ],
    { clip: (gradients) => clipByGlobalNorm(gradients, 1).gradients },
  );
}

/** Trains a network to tell the next character of a text, and has it write as it goes. */
export async function trainOnText(
  text: string,
  settings: Settings,
  options: { onProgress?: (progress: Progress) => void; signal?: AbortSignal } = {},
): Promise<TextResult> {
  const { steps, batchSize, context, seed, every, sample, temperature } = settings;
  const { tokenizer, train, validation } = tokensOf(text);
  const data = new TextDataset(train, { length: context, stride: 1 });
  const model = new GPT(tokenizer.vocabularySize, settings);
  const optimizer = optimizerOf(model, settings);
  const sampler = new BatchSampler({ size: data.size, batchSize, seed, dropLast: true });
  const step = trainStep({
    model,
    optimizer,
    loss: lossOf,
    batchAt: (number) => data.batchAt(number, sampler),
  });
  const evaluate = evaluator(model, validation, batchSize);
  const writer = new Writer(model);
  const history: Progress[] = [];
  const prompt = train.slice(0, 1);
  while (step.next < steps && !options.signal?.aborted) {
    await step();
    if (step.next % every !== 0 && step.next !== steps) continue;
    const losses = (await step.read()).map(({ loss }) => loss);
    const tokens = await writer.write(prompt, { length: sample, temperature, seed: step.next });
    history.push({
      step: step.next,
      loss: losses.reduce((sum, x) => sum + x, 0) / losses.length,
      validation: await evaluate.measure(),
      sample: tokenizer.decode([...prompt, ...tokens]),
    });
    options.onProgress?.(history[history.length - 1]);
  }
  const made = step.next;
  for (const held of [step, optimizer, data, evaluate, writer]) held.dispose();
  return { model: model.eval(), tokenizer, history, step: made };
}

/** What measures a network on windows of a text, one behind the other, as many at a time as there are in a batch. */
export function evaluator(model: GPT, tokens: Int32Array, batchSize: number) {
  const length = Math.min(model.options.context, tokens.length - 1);
  const data = new TextDataset(tokens, { length });
  const measure = compile((batch: { x: Tensor; y: Tensor }) => lossOf(model, batch));
  return {
    async measure(): Promise<number> {
      model.eval();
      let sum = 0;
      for (let start = 0; start < data.size; start += batchSize) {
        const count = Math.min(batchSize, data.size - start);
        const batch = data.batch(Uint32Array.from({ length: count }, (_, i) => start + i));
        const { x, y } = batch;
        using loss = await measure({ x, y });
        sum += count * ((await loss.item()) as number);
        batch.dispose();
      }
      return sum / data.size;
    },
    dispose(): void {
      measure.dispose();
      data.dispose();
    },
  };
}
