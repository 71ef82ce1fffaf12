import { type Batch, makeBatches } from "./networks.ts";
import { labelArray, uniformArray, uniformSeries } from "./random.ts";

/** What fixes how a model is trained: by Adam, with the constants of `ADAM`. */
interface Trained {
  readonly name: string;
  readonly learningRate: number;
  readonly batchSize: number;
}

/** For each number of channels a convolution of 3×3, relu and the largest of 2×2; then a dense layer. */
export interface ConvolutionalNet extends Trained {
  readonly kind: "convolutional";
  /** Pixels a side of pictures with one channel. */
  readonly size: number;
  readonly channels: readonly number[];
  readonly classes: number;
}

/**
 * GPT-2 in small: vectors of tokens and of positions, blocks of causal attention and of two dense
 * layers with a GELU, each behind a normalisation, and logits by the same vectors of tokens.
 */
export interface Gpt extends Trained {
  readonly kind: "gpt";
  readonly vocabulary: number;
  readonly width: number;
  readonly heads: number;
  readonly length: number;
  readonly blocks: number;
}

export type Model = ConvolutionalNet | Gpt;

/** ε of the normalisations. */
export const NORM_EPSILON = 1e-5;

export const MODELS: readonly Model[] = [
  {
    kind: "convolutional",
    name: "CNN 3×3×16, 3×3×32, dense, Adam, batch 100",
    size: 28,
    channels: [16, 32],
    classes: 10,
    learningRate: 1e-3,
    batchSize: 100,
  },
  {
    kind: "gpt",
    name: "GPT of 2 blocks, width 64, 4 heads, length 32, Adam, batch 16",
    vocabulary: 64,
    width: 64,
    heads: 4,
    length: 32,
    blocks: 2,
    learningRate: 1e-3,
    batchSize: 16,
  },
];

/** Initial values of one parameter. */
export interface Initial {
  readonly shape: readonly number[];
  readonly data: Float32Array<ArrayBuffer>;
}

/**
 * The parameters in the order in which they are used. Of a convolutional net kernel
 * `[3, 3, inputs, outputs]` and bias of each convolution, then weight `[rows · columns · channels,
 * classes]` and bias; of a GPT tokens `[vocabulary, width]` and positions `[length, width]`, then of
 * each block scale and shift, weight `[width, 3 · width]` and bias of queries, keys and values beside
 * each other, weight and bias of what joins the heads, scale and shift, and weights and biases of the
 * two dense layers; scale and shift at the end.
 */
export function initialParameters(model: Model): Initial[] {
  const shapes = model.kind === "gpt" ? gptShapes(model) : convolutionalShapes(model);
  return shapes.map(({ shape, fill }, i) => {
    const size = shape.reduce((a, b) => a * b);
    if (fill !== undefined) return { shape, data: new Float32Array(size).fill(fill) };
    const outputs = shape[shape.length - 1];
    const limit = Math.sqrt(6 / (size / outputs + outputs)); // Glorot and Bengio 2010, eq. 16
    return { shape, data: uniformArray(100 + i, size, -limit, limit) as Initial["data"] };
  });
}

/** A shape, and what fills it where it is not drawn. */
interface Sized {
  readonly shape: readonly number[];
  readonly fill?: number;
}

function layer(...shape: readonly number[]): Sized[] {
  return [{ shape }, { shape: shape.slice(-1), fill: 0 }];
}

function convolutionalShapes({ size, channels, classes }: ConvolutionalNet): Sized[] {
  const convolutions = channels.flatMap((to, i) => layer(3, 3, channels[i - 1] ?? 1, to));
  const side = size / 2 ** channels.length;
  return [...convolutions, ...layer(side ** 2 * channels[channels.length - 1], classes)];
}

function gptShapes({ vocabulary, width: d, length, blocks }: Gpt): Sized[] {
  const norm = [
    { shape: [d], fill: 1 },
    { shape: [d], fill: 0 },
  ];
  const attention = [...norm, ...layer(d, 3 * d), ...layer(d, d)];
  const block = [...attention, ...norm, ...layer(d, 4 * d), ...layer(4 * d, d)];
  const all = Array.from({ length: blocks }, () => block).flat();
  return [{ shape: [vocabulary, d] }, { shape: [length, d] }, ...all, ...norm];
}

/** Batches of pictures `[batchSize, size, size]` in classes, made by the same rule as those of networks. */
export function pictureBatches({ size, classes, batchSize }: ConvolutionalNet): Batch[] {
  return makeBatches({ sizes: [size ** 2, classes], batchSize });
}

/** Sequences of tokens, and the token that follows each. */
export interface TokenBatch {
  /** `[batchSize, length]`. */
  readonly tokens: Int32Array<ArrayBuffer>;
  /** `[batchSize, length]`. */
  readonly next: Int32Array<ArrayBuffer>;
}

/** Sequences in which the next token is five times the last, and 0 to 3 more, modulo the vocabulary. */
export function tokenBatches({ vocabulary, length, batchSize }: Gpt, count: number): TokenBatch[] {
  return Array.from({ length: count }, (_, batch) => {
    const first = labelArray(3000 + batch, batchSize, vocabulary);
    const random = uniformSeries(4000 + batch);
    const tokens = new Int32Array(batchSize * length);
    const next = tokens.slice();
    for (let i = 0; i < tokens.length; i++) {
      tokens[i] = i % length === 0 ? first[i / length] : next[i - 1];
      next[i] = (5 * tokens[i] + Math.floor(4 * random())) % vocabulary;
    }
    return { tokens, next };
  });
}
