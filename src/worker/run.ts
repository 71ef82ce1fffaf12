import { checkEach, checkOptions, checkSteps, checkSurplus, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import type { LoadStateOptions, UnmatchedNames } from "../io/load-state.ts";
import type { SaveOptions } from "../io/weights.ts";
import type { JobCalls, JobTypes, TrainJob } from "./job.ts";
import {
  isMessage,
  type JobEnd,
  type JobEvent,
  type JobRequest,
  receivedError,
} from "./messages.ts";
import { type AnyWorker, type Port, portOf, sendCopy } from "./ports.ts";

/** Options of `trainInWorker`. */
export interface TrainInWorkerOptions {
  /** Stops the run between two steps, as `stop` does. */
  signal?: AbortSignal;
}

/**
 * A run in a worker, as its page has it; going through it gives its events, of which the last 10,000 wait, each
 * to one of those who go through it. What steers it holds while the job is set up too.
 */
export interface WorkerRun<Note, Calls extends JobCalls, Live extends object>
  extends AsyncIterable<JobEvent<Note>> {
  /** Settles when the job is set up and training begins. */
  readonly ready: Promise<void>;
  /** Settles when the run has ended; an error keeps the class that it had in the worker. */
  readonly done: Promise<JobEnd>;
  /** Makes no step until `resume` or `step`; settles when the run rests and has reported all before. */
  pause(): Promise<void>;
  /** Goes on. */
  resume(): Promise<void>;
  /** Makes some steps, one when left out; settles when the run rests again. */
  step(count?: number): Promise<void>;
  /** Ends the run before its next step. */
  stop(): Promise<void>;
  /** Sets values that hold from the next step on: `learningRate` if the optimizer has one, and what the job has as `live`. */
  set(values: { learningRate?: number } & Partial<Live>): Promise<void>;
  /** Calls a function of the job, also after training. */
  call<K extends keyof Calls & string>(
    name: K,
    ...args: Parameters<Calls[K]>
  ): Promise<Awaited<ReturnType<Calls[K]>>>;
  /** Gives the weights as a safetensors file, as `saveSafetensors` does with these options. */
  save(options?: SaveOptions): Promise<Uint8Array<ArrayBuffer>>;
  /** Gives the model the weights of a safetensors file, as `loadState` does; functions cannot go to a worker. */
  load(bytes: Uint8Array, options?: LoadStateOptions): Promise<UnmatchedNames>;
  /** Ends the run, then frees what the job holds, and ends a worker that `trainInWorker` has started. */
  close(): Promise<void>;
}

/**
 * Trains in a worker what its script gives to `trainJob`, and lets the page follow and steer it.
 *
 * Bundlers build a worker's script where they see `new Worker(new URL("./job.ts", import.meta.url),
 * { type: "module" })`: give that. A worker of Node's `worker_threads` does as well; a URL starts a worker
 * of a browser's. One worker may train again, with other settings, when its run has ended; what an earlier
 * run is asked then is refused. A browser does not tell of `worker.terminate()`: end a run by `close` before.
 * @param settings what the job's function is given: anything that can be copied to a worker.
 * @throws GradusError for what is no worker; later, by `done`, what the job throws, and GradusError for
 * a worker that ends.
 * @example
 * const worker = new Worker(new URL("./job.ts", import.meta.url), { type: "module" });
 * const run = trainInWorker<typeof job>(worker, { learningRate: 0.01 });
 * for await (const event of run) if (event.event === "step") console.log(event.loss);
 * const bytes = await run.save();
 */
export function trainInWorker<Job extends TrainJob<JobTypes> = TrainJob<JobTypes>>(
  worker: AnyWorker | URL | string,
  settings: NonNullable<Job["types"]>["settings"],
  options: TrainInWorkerOptions = {},
  ...surplus: never[]
): WorkerRun<
  NonNullable<Job["types"]>["note"],
  NonNullable<Job["types"]>["calls"],
  NonNullable<Job["types"]>["live"]
> {
  checkOptions<TrainInWorkerOptions>("trainInWorker", options, { signal: true }, surplus);
  const isPlace = worker instanceof URL || typeof worker === "string";
  if (isPlace && typeof Worker === "undefined") {
    throw new GradusError(
      `trainInWorker: ${quote(String(worker))} where there is no Worker; expected a worker. ` +
        "In Node give new Worker(url) of node:worker_threads",
    );
  }
  const started = isPlace ? new Worker(worker, { type: "module" }) : worker;
  if (typeof (started as AnyWorker | null)?.postMessage !== "function") {
    throw new GradusError(
      `trainInWorker: worker ${describeValue(worker)}; expected a Worker, or the URL of its script`,
    );
  }
  const end = isPlace ? () => started.terminate() : () => {};
  return new JobClient(portOf(started as AnyWorker), settings, options, end) as never;
}

/** A promise, and what settles it. */
interface PendingAnswer {
  readonly resolve: (value: never) => void;
  readonly reject: (error: unknown) => void;
}

/** Events that wait to be taken, at the most. */
const MOST = 10_000;

/** After how long a worker that does not answer is told of, in milliseconds. */
const SILENCE_MS = 10_000;

/** Numbers requests of all runs of a page, for one worker may serve several. */
let requests = 0;

/** The page's side of a run. */
class JobClient implements WorkerRun<unknown, JobCalls, Record<string, unknown>> {
  readonly done: Promise<JobEnd>;
  readonly ready: Promise<void>;
  readonly #pending = new Map<number, PendingAnswer>();
  readonly #number: number;
  #leave: (() => void) | null = null;
  #isOver = false;
  #gone: GradusError | null = null;
  #closed: Promise<void> | null = null;
  #isReady = () => {};
  /** Called when the worker has answered. */
  #quiet = () => {};
  /** Events that nobody has taken yet, and who waits for the next. */
  readonly #events: JobEvent<unknown>[] = [];
  readonly #waiting = new Set<() => void>();

  constructor(
    readonly port: Port,
    settings: unknown,
    { signal }: TrainInWorkerOptions,
    readonly end: () => void,
  ) {
    this.#number = requests + 1;
    const begun = this.#ask<JobEnd>("start", settings);
    const stop = () => void this.stop().catch(() => {});
    this.done = begun.finally(() => {
      signal?.removeEventListener("abort", stop);
      this.#isOver = true;
      this.#wake();
      this.#rest();
    });
    this.done.catch(() => {}); // told to who asks for it, or goes through the events
    const ready = new Promise<void>((resolve) => {
      this.#isReady = resolve;
    });
    this.ready = Promise.race([ready, this.done.then(() => {})]);
    this.ready.catch(() => {});
    const warning = setTimeout(() => {
      console.warn(
        `gradus: trainInWorker: no answer of the worker for ${SILENCE_MS / 1000} seconds; expected its script to ` +
          "call trainJob",
      );
    }, SILENCE_MS);
    (warning as { unref?(): void }).unref?.(); // Node need not stay for it
    this.#quiet = () => clearTimeout(warning);
    this.done.catch(() => {}).finally(this.#quiet);
    if (signal?.aborted) stop();
    else signal?.addEventListener("abort", stop);
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<JobEvent<unknown>, void, undefined> {
    for (;;) {
      while (this.#events.length > 0) yield this.#events.shift() as JobEvent<unknown>;
      if (this.#isOver) break;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
    await this.done;
  }

  pause(): Promise<void> {
    return this.#ask("pause");
  }
  resume(): Promise<void> {
    return this.#ask("resume");
  }
  async step(count = 1): Promise<void> {
    checkSteps("trainInWorker: step", { count });
    await this.#ask("step", count);
  }
  stop(): Promise<void> {
    return this.#ask("stop");
  }
  async set(values: Record<string, unknown>): Promise<void> {
    const isObject = typeof values === "object" && values !== null && !Array.isArray(values);
    checkEach("trainInWorker", { set: values }, () => isObject, "an object of values by name");
    await this.#ask("set", values);
  }
  call(name: string, ...args: unknown[]): Promise<never> {
    return this.#ask("call", [name, args]);
  }
  async save(options: SaveOptions = {}, ...surplus: never[]): Promise<Uint8Array<ArrayBuffer>> {
    checkSurplus("save(options)", surplus);
    return this.#ask("save", options);
  }
  async load(
    bytes: Uint8Array,
    options: LoadStateOptions = {},
    ...surplus: never[]
  ): Promise<UnmatchedNames> {
    checkSurplus("load(bytes, options)", surplus);
    return this.#ask("load", [bytes, options]);
  }

  close(): Promise<void> {
    this.#closed ??= this.#close();
    return this.#closed;
  }

  async #close(): Promise<void> {
    const why = "the run was closed; expected one that is open";
    if (!this.#gone) {
      const closed = this.#ask<void>("close");
      this.#gone ??= new GradusError(`trainInWorker: ${why}`);
      await this.done.catch(() => {});
      await closed.catch(() => {});
    }
    this.#lose(why);
    this.port.rest();
    this.end();
  }

  #ask<T>(kind: JobRequest["kind"], given?: unknown): Promise<T> {
    const number = ++requests;
    return new Promise<T>((resolve, reject) => {
      if (this.#gone) return reject(this.#gone);
      this.#pending.set(number, { resolve: resolve as PendingAnswer["resolve"], reject });
      this.#listen();
      if (this.#gone) return;
      try {
        const request: JobRequest = { gradus: number, run: this.#number, kind, given };
        sendCopy(`trainInWorker: ${kind}`, this.port, request);
      } catch (error) {
        this.#pending.delete(number);
        this.#rest();
        reject(error);
      }
    });
  }

  #listen(): void {
    this.#leave ??= this.port.listen(
      (message) => this.#hear(message),
      (reason) => this.#lose(`the worker ended (${reason}); expected it to run on`),
    );
  }

  /** Hears no more when nothing is to come. */
  #rest(): void {
    if (!this.#isOver || this.#pending.size > 0) return;
    this.#leave?.();
    this.#leave = null;
  }

  /** Lets the worker make its first step, behind all that was asked of it before. */
  #begin(): void {
    this.#isReady();
    this.#ask("go").catch(() => {});
  }

  #wake(): void {
    for (const go of this.#waiting) go();
    this.#waiting.clear();
  }

  #hear(message: unknown): void {
    if (!isMessage(message)) return;
    const { gradus, events, error, result } = message as unknown as Reply;
    if (events && gradus === this.#number) {
      for (const event of events) {
        if (event.event === "heard") this.#quiet();
        else if (event.event === "ready") this.#begin();
        else this.#events.push(event as JobEvent<unknown>);
      }
      // Of events that nobody goes through only the last ones are kept.
      if (this.#events.length > MOST) this.#events.splice(0, this.#events.length - MOST);
      this.#wake();
    }
    const answer = this.#pending.get(gradus);
    if (events || !answer) return;
    this.#pending.delete(gradus);
    if (error) answer.reject(receivedError(error));
    else answer.resolve(result as never);
    this.#rest();
  }

  #lose(why: string): void {
    const error = new GradusError(`trainInWorker: ${why}`);
    this.#gone ??= error;
    for (const { reject } of this.#pending.values()) reject(error);
    this.#pending.clear();
    this.#rest();
  }
}

/** A reply, whichever it is. */
interface Reply {
  readonly gradus: number;
  readonly events?: readonly { readonly event: string }[];
  readonly error?: Parameters<typeof receivedError>[0];
  readonly result?: unknown;
}
