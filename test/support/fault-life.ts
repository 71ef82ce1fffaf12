/** One life of a device in which a call goes wrong, and what becomes of it. */

import { nextTask } from "../../src/core/event-loop.ts";
import { Node } from "../../src/graph/node.ts";
import {
  type Device,
  GradusError,
  init,
  type MemoryInfo,
  setDefaultDevice,
} from "../../src/index.ts";
import { loadCheckpoint, saveCheckpoint } from "../../src/io/index.ts";
import type { StepRecord } from "../../src/train/index.ts";
import { eager, isEager, makeRun, type Right, type Run, STEPS, same } from "./fault-run.ts";
import { type Fault, FaultInjector } from "./faults.ts";

/** What must not be; each is counted on its own. */
export const FINDINGS = [
  "raw error",
  "silently wrong",
  "wrong after",
  "hang",
  "unusable",
  "leak",
] as const;

export type Finding = (typeof FINDINGS)[number];

/** What became of one fault. */
export interface Outcome {
  readonly fault: Fault | null;
  /** Whether the call was reached. */
  readonly reached: boolean;
  /** Whether anything was refused by a `GradusError`. */
  readonly refused: boolean;
  /** The classes of the device's own errors. */
  readonly raised: ReadonlySet<string>;
  readonly findings: ReadonlyMap<Finding, string>;
}

/** What an undisturbed life gives. */
export interface Expected extends Right {
  readonly memory: MemoryInfo;
  /** Buffers that memory does not tell of. */
  readonly unseen: number;
  /** Calls of each method. */
  readonly counts: ReadonlyMap<string, number>;
}

/** Whether more is held than usual. More plans may be kept where something was done in another way. */
function isMore(now: MemoryInfo, usual: MemoryInfo): boolean {
  const names = ["tensors", "buffers", "bytes", ...(now.plans > usual.plans ? [] : ["pipelines"])];
  return (names as (keyof MemoryInfo)[]).some((name) => now[name] > usual[name]);
}

/** Ends a life that gave no answer. */
class Hang extends Error {}

/** A life in which one call goes wrong, or none. */
export class Life {
  readonly injector: FaultInjector;
  readonly findings = new Map<Finding, string>();
  memory: MemoryInfo | null = null;
  unseen = 0;
  #refused = false;
  #errors = 0;
  /** What was refused last. */
  #reason = "";
  #device: Device | null = null;
  readonly #runs: Run[] = [];
  /** Milliseconds that an answer may take, by the engine's own limit and by ours. */
  readonly #patience: readonly [engine: number, ours: number];

  constructor(
    gpu: GPU,
    readonly expected: Right & Partial<Expected>,
    readonly fault: Fault | null,
    /** Milliseconds that the engine waits for what never settles. */
    patience = 500,
  ) {
    this.injector = new FaultInjector(gpu, fault);
    const isSilent = fault?.mode === "never settles";
    this.#patience = isSilent ? [patience, 10 * patience] : [30_000, 60_000];
  }

  async live(): Promise<Outcome> {
    const onUnhandled = (event: PromiseRejectionEvent) => {
      event.preventDefault();
      this.#find("raw error", `unhandled: ${event.reason}`);
    };
    globalThis.addEventListener?.("unhandledrejection", onUnhandled);
    try {
      await this.#pass();
      await nextTask(); // what nobody waits for may still fail
    } catch (error) {
      if (!(error instanceof Hang)) throw error;
      this.#find("hang", error.message);
    } finally {
      await this.injector.close(!this.findings.has("hang"));
      globalThis.removeEventListener?.("unhandledrejection", onUnhandled);
    }
    const { fault, findings, injector } = this;
    const { raised, uncaptured, fired } = injector;
    for (const message of uncaptured) this.#find("raw error", `console: ${message}`);
    return { fault, reached: fired > 0, refused: this.#refused, raised, findings };
  }

  async #pass(): Promise<void> {
    const run = await this.#first();
    if (run) {
      await this.#train("going on", run, STEPS.on);
      await this.#restore("restoring", run);
    }
    this.injector.armed = false;
    await this.#afterwards(run);
    await this.#close();
  }

  async #first(): Promise<Run | null> {
    await this.#start();
    if (!this.#device) return null;
    const run = await this.#attempt("making a run", () => this.#make());
    if (run) await this.#train("training", run, STEPS.first);
    return run ?? null;
  }

