import { checkEach } from "../core/check.ts";
import { FormatError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { ByteTokenizer } from "./byte-tokenizer.ts";
import { CharacterTokenizer } from "./character-tokenizer.ts";
import { parseJson } from "./parse-json.ts";
import type { Tokenizer, TokenizerJson } from "./tokenizer.ts";

/**
 * Makes a tokenizer of what `JSON.stringify` wrote of one, or of that parsed.
 * @throws FormatError for other data, and what the tokenizer of that kind throws.
 * @example
 * const letters = tokenizerFromJson(JSON.stringify(new CharacterTokenizer("abc")));
 * await Array.from(letters.encode("cab")); // [2, 0, 1]
 */
export function tokenizerFromJson(json: string | TokenizerJson): Tokenizer {
  const op = "tokenizerFromJson";
  const data = (typeof json === "string" ? parseJson(op, json) : json) as TokenizerJson;
  const kind = data?.kind;
  if (kind === "bpe") {
    const { vocabulary, merges } = data;
    return new BpeTokenizer({ vocabulary, merges });
  }
  if (kind === "bytes") return new ByteTokenizer({ specialTokens: data.specialTokens });
  if (kind === "characters") {
    const { characters, unknown, specialTokens } = data;
    checkEach(op, { characters }, Array.isArray, "a list of characters", FormatError);
    return new CharacterTokenizer(characters, {
      specialTokens,
      ...(unknown !== null && { unknown }),
    });
  }
  throw new FormatError(`${op}: ${quote(data)}; expected kind "bytes", "characters" or "bpe"`);
}
