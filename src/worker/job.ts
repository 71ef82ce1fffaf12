import { checkFunctions, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { loadState } from "../io/load-state.ts";
import { saveSafetensors } from "../io/weights.ts";
import type { AnyModule } from "../nn/module.ts";
import type { TrainEvent } from "../train/events.ts";
import { RunControl } from "../train/run-control.ts";
import { train } from "../train/train.ts";
import type { TrainOptions } from "../train/train-options.ts";
import {
  type CapturedValues,
  isMessage,
  type JobEnd,
  type JobRequest,
  sentError,
} from "./messages.ts";
import { type Port, portToParent } from "./ports.ts";

/** Functions that a page may call, by name: arguments and results are copied. */
// biome-ignore lint/suspicious/noExplicitAny: any function fits
export type JobCalls = Readonly<Record<string, (...args: any[]) => unknown>>;

/** What a job trains, and what a page may do with it meanwhile. */
export interface JobParts<M extends AnyModule, B, Calls extends JobCalls, Live extends object>
  extends Omit<TrainOptions<M, B>, "control" | "signal"> {
  /** What the page may call while the job is there, also after training: `{ classify: (pixels) => … }`. */
  calls?: Calls;
  /**
   * What happens when the page sets a value while training goes on, by name; `learningRate` sets that
   * of the optimizer unless it stands here.
   */
  live?: { readonly [K in keyof Live]: (value: Live[K]) => void };
  /** Called before the first step. */
  onStart?(): void | Promise<void>;
  /** Called on each event of `train`; the next step waits for it. */
  onEvent?(event: TrainEvent): void | Promise<void>;
  /** Called when training has ended, unless by an error. */
  onEnd?(end: JobEnd): void | Promise<void>;
  /** Frees what the job holds, before the next one begins or the run is closed. */
  dispose?(): void;
}

/** What a page and its job tell each other. */
export interface JobTypes {
  readonly settings: unknown;
  readonly note: unknown;
  readonly calls: JobCalls;
  readonly live: object;
}

/** What `trainJob` gives: nothing but its type, by which a page knows the job. */
export interface TrainJob<Types extends JobTypes> {
  readonly types?: Types;
}

/**
 * Makes a worker train what a function gives, whenever its page asks by `trainInWorker`.
 *
 * Call it once, in the script of a worker. Each run asks the function anew with the page's settings;
 * what it loads into the module's scope stays. `tell` sends the page a note at once.
 * @typeParam Calls the functions that the page may call.
 * @throws GradusError outside of a worker.
 * @example
 * // job.ts
 * export default trainJob(async ({ learningRate }: { learningRate: number }) => {
 *   await init();
 *   const model = new Sequential(new Linear(2, 8), sigmoid, new Linear(8, 2));
 *   const optimizer = new Adam(model.parameters(), { learningRate });
 *   const loss = (net: Module, { x, labels }) => crossEntropy(net.call(x), labels);
 *   return { model, optimizer, loss, loader, epochs: 10, calls: { predict } };
 * });
 */
export function trainJob<
  Settings,
  Note = never,
  M extends AnyModule = AnyModule,
  B = unknown,
  Calls extends JobCalls = Record<never, never>,
  Live extends object = Record<never, never>,
>(
  make: (
    settings: Settings,
    tell: (note: Note) => void,
  ) => JobParts<M, B, Calls, Live> | Promise<JobParts<M, B, Calls, Live>>,
): TrainJob<{ settings: Settings; note: Note; calls: Calls; live: Live }> {
  checkFunctions("trainJob", { make });
  const server = new JobServer(portToParent(), make as never);
  server.listen();
  return {};
}

/** What a job trains, whatever it is. */
type AnyParts = JobParts<AnyModule, unknown, JobCalls, Record<string, unknown>>;

/** How long events are gathered, in milliseconds. */
const GATHER_MS = 16;

/** Steers a run, and tells when it rests: when it is paused, and what was under way is reported. */
class JobControl extends RunControl {
  readonly #waiting = new Set<() => void>();
  #isResting = false;

  override async ready(signal?: AbortSignal): Promise<void> {
    this.#isResting = true;
    this.end();
    await super.ready(signal);
    this.#isResting = false;
  }

  override step(count?: number): void {
    this.#isResting = false;
    super.step(count);
  }

  /** Waits until the run rests, goes on or has ended. */
  async rest(): Promise<void> {
    if (this.#isResting) return;
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Lets go who waits. */
  end(): void {
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }
}

/** The worker's side: answers requests one by one, and tells of a run meanwhile. */
class JobServer {
  #parts: AnyParts | null = null;
  #run: { control: JobControl; stop: AbortController } | null = null;
  /** Number of the request that began the run. */
  #started = 0;
  #events: unknown[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly port: Port,
    readonly make: (
      settings: unknown,
      tell: (note: unknown) => void,
    ) => AnyParts | Promise<AnyParts>,
  ) {}

  listen(): void {
    this.port.listen(
      (message) => {
        if (isMessage(message)) this.#answer(message);
      },
      () => {},
    );
  }

  async #answer({ gradus, kind, given }: JobRequest): Promise<void> {
    try {
      const result = await this.#do(kind, given, gradus);
      this.#flush();
      const buffer = result instanceof Uint8Array && kind === "save" ? [result.buffer] : [];
      this.port.send({ gradus, result }, buffer as ArrayBuffer[]);
    } catch (error) {
      this.#flush();
      this.port.send({ gradus, error: sentError(error) });
    }
  }

  async #do(kind: JobRequest["kind"], given: unknown, gradus: number): Promise<unknown> {
    if (kind === "start") return this.#start(given, gradus);
    if (kind === "close") return this.#close();
    const parts = this.#parts;
    if (!parts) throw new GradusError("trainInWorker: no job yet; expected one that is set up");
    if (kind === "save") return saveSafetensors(parts.model);
    if (kind === "load") return void loadState(parts.model, given as Uint8Array);
    if (kind === "set") return this.#set(parts, given as Record<string, unknown>);
    if (kind === "call") return this.#call(parts, given as [string, unknown[]]);
    return this.#steer(kind, given as number);
  }

  async #steer(kind: "pause" | "resume" | "step" | "stop", count: number): Promise<void> {
    if (!this.#run) return;
    const { control, stop } = this.#run;
    if (kind === "stop") stop.abort();
    else if (kind === "step") control.step(count);
    else control[kind]();
    if (kind === "resume") control.end();
    if (kind === "pause" || kind === "step") await control.rest();
  }

  #set({ live = {}, optimizer }: AnyParts, values: Record<string, unknown>): void {
    const known = ["learningRate", ...Object.keys(live)];
    const wrong = Object.keys(values).find((name) => !known.includes(name));
    if (wrong !== undefined) {
      const given = describeValue(wrong);
      throw new GradusError(`trainInWorker: set ${given}; expected one of ${known.join(", ")}`);
    }
    for (const [name, value] of Object.entries(values)) {
      if (Object.hasOwn(live, name)) live[name](value);
      else (optimizer as { learningRate?: unknown }).learningRate = value;
    }
  }

  #call({ calls = {} }: AnyParts, [name, args]: [string, unknown[]]): unknown {
    if (Object.hasOwn(calls, name)) return calls[name](...args);
    const known = Object.keys(calls).join(", ") || "none";
    throw new GradusError(
      `trainInWorker: call of ${describeValue(name)}; expected one of ${known}`,
    );
  }

  async #start(settings: unknown, gradus: number): Promise<JobEnd> {
    if (this.#run) {
      throw new GradusError("trainInWorker: a run goes on in this worker; expected it to be ended");
    }
    const run = { control: new JobControl(), stop: new AbortController() };
    this.#run = run;
    this.#started = gradus;
    try {
      this.#dispose();
      const parts = await this.make(settings, (note) => this.#tell({ event: "note", note }, true));
      this.#parts = parts;
      this.#tell({ event: "ready" }, true);
      return await this.#train(parts, run);
    } finally {
      this.#run = null;
      run.control.end();
    }
  }

  async #train(
    parts: AnyParts,
    { control, stop }: { control: JobControl; stop: AbortController },
  ): Promise<JobEnd> {
    const { calls: _, live: _live, onStart, onEvent, onEnd, dispose: _free, ...options } = parts;
    const { signal } = stop;
    await onStart?.call(parts);
    let step = 0;
    for await (const event of train({ ...options, control, signal })) {
      await onEvent?.call(parts, event);
      step = event.step;
      this.#tell(await sendable(event));
    }
    const counter = (parts.optimizer as { counter?: { item(): Promise<number> } }).counter;
    const end = { step: counter ? await counter.item() : step, stopped: signal.aborted };
    await onEnd?.call(parts, end);
    return end;
  }

  /** Sends what happens, some of it at once. */
  #tell(event: unknown, now = false): void {
    this.#events.push(event);
    if (now) this.#flush();
    else this.#timer ??= setTimeout(() => this.#flush(), GATHER_MS);
  }

  #flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#events.length === 0) return;
    this.port.send({ gradus: this.#started, events: this.#events.splice(0) });
  }

  #close(): void {
    this.#run?.stop.abort();
    this.#dispose();
  }

  #dispose(): void {
    const parts = this.#parts;
    this.#parts = null;
    parts?.dispose?.();
  }
}

/** An event whose captured values have been read, for tensors stay in the worker. */
async function sendable(event: TrainEvent): Promise<unknown> {
  if (event.event !== "step" || !event.captured) return event;
  const { captured, ...rest } = event;
  const read = Object.entries(captured).map(
    async ([name, x]): Promise<[string, CapturedValues]> => {
      return [name, { shape: x.shape, data: await x.data() }];
    },
  );
  return { ...rest, values: Object.fromEntries(await Promise.all(read)) };
}
