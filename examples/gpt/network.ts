import { foldIn, keyFromSeed, matmul, type Parameter, type Tensor, transpose } from "gradus";
import {
  Embedding,
  type KvCache,
  LayerNorm,
  Module,
  normal,
  TransformerEncoder,
  TransformerEncoderLayer,
} from "gradus/nn";

/** What fixes a network and its initial weights. */
export interface NetworkOptions {
  readonly layers: number;
  readonly heads: number;
  /** Features of each position. */
  readonly width: number;
  /** Positions that it sees at once. */
  readonly context: number;
  readonly dropout: number;
  readonly seed: number;
}

/**
 * A decoder of characters: their vectors, blocks of causal attention and dense layers, each behind a
 * normalisation as in GPT-2, with rotary positions, and logits by the same vectors of characters.
 * Source: Radford et al. 2019, "Language models are unsupervised multitask learners", section 2.3; Su et
 * al. 2021, "RoFormer: enhanced transformer with rotary position embedding".
 */
export class GPT extends Module<[tokens: Tensor, caches?: readonly KvCache[]]> {
  readonly tokens: Embedding;
  readonly blocks: TransformerEncoder;
  /** The vectors of `tokens`, which are those of the logits too. */
  readonly tied: Parameter;

  constructor(
    readonly vocabularySize: number,
    readonly options: NetworkOptions,
  ) {
    super();
    const { layers, heads, width, dropout, seed } = options;
    const own = (i: number) => ({ key: foldIn(keyFromSeed(seed), i) });
    this.tokens = new Embedding(vocabularySize, width, { weightInit: normal(0.02), ...own(0) });
    this.blocks = new TransformerEncoder(
      (i) =>
        new TransformerEncoderLayer(width, heads, {
          dimFeedforward: 4 * width,
          activation: "gelu",
          normFirst: true,
          rotary: true,
          dropout,
          ...own(1 + i),
        }),
      layers,
      { norm: new LayerNorm(width) },
    );
    this.tied = this.tokens.weight;
  }

  /** How many numbers are trained. */
  get size(): number {
    return this.parameters().reduce((sum, { size }) => sum + size, 0);
  }

  /** Gives logits `[n, length, vocabulary]` of the next character at each of `[n, length]`. */
  override forward(tokens: Tensor, caches?: readonly KvCache[]): Tensor {
    const x = this.tokens.call(tokens);
    const y = this.blocks.call(x, { causal: true, caches });
    return matmul(y, transpose(this.tied));
  }
}
