import { checkEach } from "../core/check.ts";
import { FormatError } from "../core/errors.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { parseJson } from "./parse-json.ts";

/**
 * Makes a tokenizer of GPT-2's two files, as many models of its kind come with them.
 * @param vocabulary the text of `vocab.json`: numbers by name.
 * @param merges the text of `merges.txt`: a merge a line, `Ġ t`.
 * @throws FormatError for other files.
 * @example
 * const tokenizer = bpeFromFiles(vocabularyText, mergesText);
 * tokenizer.decode(tokenizer.encode("Hello")); // "Hello"
 */
export function bpeFromFiles(vocabulary: string, merges: string): BpeTokenizer {
  const isText = (x: unknown) => typeof x === "string";
  const expected = "the text of a file";
  checkEach("bpeFromFiles", { vocabulary, merges }, isText, expected, FormatError);
  const lines = merges.split(/\r?\n/).filter((line) => line !== "");
  if (lines[0]?.startsWith("#version")) lines.shift();
  const numbers = parseJson("bpeFromFiles", vocabulary) as Record<string, number>;
  return new BpeTokenizer({ vocabulary: numbers, merges: lines });
}
