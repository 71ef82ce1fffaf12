import { checkEach, checkFunctions, checkOptions, describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { type LoadStateOptions, loadState } from "../io/load-state.ts";
import { type SaveOptions, saveSafetensors } from "../io/weights.ts";
import type { AnyModule } from "../nn/module.ts";
import { batchesOf } from "../train/batches.ts";
import { TRAIN_OPTIONS } from "../train/check-options.ts";
import type { TrainEvent } from "../train/events.ts";
import { RunControl } from "../train/run-control.ts";
import { train } from "../train/train.ts";
import { checkRun, type TrainOptions } from "../train/train-options.ts";
import {
  type CapturedValues,
  isMessage,
  type JobEnd,
  type JobRequest,
  sentError,
} from "./messages.ts";
import { type Port, portToParent, sendCopy } from "./ports.ts";

/** Functions that a page may call, by name: arguments and results are copied. */
export type JobCalls = Readonly<Record<string, (...args: never[]) => unknown>>;

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
 * what it loads into the module's scope stays. `tell` sends the page a note at once, and throws a GradusError for
 * one that cannot be copied.
 * @typeParam Calls the functions that the page may call.
 * @throws GradusError outside of a worker; to its page, for what the function gives that is no job.
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

/** Makes what a run trains of its settings. */
type Make = (
  settings: unknown,
  tell: (note: unknown) => void,
) => AnyParts | null | Promise<AnyParts | null>;

/** A run as its worker has it, from the set-up on. */
class ServedRun {
  readonly control = new JobControl();
  readonly stop = new AbortController();
  /** Lets training begin: when the page has heard that all is set up, so that what it asked before holds. */
  go = () => {};
  readonly #begun = new Promise<void>((resolve) => {
    this.go = resolve;
  });
  /** What it trains, once that is set up and until it is freed. */
  parts: AnyParts | null = null;
  /** Settles at its end; null when it has ended. */
  going: Promise<JobEnd> | null = null;
  readonly #events: unknown[] = [];
  #timer: ReturnType<typeof setTimeout> | null = null;

  /** @param number that of the request that began it. */
  constructor(
    readonly port: Port,
    readonly number: number,
  ) {}

  /** Sets up what it trains and trains that. */
  start(make: Make, settings: unknown): Promise<JobEnd> {
    this.going = this.#go(make, settings).finally(() => {
      this.going = null;
      this.control.end();
      this.flush();
    });
    return this.going;
  }

  async #go(make: Make, settings: unknown): Promise<JobEnd> {
    const parts = await make(settings, (note) => this.#tell("tell", { event: "note", note }));
    const rule = "an object of model, optimizer, loss, loader and epochs";
    checkEach("trainJob", { job: parts }, (x) => typeof x === "object" && x !== null, rule);
    this.parts = parts as AnyParts;
    const options = trainOptions(this.parts);
    this.#tell("ready", { event: "ready" });
    await this.#begun;
    return this.#train(this.parts, options);
  }

  async #train(parts: AnyParts, options: TrainOptions<AnyModule, unknown>): Promise<JobEnd> {
    const { control } = this;
    const { signal } = this.stop;
    await parts.onStart?.();
    let step = 0;
    for await (const event of train({ ...options, control, signal })) {
      await parts.onEvent?.(event);
      step = event.step;
      this.#events.push(await sendable(event));
      this.#timer ??= setTimeout(() => this.flush(), GATHER_MS);
    }
    const states = [...parts.optimizer.state()];
    const counter = states.find(([name]) => /^(\d+\.)*step$/.test(name))?.[1];
    const end = { step: counter ? await counter.item() : step, stopped: signal.aborted };
    await parts.onEnd?.(end);
    return end;
  }

  /** Sends what happens at once, behind what was gathered. */
  #tell(what: string, event: unknown): void {
    this.flush();
    sendCopy(`trainJob: ${what}`, this.port, { gradus: this.number, events: [event] });
  }

  /** Sends the events that were gathered. */
  flush(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#events.length === 0) return;
    this.port.send({ gradus: this.number, events: this.#events.splice(0) });
  }

  /** Ends it, and frees what it holds when it has come to its end. */
  async close(): Promise<void> {
    this.stop.abort();
    this.go();
    await this.going?.catch(() => {});
    this.free();
  }

  free(): void {
    const { parts } = this;
    this.parts = null;
    parts?.dispose?.();
  }
}

/** What of a job `train` takes; throws a `GradusError` for a job that cannot be trained. */
function trainOptions(parts: AnyParts): TrainOptions<AnyModule, unknown> {
  const { calls = {}, live = {}, onStart, onEvent, onEnd, dispose, ...options } = parts;
  const given = Object.entries({ onStart, onEvent, onEnd, dispose });
  checkFunctions("trainJob", Object.fromEntries(given.filter(([, x]) => x !== undefined)));
  for (const [name, functions] of Object.entries({ calls, live })) {
    const isObject = (x: unknown) => typeof x === "object" && x !== null;
    checkEach("trainJob", { [name]: functions }, isObject, "an object of functions");
    const named = Object.entries(functions).map(([key, value]) => [`${name}.${key}`, value]);
    checkFunctions("trainJob", Object.fromEntries(named));
  }
  checkOptions<TrainOptions<AnyModule, unknown>>("train", options, TRAIN_OPTIONS);
  checkRun("train", options);
  batchesOf("train", options.loader); // refuses what gives no batches
  return options;
}

/** The worker's side: answers requests one by one, and tells of a run meanwhile. */
class JobServer {
  /** The run that was begun last, until it is closed. */
  #run: ServedRun | null = null;

  constructor(
    readonly port: Port,
    readonly make: Make,
  ) {}

  listen(): void {
    this.port.listen(
      (message) => {
        if (isMessage(message)) this.#answer(message);
      },
      () => {},
    );
  }

  async #answer(request: JobRequest): Promise<void> {
    const { gradus, kind } = request;
    try {
      const result = await this.#do(request);
      this.#run?.flush();
      const buffer = kind === "save" ? [(result as Uint8Array).buffer] : [];
      const answer = { gradus, result };
      sendCopy(`trainInWorker: ${kind}`, this.port, answer, buffer as ArrayBuffer[]);
    } catch (error) {
      this.#run?.flush();
      this.port.send({ gradus, error: sentError(error) });
    }
  }

  async #do({ kind, run: number, given }: JobRequest): Promise<unknown> {
    if (kind === "start") return this.#start(given, number);
    const run = this.#run?.number === number ? this.#run : null;
    if (kind === "pause" || kind === "resume" || kind === "step" || kind === "stop") {
      return run?.going && steer(run, kind, given as number);
    }
    if (kind === "go") return run?.go();
    if (kind === "close") {
      await run?.close();
      return this.#forget(run);
    }
    if (!run) {
      throw new GradusError(
        `trainInWorker: ${kind} by a run that its worker does not hold; expected the one that it began last`,
      );
    }
    const { parts } = run;
    if (!parts) {
      throw new GradusError(
        `trainInWorker: ${kind} with no job yet; expected one that is set up. Await ready`,
      );
    }
    if (kind === "save") return saveSafetensors(parts.model, {}, given as SaveOptions);
    if (kind === "load" || kind === "set") await parts.optimizer.parameters[0]?.device.recovering;
    if (kind === "load") {
      const [bytes, options] = given as [Uint8Array, LoadStateOptions];
      return loadState(parts.model, bytes, options);
    }
    if (kind === "set") return set(parts, given as Record<string, unknown>);
    return call(parts, given as [string, unknown[]]);
  }

  #start(settings: unknown, number: number): Promise<JobEnd> {
    this.port.send({ gradus: number, events: [{ event: "heard" }] });
    if (this.#run?.going) {
      throw new GradusError("trainInWorker: a run goes on in this worker; expected it to be ended");
    }
    const last = this.#run;
    this.#forget(last);
    last?.free();
    this.#run = new ServedRun(this.port, number);
    return this.#run.start(this.make, settings);
  }

  #forget(run: ServedRun | null): void {
    if (this.#run === run) this.#run = null;
  }
}

