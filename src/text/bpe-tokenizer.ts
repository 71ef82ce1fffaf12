import { joinBytes } from "../core/bytes.ts";
import { checkOptions, describeValue } from "../core/check.ts";
import { FormatError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { BYTE_NAMES, bytesNamed } from "./byte-names.ts";
import { Merges } from "./merges.ts";
import { piecesOf } from "./pieces.ts";
import { splitSpecial } from "./special-tokens.ts";
import { checkDecode, checkEncode, TokenList, textOf, utf8Of } from "./texts.ts";
import type { DecodeOptions, EncodeOptions, Tokenizer, TokenizerJson } from "./tokenizer.ts";

/** What a `BpeTokenizer` is made of, as GPT-2's two files have it. */
export interface BpeParts {
  /**
   * The number of each token, 0 to n − 1, by its name: its bytes in GPT-2's characters, in which a blank
   * is Ġ. What no merge gives and is no byte is a special token, such as `<|endoftext|>`.
   */
  vocabulary: Readonly<Record<string, number>>;
  /** Names of pairs that become one token, `Ġ t`, those merged first in front. */
  merges: readonly string[];
}

/** How many pieces' tokens are kept. */
const MOST_KEPT = 2 ** 15;

/**
 * Cuts a text into tokens of some bytes each, by merges of pairs: byte-level byte-pair encoding, as
 * GPT-2 has it. Any string comes back as it was, a lone surrogate too, which is written as three bytes
 * (WTF-8). `trainBpe` makes one of a text, `bpeFromFiles` of GPT-2's files.
 *
 * Source: Sennrich, Haddow and Birch 2016, "Neural machine translation of rare words with subword
 * units", over bytes, in the pieces of Radford et al. 2019.
 * @throws FormatError for a vocabulary without all 256 bytes, with other numbers than 0 to n − 1, with
 * an empty name, and for merges of what is not in it.
 * @example
 * const tokenizer = trainBpe("low lower lowest ".repeat(9), { vocabularySize: 260 });
 * const saved = JSON.stringify(tokenizer);
 * tokenizerFromJson(saved).encode("lower"); // as tokenizer.encode("lower")
 */
export class BpeTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #parts: BpeParts;
  readonly #merges = new Merges();
  /** The number of each byte's token. */
  readonly #bytes: Int32Array;
  /** What each token stands for. */
  readonly #contents: readonly Uint8Array[];
  readonly #kept = new Map<string, Int32Array>();

  constructor(parts: BpeParts) {
    checkOptions<BpeParts>("BpeTokenizer", parts, { vocabulary: true, merges: true });
    const { vocabulary, merges } = parts;
    const numbers = vocabularyNumbers(vocabulary);
    if (!Array.isArray(merges)) {
      throw new FormatError(
        `BpeTokenizer: merges ${describeValue(merges)}; expected a list of texts such as "Ġ t"`,
      );
    }
    const plain = new Set(BYTE_NAMES);
    for (const merge of merges) plain.add(this.#add(merge, numbers));
    this.#parts = { vocabulary: Object.fromEntries(numbers), merges: [...merges] };
    this.#bytes = Int32Array.from(BYTE_NAMES, (name) => numbers.get(name) as number);
    this.specialTokens = new Map([...numbers].filter(([name]) => !plain.has(name)));
    const contents: Uint8Array[] = [];
    for (const [name, number] of numbers) {
      contents[number] = (plain.has(name) && bytesNamed(name)) || utf8Of(name);
    }
    this.#contents = contents;
    this.vocabularySize = contents.length;
  }

  /** Takes a merge, and gives the name of what it makes. */
  #add(merge: string, numbers: ReadonlyMap<string, number>): string {
    const halves = typeof merge === "string" ? merge.split(" ") : [];
    const [left, right, made] = [...halves, halves.join("")].map((name) => numbers.get(name));
    if (halves.length !== 2 || left === undefined || right === undefined || made === undefined) {
      throw new FormatError(
        `BpeTokenizer: merge ${quote(merge)}; expected two tokens of the vocabulary with a blank ` +
          "between them, which together are one",
      );
    }
    this.#merges.add(left, right, made);
    return halves.join("");
  }

  /** Gives the numbers of a text's tokens; throws a `GradusError` for what is no string. */
  encode(text: string, options: EncodeOptions = {}): Int32Array<ArrayBuffer> {
    const special = checkEncode("BpeTokenizer.encode", text, options);
    const tokens = new TokenList();
    for (const part of special ? splitSpecial(text, this.specialTokens) : [text]) {
      if (typeof part === "number") tokens.push(part);
      else for (const piece of piecesOf(part)) tokens.append(this.#tokensOf(piece));
    }
    return tokens.take();
  }

  #tokensOf(piece: string): Int32Array {
    const kept = this.#kept.get(piece);
    if (kept) return kept;
    const bytes = Int32Array.from(utf8Of(piece), (byte) => this.#bytes[byte]);
    const tokens = this.#merges.apply(bytes);
    if (this.#kept.size >= MOST_KEPT) this.#kept.clear();
    if (piece.length < 100) this.#kept.set(piece, tokens);
    return tokens;
  }

  /** Gives the text of tokens; throws a `ShapeError` for a number that is no token's. */
  decode(tokens: ArrayLike<number>, options: DecodeOptions = {}): string {
    const special = checkDecode("BpeTokenizer.decode", tokens, this.vocabularySize, options);
    const hidden = new Set(special ? [] : this.specialTokens.values());
    const shown = Array.from(tokens).filter((token) => !hidden.has(token));
    return textOf(joinBytes(shown.map((token) => this.#contents[token])));
  }

  /** Gives GPT-2's two files, `vocab.json` and `merges.txt`, as texts. */
  files(): { vocabulary: string; merges: string } {
    const { vocabulary, merges } = this.#parts;
    return {
      vocabulary: JSON.stringify(vocabulary),
      merges: ["#version: 0.2", ...merges, ""].join("\n"),
    };
  }

  /** Gives plain data, from which `tokenizerFromJson` makes an equal tokenizer. */
  toJSON(): TokenizerJson {
    return { kind: "bpe", ...this.#parts };
  }
}

/** A vocabulary's numbers by name, in their order. */
function vocabularyNumbers(vocabulary: BpeParts["vocabulary"]): Map<string, number> {
  if (typeof vocabulary !== "object" || vocabulary === null) {
    throw new FormatError(
      `BpeTokenizer: vocabulary ${describeValue(vocabulary)}; expected numbers by name`,
    );
  }
  const entries = Object.entries(vocabulary);
  const names: string[] = [];
  for (const [name, number] of entries) {
    if (name === "") {
      throw new FormatError(
        `BpeTokenizer: token "" with number ${describeValue(number)}; expected names that are not empty`,
      );
    }
    const isOwn = Number.isSafeInteger(number) && number >= 0 && number < entries.length;
    if (!isOwn || names[number] !== undefined) {
      throw new FormatError(
        `BpeTokenizer: token ${quote(name)} with number ${describeValue(number)}; ` +
          `expected each of 0 to ${entries.length - 1} once`,
      );
    }
    names[number] = name;
  }
  const numbers = new Map(names.map((name, i) => [name, i]));
  const missing = BYTE_NAMES.findIndex((name) => !numbers.has(name));
  if (missing < 0) return numbers;
  throw new FormatError(
    `BpeTokenizer: a vocabulary without ${quote(BYTE_NAMES[missing])}, which stands for byte ` +
      `${missing}; expected all 256 bytes`,
  );
}
