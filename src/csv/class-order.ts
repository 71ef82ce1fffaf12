/** Where texts lie in one: the `i`-th from `begins[i]` to `ends[i]`. */
export interface TextSpans {
  readonly text: string;
  readonly begins: Int32Array;
  readonly ends: Int32Array;
}

/** Texts that are equal before a depth, at some places of the order. */
interface Unsorted {
  readonly begin: number;
  readonly end: number;
  readonly depth: number;
}

/** Fewer texts are compared two by two. */
const FEW = 16;

/** Numbers texts in the order of their characters, equal ones alike, and counts the numbers. */
export function ranksOf(texts: TextSpans): { ranks: Int32Array<ArrayBuffer>; count: number } {
  const { order, isNew } = new Sorting(texts);
  const ranks = new Int32Array(order.length);
  let count = 0;
  for (let i = 0; i < order.length; i++) {
    count += isNew[i];
    ranks[order[i]] = count - 1;
  }
  return { ranks, count };
}

/**
 * Texts in the order of their characters. Numbers are sorted in less time than texts are, or found in
 * a table of many: each is made of as many characters as it can hold, and of a place.
 */
class Sorting {
  readonly order: Int32Array;
  /** Whether the text at a place of the order differs from the one before it. */
  readonly isNew: Uint8Array;
  readonly #texts: TextSpans;
  readonly #base: number;
  readonly #parts: Unsorted[] = []; // which are still to be sorted

  constructor(texts: TextSpans) {
    this.#texts = texts;
    this.#base = largestCode(texts) + 2;
    this.order = texts.begins.map((_, i) => i);
    this.isNew = new Uint8Array(this.order.length);
    this.isNew[0] = 1;
    this.#parts.push({ begin: 0, end: this.order.length, depth: 0 });
    for (let part = this.#parts.pop(); part; part = this.#parts.pop()) {
      if (part.end - part.begin < FEW) this.#insert(part);
      else this.#sort(part);
    }
  }

  /** Puts each text before those that come after it. */
  #insert({ begin, end, depth }: Unsorted): void {
    const { order, isNew } = this;
    for (let i = begin + 1; i < end; i++) {
      const one = order[i];
      let at = i;
      for (; at > begin && this.#compare(one, order[at - 1], depth) < 0; at--)
        order[at] = order[at - 1];
      order[at] = one;
    }
    for (let i = begin + 1; i < end; i++) {
      if (this.#compare(order[i - 1], order[i], depth) < 0) isNew[i] = 1;
    }
  }

  /** Below 0 where the first text comes before the second, 0 where they are equal. */
  #compare(first: number, second: number, depth: number): number {
    const { text, begins, ends } = this.#texts;
    let a = begins[first] + depth;
    let b = begins[second] + depth;
    for (; a < ends[first] && b < ends[second]; a++, b++) {
      const difference = text.charCodeAt(a) - text.charCodeAt(b);
      if (difference !== 0) return difference;
    }
    return ends[first] - a - (ends[second] - b);
  }

  /** Sorts by the next characters; what they leave equal becomes parts. */
  #sort({ begin, end, depth }: Unsorted): void {
    const { order, isNew } = this;
    const given = order.slice(begin, end);
    const room = 2 ** Math.ceil(Math.log2(given.length));
    const width = Math.floor(Math.log2(2 ** 53 / room) / Math.log2(this.#base));
    const keys = this.#keys(given, { depth, width, room }).sort();
    let first = begin;
    let prefix = Math.floor(keys[0] / room);
    for (let i = begin; i < end; i++) {
      order[i] = given[keys[i - begin] - prefix * room];
      const next = Math.floor(keys[i + 1 - begin] / room); // NaN at the end
      if (next === prefix) continue;
      if (i > first && this.#anyLonger(first, i + 1, depth + width)) {
        this.#parts.push({ begin: first, end: i + 1, depth: depth + width });
      }
      if (i + 1 < end) isNew[i + 1] = 1;
      first = i + 1;
      prefix = next;
    }
  }

  /** Characters as digits of numbers, in which what ends comes first, before the places. */
  #keys(given: Int32Array, { depth, width, room }: Record<string, number>): Float64Array {
    const { text, begins, ends } = this.#texts;
    const keys = new Float64Array(given.length);
    for (let i = 0; i < keys.length; i++) {
      const end = ends[given[i]];
      let at = begins[given[i]] + depth;
      let key = 0;
      for (let j = 0; j < width; j++, at++) {
        key = key * this.#base + (at < end ? text.charCodeAt(at) + 1 : 0);
      }
      keys[i] = key * room + i;
    }
    return keys;
  }

  /** Whether any text in a part of the order is longer than so many characters. */
  #anyLonger(begin: number, end: number, length: number): boolean {
    const { begins, ends } = this.#texts;
    for (let i = begin; i < end; i++) {
      const one = this.order[i];
      if (ends[one] - begins[one] > length) return true;
    }
    return false;
  }
}

function largestCode({ text, begins, ends }: TextSpans): number {
  let code = 0;
  for (let i = 0; i < begins.length; i++) {
    for (let at = begins[i]; at < ends[i]; at++) code = Math.max(code, text.charCodeAt(at));
  }
  return code;
}
