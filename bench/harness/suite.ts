import { type PeerName, usesGpu } from "../peers/index.ts";
import { WORKLOADS, type Workload } from "../workloads/index.ts";
import {
  type Contender,
  calibrate,
  check,
  contenderResult,
  SLOW_MS,
  untimed,
} from "./contender.ts";
import type { AdapterReport, Channel } from "./protocol.ts";
import { type Report, type Result, timedResult, withRatios } from "./report.ts";

/** What is to be measured, and how long. */
export interface SuiteOptions {
  readonly workloads: readonly Workload[];
  readonly peers: readonly PeerName[];
  readonly rounds: number;
  /** Least milliseconds of a round. */
  readonly roundMs: number;
  /** Stops after the measurement that is under way. */
  readonly signal?: AbortSignal;
}

/** Where it is measured. */
export interface Surroundings {
  readonly platform: string;
  readonly cores: number;
  readonly isolated: boolean;
  readonly versions: Readonly<Record<string, string>>;
  /** Starts a host of its own. */
  connect(): Channel;
}

/** What happens on the way, in order. */
export interface Listener {
  /** What is being done, for people. */
  progress?(text: string, done: number, total: number): void;
  /** The results of one workload so far, whenever they change. */
  results?(workload: Workload, results: readonly Result[]): void;
  /** All workloads that are done, when one more is. */
  soFar?(report: Report): void;
  note?(text: string): void;
}

/** A first step is taken on at most so many fresh instances. */
const FRESH_ROUNDS = 3;

/** Picks workloads by a regular expression on their names; all when it is left out. */
export function pickWorkloads(pattern?: string): Workload[] {
  const wanted = new RegExp(pattern ?? "", "i");
  return WORKLOADS.filter(({ name }) => wanted.test(name));
}

/** Measures everything that was asked for and gives the report. */
export async function runSuite(
  options: SuiteOptions,
  surroundings: Surroundings,
  listener: Listener = {},
): Promise<Report> {
  const suite = new Suite(options, surroundings, listener);
  try {
    return await suite.run();
  } finally {
    suite.close();
  }
}

class Suite {
  readonly #options: SuiteOptions;
  readonly #surroundings: Surroundings;
  readonly #listener: Listener;
  readonly #channels = new Map<PeerName, Channel>();
  readonly #judge: Channel;
  readonly #notes: string[] = [];
  readonly #devices: Partial<Record<PeerName, string>> = {};
  #adapter: AdapterReport | null = null;
  #done = 0;

  constructor(options: SuiteOptions, surroundings: Surroundings, listener: Listener) {
    this.#options = options;
    this.#surroundings = surroundings;
    this.#listener = listener;
    this.#judge = surroundings.connect();
  }

