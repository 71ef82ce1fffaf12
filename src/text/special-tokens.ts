import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";

/** Numbers the names of special tokens from `first` on; throws a `GradusError` for what is no name. */
export function numberSpecial(
  op: string,
  names: readonly string[],
  first: number,
): Map<string, number> {
  const isList = Array.isArray(names);
  const wrong = isList ? names.find((x, i) => !isName(x) || names.indexOf(x) !== i) : names;
  if (!isList || wrong !== undefined || names.includes(undefined as never)) {
    throw new GradusError(
      `${op}: specialTokens ${quote(isList ? wrong : names)}; expected texts, not empty, each once`,
    );
  }
  return new Map(names.map((name, i) => [name, first + i]));
}

function isName(name: unknown): boolean {
  return typeof name === "string" && name !== "";
}

/**
 * Cuts a text into plain parts and the numbers of special tokens, in order; of two names that begin at
 * one place, the longer is taken.
 */
export function* splitSpecial(
  text: string,
  special: ReadonlyMap<string, number>,
): Generator<string | number, void, undefined> {
  const names = [...special.keys()].sort((a, b) => b.length - a.length);
  if (names.length === 0) {
    yield text;
    return;
  }
  const plain = names.map((name) => name.replace(/[\\^$.*+?()[\]{}|/-]/g, "\\$&"));
  let begin = 0;
  for (const { 0: name, index } of text.matchAll(new RegExp(plain.join("|"), "g"))) {
    if (index > begin) yield text.slice(begin, index);
    yield special.get(name) as number;
    begin = index + name.length;
  }
  if (begin < text.length) yield text.slice(begin);
}
