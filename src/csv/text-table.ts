/** How many entries a Map or a Set can have. */
export const MOST_IN_MAP = 2 ** 24;

/** How many texts a table has room for at first. */
const FEW = 32;

/**
 * Numbers texts in the order in which they come, each once. A Map takes three times as long for a million, and
 * takes no more than that.
 */
export class TextTable {
  readonly texts: string[] = [];
  // Open addressing: places of texts + 1 at their hashes, or behind those where others were before.
  #slots = new Int32Array(2 * FEW);
  #hashes = new Int32Array(FEW);
  // Nobody can write a file of texts that meet: for each table, others do.
  readonly #factor = (Math.random() * 2 ** 32) | 1;

  constructor(texts: readonly string[] = []) {
    for (const text of texts) this.placeOf(text);
  }

  /** Gives a text's number; a new one takes the next. */
  placeOf(text: string): number {
    const hash = this.#hashOf(text);
    const slot = this.#slotOf(text, hash);
    if (this.#slots[slot] > 0) return this.#slots[slot] - 1;
    const place = this.texts.push(text) - 1;
    this.#hashes[place] = hash;
    this.#slots[slot] = place + 1;
    if (place + 1 === this.#hashes.length) this.#grow();
    return place;
  }

  /** Gives a text's number, -1 if it has none. */
  find(text: string): number {
    return this.#slots[this.#slotOf(text, this.#hashOf(text))] - 1;
  }

  /** The slot of a text's number, or the free one that it would take. */
  #slotOf(text: string, hash: number): number {
    const last = this.#slots.length - 1;
    let slot = hash & last;
    for (; this.#slots[slot] > 0; slot = (slot + 1) & last) {
      const place = this.#slots[slot] - 1;
      if (this.#hashes[place] === hash && this.texts[place] === text) break;
    }
    return slot;
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

/** Finds the first text that stands in a list twice, by the table of all its texts. */
export function repeatedText(
  texts: readonly string[],
  table = new TextTable(texts),
): string | undefined {
  if (table.texts.length === texts.length) return undefined;
  return texts.find((text, i) => table.find(text) < i);
}