  async run(): Promise<Report> {
    const { workloads, signal } = this.#options;
    this.#adapter = await this.#judge.call({ kind: "adapter" });
    const results: Result[] = [];
    for (const workload of workloads) {
      if (signal?.aborted) break;
      try {
        results.push(...(await this.#measure(workload)));
      } catch (error) {
        this.#note(`${workload.name}: left out, for ${(error as Error).message}`);
      }
      this.#done++;
      this.#listener.soFar?.(this.#report(results));
    }
    return this.#report(results);
  }

  #report(results: readonly Result[]): Report {
    const { rounds, roundMs } = this.#options;
    const { platform, cores, isolated, versions } = this.#surroundings;
    return {
      format: "gradus-bench/1",
      date: new Date().toISOString(),
      platform,
      cores,
      isolated,
      adapter: this.#adapter,
      versions,
      devices: this.#devices,
      options: { rounds, roundMs },
      notes: this.#notes,
      results: [...results],
    };
  }

  close(): void {
    this.#judge.close();
    for (const channel of this.#channels.values()) channel.close();
  }

  async #measure(workload: Workload): Promise<Result[]> {
    const table = new Map<PeerName, Result>();
    const inOrder = () => this.#options.peers.flatMap((peer) => table.get(peer) ?? []);
    this.#say(`${workload.name}: reference`);
    const call = { kind: "reference", workload: workload.name } as const;
    const reference = await this.#judge.call(call);
    const set = (result: Result) => {
      table.set(result.peer, result);
      this.#listener.results?.(workload, inOrder());
    };
    if (workload.task.kind === "firstStep") await this.#measureFresh(workload, reference, set);
    else await this.#measureSteady(workload, reference, set);
    const results = withRatios(inOrder());
    this.#listener.results?.(workload, results);
    return results;
  }

  async #measureSteady(
    workload: Workload,
    reference: Float64Array,
    set: (result: Result) => void,
  ): Promise<void> {
    const contenders: Contender[] = [];
    for (const peer of this.#peersOf(workload, set)) {
      this.#say(`${workload.name}: checking ${peer}`);
      await this.#guard(workload, peer, set, async () => {
        const channel = await this.#open(peer);
        const error = await check(workload, peer, channel, reference, set);
        if (error === null) return;
        const contender = {
          peer,
          channel,
          error,
          times: [],
          runs: 1,
          rounds: this.#options.rounds,
        };
        if (!(await calibrate(contender, this.#options.roundMs))) {
          this.#note(
            `${workload.name}, ${peer}: a run takes over ${SLOW_MS} ms, so it was timed once`,
          );
        }
        await channel.call({ kind: "made" }); // from here on it is counted
        contenders.push(contender);
        set(contenderResult(workload, contender));
      });
    }
    for (let round = 1; round <= this.#options.rounds; round++) {
      for (const contender of [...contenders]) {
        if (contender.times.length >= contender.rounds) continue;
        const { peer, channel, times, runs } = contender;
        this.#say(`${workload.name}: round ${round}, ${peer}`);
        const isAlive = await this.#guard(workload, peer, set, async () => {
          times.push((await channel.call({ kind: "run", times: runs })) / runs);
          set(contenderResult(workload, contender));
        });
        if (!isAlive) contenders.splice(contenders.indexOf(contender), 1);
      }
    }
    for (const contender of contenders) {
      const { peer, channel } = contender;
      await this.#guard(workload, peer, set, async () => {
        const made = await channel.call({ kind: "made" });
        if (made) set({ ...contenderResult(workload, contender), made });
        await channel.call({ kind: "release" });
      });
    }
  }

  /** Times the first result of a library that was loaded just before, on a fresh host each time. */
  async #measureFresh(
    workload: Workload,
    reference: Float64Array,
    set: (result: Result) => void,
  ): Promise<void> {
    const times = new Map<PeerName, number[]>(
      this.#peersOf(workload, set).map((peer) => [peer, []]),
    );
    for (let round = 1; round <= Math.min(FRESH_ROUNDS, this.#options.rounds); round++) {
      for (const [peer, own] of [...times]) {
        this.#say(`${workload.name}: round ${round}, ${peer}`);
        const channel = this.#surroundings.connect();
        const isAlive = await this.#guard(workload, peer, set, async () => {
          this.#devices[peer] = await channel.call({ kind: "open", peer });
          const error = await check(workload, peer, channel, reference, set, own);
          if (error === null) times.delete(peer);
          else set(timedResult(workload, peer, error, own, 1));
        });
        channel.close();
        if (!isAlive) times.delete(peer);
      }
    }
  }

  /** The peers that take part; the others get their result here. */
  #peersOf(workload: Workload, set: (result: Result) => void): PeerName[] {
    const { skipOnSoftware, name, peers } = workload;
    const takesPart = (peer: PeerName) => peers?.includes(peer) ?? true;
    const why = this.#adapter?.software ? skipOnSoftware : undefined;
    const isAsked = this.#options.peers.some((peer) => usesGpu(peer) && takesPart(peer));
    if (why && isAsked)
      this.#note(`${name}: left out on WebGPU, since a CPU emulates the GPU and ${why}`);
    return this.#options.peers.filter((peer) => {
      if (!takesPart(peer)) return false;
      if (!why || !usesGpu(peer)) return true;
      set(untimed(workload, peer, "skipped", `a CPU emulates the GPU and ${why}`));
      return false;
    });
  }

  async #open(peer: PeerName): Promise<Channel> {
    const present = this.#channels.get(peer);
    if (present) return present;
    const channel = this.#surroundings.connect();
    this.#channels.set(peer, channel);
    this.#devices[peer] = await channel.call({ kind: "open", peer });
    return channel;
  }

  /** Makes what is thrown the peer's result and gives it a fresh host next time. */
  async #guard(
    workload: Workload,
    peer: PeerName,
    set: (result: Result) => void,
    work: () => Promise<void>,
  ): Promise<boolean> {
    try {
      await work();
      return true;
    } catch (error) {
      set(untimed(workload, peer, "error", (error as Error).message));
      this.#channels.get(peer)?.close();
      this.#channels.delete(peer);
      return false;
    }
  }

  #say(text: string): void {
    this.#listener.progress?.(text, this.#done, this.#options.workloads.length);
  }

  #note(text: string): void {
    this.#notes.push(text);
    this.#listener.note?.(text);
  }
}
