/** How many texts a table has room for at first. */
const FEW = 32;

/**
 * Numbers texts in the order in which they come, each once. A Map takes three times as long for a million, and
 * takes no more than 2^24.
 */
export class TextTable {
  texts: string[] = [];
  // Open addressing: places of texts + 1 at their hashes, or behind those where others were before.
  #slots = new Int32Array(2 * FEW);
  #hashes = new Int32Array(FEW);
  // Nobody can write a file of texts that meet: for each table, others do.
  readonly #factor = (Math.random() * 2 ** 32) | 1;

  /** Gives a text's number; a new one takes the next. */
  placeOf(text: string): number {
    const hash = this.#hashOf(text);
    const last = this.#slots.length - 1;
    let slot = hash & last;
    for (; this.#slots[slot] > 0; slot = (slot + 1) & last) {
      const place = this.#slots[slot] - 1;
      if (this.#hashes[place] === hash && this.texts[place] === text) return place;
    }
    const place = this.texts.push(text) - 1;
    this.#hashes[place] = hash;
    this.#slots[slot] = place + 1;
    if (place + 1 === this.#hashes.length) this.#grow();
    return place;
  }

  /** Forgets all texts. */
  clear(): void {
    this.texts = [];
    if (this.#hashes.length === FEW) this.#slots.fill(0);
    else {
      this.#slots = new Int32Array(2 * FEW);
      this.#hashes = new Int32Array(FEW);
    }
  }

  #grow(): void {
    const hashes = this.#hashes;
    this.#hashes = new Int32Array(2 * hashes.length);
    this.#hashes.set(hashes);
    this.#slots = new Int32Array(4 * hashes.length);
    const last = this.#slots.length - 1;
    for (let place = 0; place < hashes.length; place++) {
      let slot = hashes[place] & last;
      while (this.#slots[slot] > 0) slot = (slot + 1) & last;
      this.#slots[slot] = place + 1;
    }
  }

  /** A polynomial of the characters, whose high bits are stirred into the low ones. */
  #hashOf(text: string): number {
    let hash = text.length;
    for (let i = 0; i < text.length; i++) hash = Math.imul(hash + text.charCodeAt(i), this.#factor);
    hash = Math.imul(hash ^ (hash >>> 15), 0x85ebca6b);
    return hash ^ (hash >>> 13);
  }
}

/** Finds the first text that stands in a list twice. */
export function repeatedText(texts: readonly string[]): string | undefined {
  const table = new TextTable();
  return texts.find((text, i) => table.placeOf(text) < i);
}

/**
 * Gives the places of texts, which all differ, in the order of their characters: numbers are sorted in
 * less time than texts, each made of as many characters as it can hold and of a place.
 */
export function orderOf(texts: readonly string[]): Int32Array {
  const order = Int32Array.from(texts.keys());
  const base = texts.reduce(largestCode, 0) + 2;
  const parts = [{ begin: 0, end: texts.length, depth: 0 }]; // whose texts are equal before a depth
  for (let part = parts.pop(); part; part = parts.pop()) {
    const { begin, end, depth } = part;
    const given = order.slice(begin, end);
    if (given.length < 16) {
      order.set(
        given.sort((a, b) => (texts[a] < texts[b] ? -1 : 1)),
        begin,
      );
      continue;
    }
    const room = 2 ** Math.ceil(Math.log2(given.length));
    const width = Math.floor(Math.log2(2 ** 53 / room) / Math.log2(base));
    const keys = Float64Array.from(given, (place, i) => {
      return numberOf(texts[place], depth, width, base) * room + i;
    }).sort();
    let first = begin;
    for (let i = begin; i < end; i++) {
      const key = keys[i - begin];
      order[i] = given[key % room];
      if (i + 1 < end && Math.floor(keys[i + 1 - begin] / room) === Math.floor(key / room))
        continue;
      if (i > first) parts.push({ begin: first, end: i + 1, depth: depth + width });
      first = i + 1;
    }
  }
  return order;
}

function largestCode(most: number, text: string): number {
  let code = most;
  for (let i = 0; i < text.length; i++) code = Math.max(code, text.charCodeAt(i));
  return code;
}

/** So many characters as one number, in which what ends comes first. */
function numberOf(text: string, from: number, width: number, base: number): number {
  let number = 0;
  for (let i = from; i < from + width; i++) {
    number = number * base + (i < text.length ? text.charCodeAt(i) + 1 : 0);
  }
  return number;
}
