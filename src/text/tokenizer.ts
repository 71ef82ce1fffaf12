/** Turns texts into numbers of tokens, and back. */
export interface Tokenizer {
  /** How many tokens there are; their numbers are 0 to `vocabularySize` − 1. */
  readonly vocabularySize: number;
  /** Tokens that stand for no text, such as an end mark, with their numbers. */
  readonly specialTokens: ReadonlyMap<string, number>;
  /** Gives the numbers of a text's tokens. */
  encode(text: string, options?: EncodeOptions): Int32Array<ArrayBuffer>;
  /** Gives the text of tokens, by their numbers. */
  decode(tokens: ArrayLike<number>, options?: DecodeOptions): string;
  /** What `JSON.stringify` writes, and `tokenizerFromJson` reads. */
  toJSON(): TokenizerJson;
}

/** Options of `encode`. */
export interface EncodeOptions {
  /**
   * Takes the names of special tokens in the text for these; false when left out, so that no text from
   * outside can hold one.
   */
  special?: boolean;
}

/** Options of `decode`. */
export interface DecodeOptions {
  /** Writes the names of special tokens; true when left out. */
  special?: boolean;
}

/** Options of tokenizers. */
export interface TokenizerOptions {
  /** Names of tokens that stand for no text, numbered behind the others in their order. */
  specialTokens?: readonly string[];
}

/** A tokenizer as plain data. */
export type TokenizerJson =
  | { readonly kind: "bytes"; readonly specialTokens: readonly string[] }
  | {
      readonly kind: "characters";
      readonly characters: readonly string[];
      readonly unknown: string | null;
      readonly specialTokens: readonly string[];
    }
  | {
      readonly kind: "bpe";
      readonly vocabulary: Readonly<Record<string, number>>;
      readonly merges: readonly string[];
    };
