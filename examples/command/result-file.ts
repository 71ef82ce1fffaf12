import { fileStore, type Store } from "gradus/io";
import { shown, UsageError } from "./arguments.ts";

/** The file of a result. It is replaced whole or not at all, and named by whatever goes wrong. */
export class ResultFile implements Store {
  readonly #store: ReturnType<typeof fileStore>;

  constructor(readonly path: string) {
    this.#store = fileStore(path);
  }

  /** Throws a `UsageError` unless so many bytes can be written; leaves everything as it is. */
  async probe(bytes: number): Promise<void> {
    try {
      await this.#store.probe(bytes);
    } catch (error) {
      throw new UsageError(this.#told(error, "; expected a file that can be written"));
    }
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#store.read().catch((error: unknown) => this.#fail(error));
  }

  async write(content: Uint8Array<ArrayBuffer> | string): Promise<void> {
    const bytes = typeof content === "string" ? new TextEncoder().encode(content) : content;
    await this.#store.write(bytes).catch((error: unknown) => this.#fail(error));
  }

  #fail(error: unknown): never {
    throw new Error(this.#told(error), { cause: error });
  }

  /** What went wrong; of the file system's errors without names that no one asked for, with a rule. */
  #told(error: unknown, rule = ""): string {
    const { code, message } = error as NodeJS.ErrnoException;
    const reason = code === undefined ? message : `${message.split(", ")[0]}${rule}`;
    return `${shown(this.path)}: ${reason}`;
  }
}