  /** What must go right, since nothing goes wrong any more. */
  async #afterwards(run: Run | null): Promise<void> {
    const before = this.#refused;
    this.#refused = false;
    if (!this.#device) await this.#start();
    await this.#attempt("recovering", () => this.#device?.recovering);
    if (run) await this.#restore("restoring at last", run);
    const fresh = await this.#attempt("starting anew", () => this.#make());
    if (fresh) await this.#train("anew", fresh, STEPS.anew);
    if (this.#refused) this.#find("unusable", this.#reason);
    this.#refused ||= before;
  }

  async #start(): Promise<void> {
    const timeout = this.#patience[0];
    const choice = await this.#attempt("init", () =>
      init({ device: "webgpu", tune: "off", isolated: true, timeout }),
    );
    this.#device = choice?.device ?? null;
    if (choice) setDefaultDevice(choice.device);
  }

  #make(): Run {
    const { hold, passTo } = Node.prototype;
    const nodes: Node[] = [];
    Node.prototype.hold = function (this: Node, storage) {
      nodes.push(this);
      hold.call(this, storage);
    };
    Node.prototype.passTo = function (this: Node, next) {
      nodes.push(next);
      passTo.call(this, next);
    };
    try {
      const run = makeRun();
      this.#runs.push(run);
      return run;
    } catch (error) {
      for (const node of nodes) node.retire("a run that could not be made"); // as the collector would
      throw error;
    } finally {
      Object.assign(Node.prototype, { hold, passTo });
    }
  }

  /** Trains, reads the losses, saves, and reads what has nothing to do with it. */
  async #train(what: string, { model, optimizer, step }: Run, steps: number): Promise<void> {
    const first = step.next;
    for (let i = 0; i < steps; i++) await this.#attempt(`${what}: step`, () => step());
    const isDone = this.#errors > 0 || step.next === first + steps;
    this.#check(`${what}: ${steps} steps from ${first} to ${step.next}`, isDone);
    const losses = await this.#attempt(`${what}: losses`, () => step.read());
    if (losses) {
      const given = losses.map((x) => `${x.step}: ${x.loss}`).join(", ");
      const isRight = this.#areLosses(losses, first, step.next);
      this.#check(`${what}: losses ${given}; from ${first} to ${step.next}`, isRight);
    }
    const file = await this.#attempt(`${what}: save`, () =>
      saveCheckpoint({ model, optimizer, step }),
    );
    const right = this.expected.files[step.next] ?? [];
    if (file) this.#check(`${what}: file at ${step.next}`, same(file, right));
    const values = await this.#attempt(`${what}: two reads`, eager);
    if (values) this.#check(`${what}: two reads`, isEager(values, this.expected.eager));
  }

  async #restore(what: string, run: Run): Promise<void> {
    const file = this.expected.files[STEPS.first];
    await this.#attempt(`${what}: load`, () => loadCheckpoint(run, file));
    await this.#train(what, run, STEPS.restored);
  }

  /** Whether records are right, and all that there must be: a read may fail, but leaves none out. */
  #areLosses(records: readonly StepRecord[], first: number, next: number): boolean {
    const begin = records[0]?.step ?? next;
    const isWhole = begin <= first && records.length === next - begin;
    const isRight = ({ step, loss }: StepRecord, i: number) =>
      step === begin + i && Object.is(loss, this.expected.losses[step]);
    return (this.#errors > 0 || isWhole) && records.every(isRight);
  }

  /** Does what may be refused; undefined if it was. */
  async #attempt<T>(what: string, fn: () => T | Promise<T>): Promise<T | undefined> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(new Hang(what)), this.#patience[1]);
    });
    try {
      return await Promise.race([(async () => fn())(), late]);
    } catch (error) {
      if (error instanceof Hang) throw error;
      this.#errors++;
      this.#refused = true;
      this.#reason = `${what}: ${error}`;
      if (!(error instanceof GradusError)) this.#find("raw error", this.#reason);
      return undefined;
    } finally {
      clearTimeout(timer);
    }
  }

  #check(what: string, isRight: boolean): void {
    if (!isRight) this.#find(this.#errors > 0 ? "wrong after" : "silently wrong", what);
  }

  #find(finding: Finding, detail: string): void {
    if (!this.findings.has(finding)) this.findings.set(finding, detail);
  }

  /** Frees everything, and compares what is still held. */
  async #close(): Promise<void> {
    const device = this.#device;
    if (!device) return;
    const isFreed = await this.#attempt("freeing", () => {
      for (const run of this.#runs) run.dispose();
      return true;
    });
    if (!isFreed) this.#find("leak", this.#reason);
    this.memory = device.memory();
    const { injector, expected, memory } = this;
    this.unseen = injector.buffers - memory.buffers;
    const { memory: usual = memory, unseen = this.unseen } = expected;
    if (isMore(memory, usual)) {
      const texts = [memory, usual].map((x) => JSON.stringify(x));
      this.#find("leak", `${texts[0]} held; expected ${texts[1]}`);
    }
    if (this.unseen > unseen || injector.devices > 1) {
      const counted = `${injector.buffers} buffers of ${injector.devices} devices`;
      this.#find("leak", `${counted}; expected ${memory.buffers + unseen} of 1`);
    }
    device.dispose();
    if (injector.devices > 0) this.#find("leak", `${injector.devices} devices live in the end`);
  }
}
