import { checkEach, checkOptions, checkSteps, describeValue, isInteger } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { BpeTokenizer } from "./bpe-tokenizer.ts";
import { BYTE_NAMES } from "./byte-names.ts";
import { pairOf, tokensOf } from "./merges.ts";
import { piecesOf } from "./pieces.ts";
import { PriorityQueue } from "./priority-queue.ts";
import { numberSpecial, splitSpecial } from "./special-tokens.ts";
import { utf8Of } from "./texts.ts";
import type { TokenizerOptions } from "./tokenizer.ts";

/** Options of `trainBpe`. */
export interface TrainBpeOptions extends TokenizerOptions {
  /** The most tokens that there may be: 256 bytes, special tokens, and one for each merge. */
  vocabularySize: number;
  /** How often a pair must occur to become a token; 2 when left out. */
  minFrequency?: number;
}

/**
 * Makes a tokenizer of texts by byte-pair encoding: the pair of tokens that occurs most often becomes
 * a token, again and again; of equals the one of lower numbers, left before right. It ends early where
 * no pair occurs `minFrequency` times. Names of special tokens in the texts are left out.
 *
 * Source: Sennrich, Haddow and Birch 2016, algorithm 1, over bytes, in GPT-2's pieces.
 * @param texts one, or several one after the other, such as documents.
 * @throws GradusError for what is no text, a `vocabularySize` below 256 and the special tokens, and
 * a special token named as a byte or a merge is.
 * @example
 * const tokenizer = trainBpe("low lower lowest ".repeat(9), { vocabularySize: 258 });
 * await tokenizer.encode("lowest").length; // 4
 * await tokenizer.vocabularySize; // 258
 */
export function trainBpe(
  texts: string | Iterable<string>,
  options: TrainBpeOptions,
  ...surplus: never[]
): BpeTokenizer {
  const op = "trainBpe";
  checkOptions<TrainBpeOptions>(
    op,
    options,
    { vocabularySize: "number", minFrequency: true, specialTokens: true },
    surplus,
  );
  const { vocabularySize, minFrequency = 2, specialTokens = [] } = options;
  const special = numberSpecial(op, specialTokens, 0);
  const least = BYTE_NAMES.length + special.size;
  const isSize = (x: unknown) => isInteger(x, least, 2 ** 26);
  checkEach(op, { vocabularySize }, isSize, `an integer from ${least} to 2^26`);
  checkSteps(op, { minFrequency });
  // By the order of their names, which is GPT-2's.
  const names = [...BYTE_NAMES].sort();
  checkFree(op, special, names);
  const words = wordsOf(countPieces(op, texts, special), names);
  const merges = findMerges(words, names, vocabularySize - special.size, minFrequency);
  checkFree(op, special, names);
  const all = [...names, ...special.keys()];
  const vocabulary = Object.fromEntries(all.map((name, number) => [name, number]));
  return new BpeTokenizer({ vocabulary, merges });
}

/** Throws a `GradusError` for a special token with the name of one that is plain. */
function checkFree(
  op: string,
  special: ReadonlyMap<string, number>,
  names: readonly string[],
): void {
  const taken = names.find((name) => special.has(name));
  if (taken === undefined) return;
  throw new GradusError(
    `${op}: specialTokens ${quote(taken)}, the name of a byte or of a merge; expected other names`,
  );
}

/** A piece of the texts. */
interface Word {
  tokens: readonly number[];
  /** How often it occurs. */
  readonly count: number;
}

function countPieces(
  op: string,
  texts: string | Iterable<string>,
  special: ReadonlyMap<string, number>,
): Map<string, number> {
  const isIterable = typeof texts === "object" && texts !== null && Symbol.iterator in texts;
  if (typeof texts !== "string" && !isIterable) {
    throw new GradusError(
      `${op}: texts ${describeValue(texts)}; expected a string, or an iterable of strings`,
    );
  }
  const counts = new Map<string, number>();
  for (const text of typeof texts === "string" ? [texts] : texts) {
    checkEach(op, { text }, (x) => typeof x === "string", "a string");
    for (const part of splitSpecial(text, special)) {
      if (typeof part === "number") continue;
      for (const piece of piecesOf(part)) counts.set(piece, (counts.get(piece) ?? 0) + 1);
    }
  }
  return counts;
}

