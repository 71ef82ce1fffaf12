import { checkEach, checkOptions } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { numberSpecial, splitSpecial } from "./special-tokens.ts";
import { checkDecode, checkEncode, checkString, TokenList } from "./texts.ts";
import type {
  DecodeOptions,
  EncodeOptions,
  Tokenizer,
  TokenizerJson,
  TokenizerOptions,
} from "./tokenizer.ts";

/** Options of `CharacterTokenizer`. */
export interface CharacterTokenizerOptions extends TokenizerOptions {
  /** The special token that stands for characters that have none; without it they are refused. */
  unknown?: string;
}

/**
 * Takes each Unicode character of a text for a token: those that a text has, in the order of their
 * numbers in Unicode, as Python's `sorted(set(text))` lists them.
 * @throws GradusError for what is no string, one without characters, and other options.
 * @example
 * const letters = new CharacterTokenizer("hello world");
 * await letters.vocabularySize; // 8
 * await Array.from(letters.encode("hold")); // [3, 5, 4, 1]
 * letters.decode([3, 2, 4, 4, 5]); // "hello"
 */
export class CharacterTokenizer implements Tokenizer {
  /** The characters that have tokens, in their order. */
  readonly characters: readonly string[];
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #unknown: string | null;
  readonly #numbers: ReadonlyMap<string, number>;
  readonly #names: readonly string[];

  /** @param text whose characters get tokens, or these in a list. */
  constructor(text: string | readonly string[], options: CharacterTokenizerOptions = {}) {
    checkCharacters(text);
    checkOptions<CharacterTokenizerOptions>("CharacterTokenizer", options, {
      specialTokens: true,
      unknown: "string",
    });
    const order = (character: string) => character.codePointAt(0) as number;
    const characters = [...new Set(text)].sort((a, b) => order(a) - order(b));
    if (characters.length === 0) {
      throw new GradusError("CharacterTokenizer: text without characters; expected at least one");
    }
    const { specialTokens = [], unknown = null } = options;
    const count = characters.length;
    this.specialTokens = numberSpecial("CharacterTokenizer", specialTokens, count);
    if (unknown !== null) {
      const isSpecial = (x: unknown) => this.specialTokens.has(x as string);
      checkEach("CharacterTokenizer", { unknown }, isSpecial, "one of specialTokens");
    }
    this.characters = characters;
    this.#unknown = unknown;
    this.#numbers = new Map(characters.map((character, i) => [character, i]));
    this.#names = [...characters, ...this.specialTokens.keys()];
    this.vocabularySize = this.#names.length;
  }

  /** Gives the numbers of a text's characters; throws a `GradusError` for one that has none. */
  encode(text: string, options: EncodeOptions = {}): Int32Array<ArrayBuffer> {
    const special = checkEncode("CharacterTokenizer.encode", text, options);
    const tokens = new TokenList();
    for (const part of special ? splitSpecial(text, this.specialTokens) : [text]) {
      if (typeof part === "number") tokens.push(part);
      else for (const character of part) tokens.push(this.#numberOf(character));
    }
    return tokens.take();
  }

  #numberOf(character: string): number {
    const number = this.#numbers.get(character);
    if (number !== undefined) return number;
    if (this.#unknown !== null) return this.specialTokens.get(this.#unknown) as number;
    throw new GradusError(
      `CharacterTokenizer.encode: character ${quote(character)}; expected those of the text that ` +
        "the tokenizer was made of. Give unknown, a special token for others",
    );
  }

  /** Gives the text of characters; throws a `ShapeError` for a number that is no token's. */
  decode(tokens: ArrayLike<number>, options: DecodeOptions = {}): string {
    const op = "CharacterTokenizer.decode";
    const special = checkDecode(op, tokens, this.vocabularySize, options);
    const end = special ? this.vocabularySize : this.#numbers.size;
    const parts = Array.from(tokens, (token) => (token < end ? this.#names[token] : ""));
    return parts.join("");
  }

  /** Gives plain data, from which `tokenizerFromJson` makes an equal tokenizer. */
  toJSON(): TokenizerJson {
    return {
      kind: "characters",
      characters: this.characters,
      unknown: this.#unknown,
      specialTokens: [...this.specialTokens.keys()],
    };
  }
}

function checkCharacters(text: string | readonly string[]): void {
  if (!Array.isArray(text)) {
    checkString("CharacterTokenizer", text as string);
    return;
  }
  const isCharacter = (x: unknown) => typeof x === "string" && x !== "" && [...x].length === 1;
  for (const character of text) {
    checkEach("CharacterTokenizer", { character }, isCharacter, "one character");
  }
}
