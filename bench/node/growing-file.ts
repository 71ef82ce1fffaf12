import { ResultFile } from "../../examples/command/index.ts";

/** A report on the disk that grows with what is found: whatever ends the process, what there was is kept. */
export class GrowingFile<T extends object> {
  #written: Promise<void> = Promise.resolve();
  #next: T | null = null;

  /** `pathOf` gives the file of a report; null where none is wanted. */
  constructor(readonly pathOf: ((report: T) => string) | null) {}

  /** Has the file hold a report in place of the one before, soon. */
  grow(report: T): void {
    if (this.pathOf === null) return;
    const isWaiting = this.#next !== null;
    this.#next = report;
    if (!isWaiting) this.#written = this.#written.then(() => this.#write());
    this.#written.catch(() => {}); // told at the end
  }

  /** Waits until the file holds the last report; gives its path. */
  async end(report: T): Promise<string | null> {
    this.grow(report);
    await this.#written;
    return this.pathOf?.(report) ?? null;
  }

  async #write(): Promise<void> {
    const report = this.#next as T;
    this.#next = null;
    const text = `${JSON.stringify(report, null, 2)}\n`;
    await new ResultFile(this.pathOf?.(report) as string).write(text);
  }
}
