export { bpeFromFiles } from "./bpe-files.ts";
export { type BpeParts, BpeTokenizer } from "./bpe-tokenizer.ts";
export { ByteTokenizer } from "./byte-tokenizer.ts";
export { CharacterTokenizer, type CharacterTokenizerOptions } from "./character-tokenizer.ts";
export type {
  DecodeOptions,
  EncodeOptions,
  Tokenizer,
  TokenizerJson,
  TokenizerOptions,
} from "./tokenizer.ts";
export { tokenizerFromJson } from "./tokenizer-json.ts";
export { type TrainBpeOptions, trainBpe } from "./train-bpe.ts";
