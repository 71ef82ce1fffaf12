import { readSafetensors, type Store, writeSafetensors } from "gradus/io";
import { shown, UsageError } from "../command/arguments.ts";
import { tell } from "../command/output.ts";
import { ResultFile } from "../command/result-file.ts";

/** The options that a run must go on with, by name. */
export type Settings = Readonly<Record<string, number>>;

/** The name of the settings among a checkpoint's free texts. */
const KEY = "settings";

/** Keeps a run with its settings, and refuses to give it to one with others. */
export class CheckpointFile implements Store {
  readonly #file: ResultFile;
  readonly #settings: Settings;
  /** Whether what was to be kept last could not be. */
  hasFailed = false;

  constructor(path: string, settings: Settings) {
    this.#file = new ResultFile(path);
    this.#settings = settings;
  }

  probe(bytes: number): Promise<void> {
    return this.#file.probe(bytes);
  }

  async read(): Promise<Uint8Array<ArrayBuffer> | null> {
    const bytes = await this.#file.read();
    if (bytes) this.#check(this.#settingsIn(bytes));
    return bytes;
  }

  /** Training goes on where this fails: what was kept before is whole. */
  async write(bytes: Uint8Array<ArrayBuffer>): Promise<void> {
    const { tensors, metadata } = readSafetensors(bytes);
    const all = { ...metadata, [KEY]: JSON.stringify(this.#settings) };
    try {
      await this.#file.write(writeSafetensors(tensors, all));
      this.hasFailed = false;
    } catch (error) {
      this.hasFailed = true;
      tell(`${(error as Error).message}; training goes on`);
    }
  }

  /** Gives the error for what a run cannot go on with. */
  refusal(reason: string): UsageError {
    const rule = "expected a file that --checkpoint has written";
    return new UsageError(`--resume: ${shown(this.#file.path)}: ${reason}; ${rule}`);
  }

  #settingsIn(bytes: Uint8Array): Settings {
    try {
      return Object(JSON.parse(readSafetensors(bytes).metadata[KEY]));
    } catch {
      throw this.refusal("no run of this command");
    }
  }

  #check(saved: Settings): void {
    const other = Object.keys(this.#settings).filter((n) => saved[n] !== this.#settings[n]);
    if (other.length === 0) return;
    const told = (values: Settings) => other.map((n) => `--${n} ${values[n]}`).join(", ");
    throw new UsageError(
      `--resume: ${told(this.#settings)}, but ${shown(this.#file.path)} is of a run with ` +
        `${told(saved)}; expected the same`,
    );
  }
}
