import { describeAdapter, findAdapter, findGpu } from "../../src/devices/webgpu/adapter.ts";
import type { Loaders, Peer, PeerName, Prepared } from "../peers/index.ts";
import { findWorkload } from "../workloads/index.ts";
import type { AdapterReport, Answers, Command, CommandOf, Kind, Reply } from "./protocol.ts";

type Handlers = { [K in Kind]: (command: CommandOf<K>) => Promise<Answers[K]> };

/** Carries out commands with one peer, which it loads when it is told to. */
export class Host {
  readonly #loaders: Loaders;
  #peer: Peer | null = null;
  #prepared: Prepared | null = null;

  constructor(loaders: Loaders) {
    this.#loaders = loaders;
  }

  /** Carries out one command; what goes wrong becomes a reply too. */
  async handle(command: Command): Promise<Reply> {
    try {
      const handler = this.#handlers[command.kind] as (c: Command) => Promise<Answers[Kind]>;
      return { answer: await handler(command) };
    } catch (error) {
      return { failure: describe(error) };
    }
  }

  readonly #handlers: Handlers = {
    adapter: async () => findAdapterReport(),
    reference: async ({ workload }) => {
      const found = findWorkload(workload);
      await found.load?.();
      return found.reference();
    },
    open: async ({ peer }) => {
      this.#peer = await this.#load(peer);
      return this.#peer.device;
    },
    prepare: async ({ workload }) => this.#prepare(workload),
    run: async ({ times }) => {
      const prepared = this.#required(this.#prepared, "prepared workload");
      const start = performance.now();
      await prepared.run(times);
      return performance.now() - start;
    },
    made: async () => this.#prepared?.made?.() ?? null,
    release: async () => {
      this.#prepared?.dispose();
      this.#prepared = null;
      return null;
    },
  };

  #load(name: PeerName): Promise<Peer> {
    const load = this.#loaders[name];
    if (load) return load();
    throw new Error(`bench: ${name} does not run here; expected one of ${this.#names()}`);
  }

  #names(): string {
    return Object.keys(this.#loaders).join(", ");
  }

  /** Times preparation and first result together; making the operands is not counted. */
  async #prepare(name: string): Promise<Answers["prepare"]> {
    const peer = this.#required(this.#peer, "peer");
    const found = findWorkload(name);
    await found.load?.();
    const inputs = found.inputs();
    const start = performance.now();
    this.#prepared = await peer.prepare({ ...found, inputs: () => inputs });
    if (!this.#prepared) return null;
    const result = await this.#prepared.result();
    const milliseconds = performance.now() - start;
    return { values: Float64Array.from(result), milliseconds };
  }

  #required<T>(value: T | null, what: string): T {
    if (value !== null) return value;
    throw new Error(`bench: no ${what}; expected one to have been named before`);
  }
}

async function findAdapterReport(): Promise<AdapterReport | null> {
  try {
    const adapter = await findAdapter(await findGpu());
    if (!adapter) return null;
    const { name, software } = await describeAdapter(adapter);
    return { name, software };
  } catch {
    return null; // no WebGPU: the peers that want it say so themselves
  }
}

/** The first lines of what was thrown. */
export function describe(error: unknown): string {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return message.split("\n").slice(0, 3).join(" ").slice(0, 400);
}