/** Settles where the run does what is asked, or has ended. */
async function steer(
  { control, stop }: ServedRun,
  kind: "pause" | "resume" | "step" | "stop",
  count: number,
): Promise<void> {
  if (kind === "stop") stop.abort();
  else if (kind === "step") control.step(count);
  else control[kind]();
  if (kind === "resume") control.end();
  if (kind === "pause" || kind === "step") await control.rest();
}

function set({ live = {}, optimizer }: AnyParts, values: Record<string, unknown>): void {
  const own = "learningRate" in optimizer ? ["learningRate"] : [];
  const known = new Set([...own, ...Object.keys(live)]);
  const wrong = Object.keys(values).find((name) => !known.has(name));
  if (wrong !== undefined) {
    const given = describeValue(wrong);
    const rule = `one of ${[...known].join(", ") || "none"}`;
    throw new GradusError(`trainInWorker: set ${given}; expected ${rule}`);
  }
  for (const [name, value] of Object.entries(values)) {
    if (Object.hasOwn(live, name)) live[name](value);
    else (optimizer as { learningRate?: unknown }).learningRate = value;
  }
}

function call({ calls = {} }: AnyParts, [name, args]: [string, unknown[]]): unknown {
  if (Object.hasOwn(calls, name)) return calls[name](...(args as never[]));
  const known = Object.keys(calls).join(", ") || "none";
  throw new GradusError(`trainInWorker: call of ${describeValue(name)}; expected one of ${known}`);
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
