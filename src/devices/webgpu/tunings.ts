import { checkSurplus } from "../../core/check.ts";
import { VERSION } from "../../core/copies.ts";
import { GradusError } from "../../core/errors.ts";
import { isPlainObject } from "../../core/kind.ts";
import { nodeModule } from "../../core/node-module.ts";
import { describeValue } from "../../core/quote.ts";

/** Which kernels were measured to be the fastest: plain data, to keep as JSON. */
export interface TuningData {
  /** The version of the library that measured; another one may have other kernels. */
  readonly version: string;
  /** For each machine, an adapter and a browser or Node, the choice for each problem. */
  readonly machines: Readonly<Record<string, Readonly<Record<string, string>>>>;
}

/** Where bytes lie between two visits, by the names of files. */
export interface TuningStore {
  read(name: string): Promise<Uint8Array<ArrayBuffer> | null>;
  write(name: string, bytes: Uint8Array<ArrayBuffer>): Promise<void>;
}

const FILE = "tuning.json";

/** What is known of all machines, and kept. */
export class Tunings {
  readonly #machines = new Map<string, Map<string, string>>();
  /** Rises with what is known. */
  changes = 0;
  #reading: Promise<void> | null = null;

  /** `open` gives the store; null where nothing can be kept. */
  constructor(readonly open: () => TuningStore | null) {}

  get(machine: string, problem: string): string | undefined {
    return this.#machines.get(machine)?.get(problem);
  }

  set(machine: string, problem: string, choice: string): void {
    const known = this.#machines.get(machine) ?? new Map<string, string>();
    if (known.get(problem) !== choice) this.changes++;
    this.#machines.set(machine, known.set(problem, choice));
  }

  /** Reads what was kept, once. What cannot be read, or is of another version, counts for nothing. */
  read(): Promise<void> {
    this.#reading ??= this.#read().catch(() => {});
    return this.#reading;
  }

  async #read(): Promise<void> {
    const bytes = await this.open()?.read(FILE);
    if (!bytes) return;
    const data = JSON.parse(new TextDecoder().decode(bytes));
    checkData("init", data);
    this.#add(data, false);
  }

  /** Keeps all that is known. */
  async write(): Promise<void> {
    await this.#read().catch(() => {}); // others may have kept something meanwhile
    await this.open()?.write(FILE, new TextEncoder().encode(JSON.stringify(this.data)));
  }

  get data(): TuningData {
    const machines = [...this.#machines].map(([name, known]) => [name, Object.fromEntries(known)]);
    return { version: VERSION, machines: Object.fromEntries(machines) };
  }

  async export(...surplus: never[]): Promise<TuningData> {
    checkSurplus("exportTuning()", surplus);
    await this.read();
    return this.data;
  }

  async import(data: TuningData, ...surplus: never[]): Promise<void> {
    checkSurplus("importTuning(data)", surplus);
    checkData("importTuning", data);
    await this.read();
    this.#add(data, true);
    await this.write();
  }

  /** Adds choices; `isNewer` says whether they take the place of others. */
  #add({ machines }: TuningData, isNewer: boolean): void {
    for (const [machine, known] of Object.entries(machines)) {
      for (const [problem, choice] of Object.entries(known)) {
        if (isNewer || !this.get(machine, problem)) this.set(machine, problem, choice);
      }
    }
  }
}

function checkData(op: string, data: unknown): asserts data is TuningData {
  const { version, machines } = (isPlainObject(data) ? data : {}) as Partial<TuningData>;
  const isTold = (known: unknown) =>
    isPlainObject(known) && Object.values(known).every((choice) => typeof choice === "string");
  if (
    typeof version !== "string" ||
    !isPlainObject(machines) ||
    !Object.values(machines).every(isTold)
  ) {
    throw new GradusError(`${op}: data ${describeValue(data)}; expected what exportTuning gave`);
  }
  if (version !== VERSION) {
    throw new GradusError(
      `${op}: data of version ${version}; expected ${VERSION}, whose kernels are known. Tune again`,
    );
  }
}

/** Names an adapter and what drives it, as far as that can be known. */
export function machineOf(adapter: string): string {
  const node = nodeModule<{ version: string; platform: string }>("process");
  const driver = node ? `Node ${node.version} ${node.platform}` : globalThis.navigator.userAgent;
  return `${adapter} | ${driver}`;
}