function wordsOf(counts: ReadonlyMap<string, number>, names: readonly string[]): Word[] {
  const numbers = BYTE_NAMES.map((name) => names.indexOf(name));
  return [...counts].map(([piece, count]) => {
    return { tokens: Array.from(utf8Of(piece), (byte) => numbers[byte]), count };
  });
}

/** A pair and how often it occurred when it was entered. */
interface CountedPair {
  readonly pair: number;
  readonly count: number;
}

/** Gives merges, most frequent first, and adds what they make to `names`, of `most` at the most. */
function findMerges(words: Word[], names: string[], most: number, minFrequency: number): string[] {
  const pairs = new PairCounts(words);
  const numbers = new Map(names.map((name, i) => [name, i]));
  const merges = new Set<string>();
  while (names.length < most) {
    const pair = pairs.mostFrequent(minFrequency);
    if (pair === undefined) break;
    const [left, right] = tokensOf(pair);
    const name = names[left] + names[right];
    // Other halves may have made the same token before.
    const made = numbers.get(name) ?? names.length;
    if (made === names.length) {
      names.push(name);
      numbers.set(name, made);
    }
    merges.add(`${names[left]} ${names[right]}`);
    pairs.merge(pair, made);
  }
  return [...merges];
}

/** Counts pairs of tokens in words. */
class PairCounts {
  readonly #words: readonly Word[];
  readonly #counts = new Map<number, number>();
  /** Which words have, or had, a pair. */
  readonly #places = new Map<number, Set<number>>();
  readonly #queue = new PriorityQueue<CountedPair>((a, b) => {
    return a.count > b.count || (a.count === b.count && a.pair < b.pair);
  });

  constructor(words: readonly Word[]) {
    this.#words = words;
    for (const [i, word] of words.entries()) this.#enter(word, i);
    for (const [pair, count] of this.#counts) this.#queue.push({ pair, count });
  }

  /** The pair that occurs most often, if it does so `least` times. */
  mostFrequent(least: number): number | undefined {
    for (let next = this.#queue.first; next && next.count >= least; next = this.#queue.first) {
      const { pair, count } = next;
      const current = this.#counts.get(pair) ?? 0;
      if (count === current) return pair;
      this.#queue.pop();
      if (current > 0 && current < count) this.#queue.push({ pair, count: current });
    }
    return undefined;
  }

  /** Puts a token in the place of a pair, from left to right. */
  merge(pair: number, made: number): void {
    const [left, right] = tokensOf(pair);
    const grown = new Set<number>();
    for (const i of this.#places.get(pair) ?? []) {
      const word = this.#words[i];
      const tokens: number[] = [];
      for (let at = 0; at < word.tokens.length; at++) {
        const isPair = word.tokens[at] === left && word.tokens[at + 1] === right;
        tokens.push(isPair ? made : word.tokens[at]);
        if (isPair) at++;
      }
      this.#leave(word);
      word.tokens = tokens;
      for (const entered of this.#enter(word, i)) {
        if (tokensOf(entered).includes(made)) grown.add(entered);
      }
    }
    this.#places.delete(pair);
    for (const entered of grown) {
      const count = this.#counts.get(entered);
      if (count) this.#queue.push({ pair: entered, count });
    }
  }

  #leave({ tokens, count }: Word): void {
    for (let at = 1; at < tokens.length; at++) {
      const pair = pairOf(tokens[at - 1], tokens[at]);
      const left = (this.#counts.get(pair) ?? 0) - count;
      if (left > 0) this.#counts.set(pair, left);
      else this.#counts.delete(pair);
    }
  }

  /** Counts a word's pairs, and gives them. */
  #enter({ tokens, count }: Word, i: number): number[] {
    const entered: number[] = [];
    for (let at = 1; at < tokens.length; at++) {
      const pair = pairOf(tokens[at - 1], tokens[at]);
      this.#counts.set(pair, (this.#counts.get(pair) ?? 0) + count);
      const places = this.#places.get(pair);
      if (places) places.add(i);
      else this.#places.set(pair, new Set([i]));
      entered.push(pair);
    }
    return entered;
  }
}
