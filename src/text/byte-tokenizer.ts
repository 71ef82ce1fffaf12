import { joinBytes } from "../core/bytes.ts";
import { checkOptions } from "../core/check.ts";
import { numberSpecial, splitSpecial } from "./special-tokens.ts";
import { checkDecode, checkEncode, TokenList, textOf, utf8Of } from "./texts.ts";
import type {
  DecodeOptions,
  EncodeOptions,
  Tokenizer,
  TokenizerJson,
  TokenizerOptions,
} from "./tokenizer.ts";

/** How many bytes there are. */
const BYTES = 256;

/**
 * Takes each byte of a text in UTF-8 for a token: 256 tokens, and special ones behind them. Any
 * string comes back as it was; a lone surrogate is written as three bytes (WTF-8). Bytes that are no
 * text, as a model may give them, are decoded as U+FFFD.
 * @throws GradusError for other options.
 * @example
 * const bytes = new ByteTokenizer({ specialTokens: ["<end>"] });
 * const tokens = bytes.encode("été");
 * await Array.from(tokens); // [195, 169, 116, 195, 169]
 * bytes.decode([...tokens, bytes.specialTokens.get("<end>")]); // "été<end>"
 */
export class ByteTokenizer implements Tokenizer {
  readonly vocabularySize: number;
  readonly specialTokens: ReadonlyMap<string, number>;
  readonly #names: readonly string[];

  constructor(options: TokenizerOptions = {}) {
    checkOptions<TokenizerOptions>("ByteTokenizer", options, { specialTokens: true });
    this.specialTokens = numberSpecial("ByteTokenizer", options.specialTokens ?? [], BYTES);
    this.#names = [...this.specialTokens.keys()];
    this.vocabularySize = BYTES + this.#names.length;
  }

  /** Gives the bytes of a text, 0 to 255; throws a `GradusError` for what is no string. */
  encode(text: string, options: EncodeOptions = {}): Int32Array<ArrayBuffer> {
    const special = checkEncode("ByteTokenizer.encode", text, options);
    if (!special) return Int32Array.from(utf8Of(text));
    const tokens = new TokenList();
    for (const part of splitSpecial(text, this.specialTokens)) {
      if (typeof part === "number") tokens.push(part);
      else tokens.append(utf8Of(part));
    }
    return tokens.take();
  }

  /** Gives the text of bytes; throws a `ShapeError` for a number that is no token's. */
  decode(tokens: ArrayLike<number>, options: DecodeOptions = {}): string {
    const op = "ByteTokenizer.decode";
    const special = checkDecode(op, tokens, this.vocabularySize, options);
    const parts = Array.from(tokens, (token) => {
      if (token < BYTES) return Uint8Array.of(token);
      return utf8Of(special ? this.#names[token - BYTES] : "");
    });
    return textOf(joinBytes(parts));
  }

  /** Gives plain data, from which `tokenizerFromJson` makes an equal tokenizer. */
  toJSON(): TokenizerJson {
    return { kind: "bytes", specialTokens: this.#names };
  }
}
