import type { GradusError } from "../../core/errors.ts";
import { DeviceError } from "../../core/errors.ts";
import type { Storage } from "../../graph/device.ts";
import { type Check, firstOf, silent } from "./guard.ts";
import { settles } from "./within.ts";

/** A piece of recorded work: what it needs and what it leaves. */
export interface Work {
  /** Whose values it needs. */
  readonly reads: readonly Storage[];
  /** Whose values it replaces, as a whole. */
  readonly writes: readonly Storage[];
  /** What is made anew if it fails. */
  readonly plan?: { dispose(): void };
}

/** A submit, or a buffer made with values in it: all of it is there, or nothing. */
export interface LogEntry {
  /** What the user called. */
  readonly op: string;
  readonly works: Work[];
  /** What is wrong with what it uses. */
  readonly checks: Check[];
  /** The number of its submit, once it is submitted. */
  mark: number | null;
  failure: GradusError | null;
  /** Whether its errors are known. */
  isKnown: boolean;
  /** Settles when they are. */
  known: Promise<void> | null;
}

/**
 * Work in the order of the queue, from the first entry that may still turn out to have failed. What
 * an entry that failed should have written is spoiled, and so is all that was made of it since.
 */
export class Log {
  readonly #entries: LogEntry[] = [];
  /** The last submit that is known to have run. */
  #ran = 0;

  get ran(): number {
    return this.#ran;
  }

  /** Adds an entry behind all others; `close` says that nothing more comes to it. */
  open(op: string, works: Work[] = [], checks: Check[] = []): LogEntry {
    const entry = { op, works, checks, mark: null, failure: null, isKnown: false, known: null };
    this.#entries.push(entry);
    return entry;
  }

  /** Waits, behind the scenes, for what was wrong with an entry. */
  close(entry: LogEntry): void {
    entry.known = firstOf(entry.checks).then((failure) => {
      if (failure) this.fail(entry, failure);
      entry.isKnown = true;
      this.#trim();
    });
  }

  /** Notes that an entry failed: spoils what it should have written, and what was made of that. */
  fail(entry: LogEntry, failure: GradusError): void {
    if (entry.failure) return;
    entry.failure = failure;
    for (const { plan } of entry.works) plan?.dispose();
    const spoiled = new Map<Storage, GradusError>();
    for (const { failure, works } of this.#entries) {
      for (const { reads, writes } of works) {
        const bad = reads.find((storage) => spoiled.has(storage));
        const cause = bad ? spoiled.get(bad) : failure; // the first of all
        for (const storage of writes) {
          if (cause) spoiled.set(storage, cause);
          else spoiled.delete(storage);
        }
      }
    }
    for (const [storage, cause] of spoiled) storage.failure = cause;
  }

  /** Waits until the errors of all entries up to one are known; no answer in time is one too. */
  async settle(last: LogEntry, ms: number): Promise<void> {
    const entries = this.#entries.slice(0, this.#entries.indexOf(last) + 1);
    if (await settles(Promise.all(entries.map(({ known }) => known)), ms)) return;
    for (const entry of entries) {
      if (entry.isKnown) continue;
      entry.isKnown = true;
      this.fail(entry, silent(entry.op, ms));
    }
  }

  /** Takes note of which submits ran, up to one whose marks were copied by itself. */
  verify(last: LogEntry, hasRun: (mark: number) => boolean): void {
    const end = last.mark as number;
    if (!hasRun(end)) {
      this.fail(last, dropped(last)); // and copied nothing
      return;
    }
    for (const entry of this.#entries) {
      const { mark } = entry;
      if (mark === null || mark <= this.#ran || mark > end || hasRun(mark)) continue;
      this.fail(entry, dropped(entry));
    }
    this.#ran = Math.max(this.#ran, end);
    this.#trim();
  }

  /**
   * Forgets entries whose end is known, from the first on; one that failed when all are known that
   * may have been recorded before its failure was.
   */
  #trim(): void {
    const entries = this.#entries;
    const isOpen = ({ isKnown }: LogEntry) => !isKnown;
    const end = entries.findIndex((entry) => {
      const { failure, mark } = entry;
      const mayMatter = failure !== null && entries.some(isOpen);
      return isOpen(entry) || (mark !== null && mark > this.#ran) || mayMatter;
    });
    if (end !== 0) entries.splice(0, end < 0 ? entries.length : end);
  }
}

function dropped({ op }: LogEntry): DeviceError {
  return new DeviceError(`${op}: the device has left out commands without an error; expected all`);
}
