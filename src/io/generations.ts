import { asBytes, type Bytes } from "../core/bytes.ts";
import { checkOptions } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote, shorten } from "../core/quote.ts";
import { readHeader } from "./safetensors-header.ts";
import type { Store, StoreOptions } from "./stores.ts";

/**
 * What becomes of the older generation: the newest takes its place, it stays, since the newest is
 * broken or there is none, or it goes.
 */
export type Fate = "replace" | "keep" | "none" | "drop";

/** Where the two generations of a store's content lie. */
export interface Medium {
  /** Reads a generation; null where there is none. */
  read(generation: "newest" | "older"): Promise<Bytes | null>;
  /**
   * Replaces the newest generation, at once, and gives true; gives false, and does nothing, where
   * there was "none" to judge and another process has written one since.
   */
  write(bytes: Bytes, older: Fate): Promise<boolean>;
  /** What other media of the same place have in common with this one. */
  place(): string | Promise<string>;
}

/**
 * A store of two generations. What is written replaces the newest, which becomes the older one if it
 * is whole: what is broken never takes the place of what is not. Content that the check refuses as it
 * is written, such as that of other formats, has no older generation, so that `read` cannot take it
 * for a broken file.
 */
export class GenerationStore implements Store {
  readonly #op: string;
  readonly #name: string;
  readonly #medium: Medium;
  readonly #check: (bytes: Bytes) => void;
  /** Whether this store wrote the newest generation, which need not be read to be judged. */
  #wroteWhole = false;

  constructor(op: string, name: string, medium: Medium, options: StoreOptions) {
    checkOptions<StoreOptions>(op, options, { check: true });
    const { check = (bytes: Bytes) => void readHeader(op, bytes) } = options;
    if (typeof check !== "function") {
      throw new GradusError(`${op}: check ${quote(check)}; expected a function`);
    }
    this.#op = op;
    this.#name = name;
    this.#medium = medium;
    this.#check = check;
  }

  async read(): Promise<Bytes | null> {
    const newest = await this.#medium.read("newest");
    if (newest === null) return null;
    const fault = this.#fault(newest);
    if (fault === null) return newest;
    const older = await this.#medium.read("older");
    if (older === null || this.#fault(older) !== null) return newest.length > 0 ? newest : null;
    console.warn(
      `${this.#op}: ${quote(this.#name)} is broken (${shorten(fault, 300)}); ` +
        "gives what was written before it",
    );
    return older;
  }

  /** Writes under one name follow one another in the order of their calls, as those of one place do. */
  write(bytes: Bytes): Promise<void> {
    return inTurn(`${this.#op}: ${this.#name}`, async () => {
      asBytes(this.#op, bytes);
      await inTurn(await this.#medium.place(), () => this.#replace(bytes));
    });
  }

  async #replace(bytes: Bytes): Promise<void> {
    const isWhole = this.#fault(bytes) === null;
    const older = isWhole ? await this.#fateOfOlder() : "drop";
    this.#wroteWhole = false;
    if (!(await this.#medium.write(bytes, older))) return this.#replace(bytes);
    this.#wroteWhole = isWhole;
  }

  /** Judges the newest generation, that a whole one is to follow. */
  async #fateOfOlder(): Promise<Fate> {
    if (this.#wroteWhole) return "replace";
    const newest = await this.#medium.read("newest");
    if (newest === null) return "none";
    return this.#fault(newest) === null ? "replace" : "keep";
  }

  /** Why bytes are broken; null if they are whole. */
  #fault(bytes: Bytes): string | null {
    if (bytes.length === 0) return "no bytes";
    try {
      this.#check(bytes);
      return null;
    } catch (error) {
      return error instanceof Error ? error.message : String(error);
    }
  }
}

/** The last write under each name, and to each place, that is under way. */
const writing = new Map<string, Promise<unknown>>();

/** Does something when all that was to be done before under a key has been, or has failed. */
async function inTurn(key: string, job: () => Promise<void>): Promise<void> {
  const turn = (writing.get(key) ?? Promise.resolve()).then(job);
  const settled = turn.catch(() => {});
  writing.set(key, settled);
  try {
    await turn;
  } finally {
    if (writing.get(key) === settled) writing.delete(key);
  }
}
