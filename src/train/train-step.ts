import {
  checkEach,
  checkFunctions,
  checkMade,
  checkOptions,
  checkSurplus,
  isInteger,
} from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { allocate } from "../core/dtype.ts";
import { type Tools, tools } from "../core/tools.ts";
import { compileChecked } from "../engine/compile.ts";
import type { Plan, Progress } from "../engine/plan.ts";
import type { Profile } from "../engine/profile.ts";
import { Refusal } from "../engine/refusal.ts";
import { State } from "../graph/state.ts";
import { readAll, Tensor } from "../graph/tensor.ts";
import { traceKey } from "../graph/trace-key.ts";
import { inMode } from "../nn/mode.ts";
import { type AnyModule, modelChanges } from "../nn/module.ts";
import { add } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { tensor, zeros } from "../ops/creation.ts";
import { reshape } from "../ops/reshape.ts";
import { writeAt } from "../ops/write-at.ts";
import type { OptimizerLike } from "../optim/optimizer.ts";
import { checkParts, STEP_OPTIONS } from "./check-options.ts";

/** Computes a scalar from a model and a batch: a loss, or a metric. */
export type BatchFunction<M extends AnyModule, B> = (model: M, batch: B) => Tensor;

/** Computes the scalar loss of a model on a batch. */
export type LossFunction<M extends AnyModule, B> = BatchFunction<M, B>;

/** What a training step needs of an optimizer. */
export type Updater = Pick<OptimizerLike, "parameters" | "step" | "apply" | "state"> &
  Partial<Pick<OptimizerLike, "kind">>;

/** What a training step consists of. */
export interface TrainStepOptions<M extends AnyModule, B> {
  /**
   * Traced in training mode, whatever mode it is in, which stays its own; where the model as a whole
   * is in training mode, its parts keep theirs. It is traced anew when `train`, `eval`, `freeze` or
   * what changes layers, such as `addLora`, has changed it; for other layers in it make another step.
   */
  model: M;
  optimizer: Updater;
  loss: LossFunction<M, B>;
  /** Scalars to be kept beside the loss, by name, computed before the step changes the model. */
  metrics?: Readonly<Record<string, BatchFunction<M, B>>>;
  /** Assigns what follows the parameters, in the same plan: `() => average.update()`. */
  after?: () => void;
  /**
   * Gives the batch of a step, a u32 scalar that counts from 0, so that nothing has to be uploaded:
   * `(step) => dataset.batchAt(step, sampler)`. It is given what the step is called with too.
   */
  batchAt?: ((step: Tensor, given: B) => B) | undefined;
  /** How many steps' losses and metrics wait on the device to be read; 1024 when left out. */
  history?: number;
  /**
   * Names of intermediate values that each step keeps on the device for `captured()`: ways in the
   * model, such as `hidden` for what the module `hidden` gives, `hidden.relu` for a function that a
   * `Sequential` called `hidden` has under that key, or for an op that a module calls; at the top
   * `relu`. `hidden#2` is what it gives the second time in a step. What is not asked for costs nothing.
   * The first call on a page loads what this takes: wait for it before other work.
   */
  capture?: readonly string[];
  /** Steps in one submit; as many as take 2 to 8 ms when left out. */
  stepsPerSubmit?: number;
  /**
   * How many steps, at the most, are made again when the device is lost: as often as needed, the
   * states are copied to the host. As often as takes 2 % of the time when left out; null for never,
   * where a loss ends the training.
   */
  mirrorEvery?: number | null;
  /** Told how many pipelines have been built before the first step. */
  onProgress?: Progress;
}

/** What one step gave: its number from 0, its loss from before the change, and the metrics. */
export type StepRecord = { readonly step: number; readonly loss: number } & Readonly<
  Record<string, number>
>;

/** A function that shares the model of a step. */
type Attached<M> = (model: M, ...args: never[]) => unknown;

/** Values by their names. */
export type Captured = Readonly<Record<string, Tensor>>;

/** A training step: one compiled plan of forward, backward and update. */
export interface TrainStep<B, M extends AnyModule = AnyModule> {
  /**
   * Trains on one batch, or on that of `batchAt`. The promise waits for no result, only while plans
   * are built or the device is far behind; the batch may be disposed when it has resolved.
   */
  (batch?: B): Promise<void>;
  /** Builds the plan for batches like this one, without training. */
  prepare(batch?: B): Promise<Plan>;
  /** Trains on one batch, as a call does, and tells how long each kernel took. */
  profile(batch?: B): Promise<Profile>;
  /** Reads what the steps since the last read gave, oldest first; at most `history` of them. */
  read(): Promise<StepRecord[]>;
  /**
   * Gives what `capture` names, from the last step that has been made; nothing before the first.
   * The values lie on the device until they are read. The next step frees them.
   */
  captured(): Captured;
  /**
   * Compiles a function of the model and other arguments, such as inputs of any batch size, which
   * sees the weights as all steps called before it leave them. It runs in evaluation mode, follows
   * `replaceModel`, and ends with the step.
   * @throws GradusError for what is no function; when it is called, DisposedError after `dispose`.
   * @example
   * const predict = step.attach((net, x: Tensor) => softmax(net.call(x)));
   * using probabilities = await predict(images);
   */
  attach<Args extends readonly unknown[], R>(
    run: (model: M, ...args: Args) => R,
  ): (...args: Args) => Promise<R>;
  /**
   * Goes on with another model, of whatever shape, and the optimizer of its parameters. Steps that
   * were called before still train the old one, which stays yours, with its optimizer. The plans for
   * it are freed; the number of the next step, the losses that wait to be read and attached functions
   * stay.
   * @throws GradusError for what is no model or optimizer; the step goes on as it was then. When it is
   * called next, DeviceError for a model on another device than the first.
   */
  replaceModel(model: M, optimizer: Updater): void;
  /** The number of the next step that is made; calls that still wait for their plan do not count. */
  readonly next: number;
  /** The same as a u32 scalar on the device. */
  readonly cursor: State;
  /** Goes on from another step number, as after loading weights. */
  seek(step: number): void;
  readonly plans: readonly Plan[];
  /** Frees what the step holds on the device, not the model or the optimizer. */
  dispose(): void;
  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void;
}

/**
 * Makes a function that trains a model on one batch in one plan that is traced once and replayed.
 *
 * Losses and metrics are written to rings on the device; `read` copies them without stalling it.
 * @throws GradusError for unknown options and numbers out of range; ShapeError, when the step is
 * called, if the loss or a metric is no scalar.
 * @example
 * const step = trainStep({
 *   model,
 *   optimizer,
 *   loss: (model, { images, labels }) => crossEntropy(model.call(images), labels),
 * });
 * await step(batch);
 * const [{ loss }] = await step.read();
 */
export function trainStep<M extends AnyModule, B extends object>(
  options: TrainStepOptions<M, B>,
): TrainStep<B, M> {
  checkOptions<TrainStepOptions<M, B>>("trainStep", options, STEP_OPTIONS);
  return makeTrainStep("trainStep", options);
}

/** Makes a training step whose errors speak as `op`, and of what it is given as `given`. */
export function makeTrainStep<M extends AnyModule, B>(
  op: string,
  options: TrainStepOptions<M, B>,
  given = "batch",
  onDropped = () => {},
): TrainStep<B, M> {
  checkParts(op, options);
  /** Gives what the step consists of; another function after `replaceModel`. */
  let present = () => options;
  const { history = 1024, metrics = {}, capture } = options;
  const { mirrorEvery = Number.POSITIVE_INFINITY } = options;
  checkCount(op, "history", history, 1);
  const like = options.optimizer.parameters[0];
  const ring = (name: string) => new State(zeros([history], like), { name });
  const rings = new Map(["loss", ...Object.keys(metrics)].map((name) => [name, ring(name)]));
  const cursor = new State(tensor(0, { dtype: "u32", device: like.device }), { name: "cursor" });
  let captured: Captured = {};
  // Of what the step consists of, and in which state the model is, plans depend too.
  const body = (
    batch: B | undefined,
    consists: () => TrainStepOptions<M, B>,
    _key: string,
    run?: Attached<M>,
    args: readonly never[] = [],
  ) => {
    if (cursor.disposed) throw new Refusal((by) => by.stepDisposed(op));
    if (capture && !tools.loaded) throw { recovering: tools.get() }; // calls wait for it, and trace again
    const parts = consists();
    const { model } = parts;
    if (run) return inMode(model, false, () => run(model, ...args));
    const trace = () => traceStep(op, parts, rings, cursor, batch);
    return inMode(model, true, () => {
      return capture ? (tools.loaded as Tools).capture(op, capture, trace) : trace();
    });
  };
  let seen = -1;
  let keys: string[] = [];
  /** What a call in a mode depends on besides its arguments; it is told anew when models change. */
  const now = (training: boolean) => {
    const { model } = present();
    const { count } = modelChanges;
    if (count !== seen) keys = [];
    seen = count;
    keys[+training] ??= inMode(model, training, () => `${model[traceKey]?.()}`);
    modelChanges.count = count; // each module has its mode back
    return [present, keys[+training]] as const;
  };
  // The cursor's version at step 0: each step raises both by one.
  let origin = 0;
  let done = 0;
  const next = () => cursor.version - origin;
  const compiled = compileChecked(body, {
    ...options,
    name: op,
    parameters: [given, "", "model", "", "arguments"],
    mirrorEvery: mirrorEvery ?? undefined,
    onDropped: () => {
      origin++;
      done = Math.min(done, next());
      onDropped();
    },
    count: () => next() + 1,
  });
  const take = async (batch?: B, ...surplus: never[]) => {
    checkSurplus(`${op}(…)({ x, labels })`, surplus);
    const made = (await compiled(batch, ...now(true))) as Captured | undefined;
    if (made) captured = (tools.loaded as Tools).newer(captured, made);
  };
  const step = Object.assign(take, {
    prepare: (batch?: B) => compiled.prepare(batch, ...now(true)),
    profile: (batch?: B) => compiled.profile(batch, ...now(true)),
    async read() {
      if (!cursor.disposed) cursor.use(); // steps that wait for their plan are made
      const before = done;
      const last = next();
      done = last;
      const first = Math.max(before, last - history);
      if (first >= last) return [];
      try {
        return await readRings(op, rings, cursor, first, last);
      } catch (error) {
        if (done === last) done = before; // what was not read is read next time
        throw error;
      }
    },
    captured: () => captured,
    attach(run: Attached<M>) {
      checkFunctions(`${op}: attach`, { run });
      return (...args: never[]) => compiled(undefined, ...now(false), run, args);
    },
    replaceModel(model: M, optimizer: Updater) {
      const changed = { ...options, model, optimizer };
      checkParts(op, changed);
      present = () => changed;
      seen = -1;
      compiled.dispose();
      // Calls that wait for the tools make plans for the old model still.
      if (capture && !tools.loaded) tools.get().then(compiled.dispose, () => {});
    },
    seek(to: number) {
      checkCount(op, "seek to", to, 0);
      const value = tensor(to, { dtype: "u32", device: cursor.device });
      cursor.assign(value);
      value.dispose();
      origin = cursor.version - to;
      done = to;
      for (const ring of rings.values()) {
        if (ring.node.storage?.failure) ring.write(allocate(ring.dtype, ring.size));
      }
    },
    dispose() {
      compiled.dispose();
      for (const x of [cursor, ...rings.values(), ...Object.values(captured)]) x.dispose();
    },
    [dispose]() {
      this.dispose();
    },
  });
  const properties = {
    next: { get: next },
    cursor: { value: cursor },
    plans: { get: () => compiled.plans },
  };
  return Object.defineProperties(step, properties) as unknown as TrainStep<B, M>;
}

/** The last values of the loss and of each metric, each at its step's number mod their count. */
type Rings = ReadonlyMap<string, State>;

/** Reads what the steps from `first` up to `next` gave. */
async function readRings(
  op: string,
  rings: Rings,
  cursor: State,
  first: number,
  next: number,
): Promise<StepRecord[]> {
  const names = [...rings.keys()];
  const [[made], ...values] = await readAll(op, [cursor, ...rings.values()]);
  checkMade(op, made, next);
  return Array.from({ length: next - first }, (_, i) => {
    const step = first + i;
    const pairs = values.map((ring, k) => [names[k], ring[step % ring.length]]);
    return { step, ...Object.fromEntries(pairs) } as StepRecord;
  });
}

/** Traces one step; `cursor` holds its number. */
function traceStep<M extends AnyModule, B>(
  op: string,
  { model, optimizer, loss, metrics = {}, after, batchAt }: TrainStepOptions<M, B>,
  rings: Rings,
  cursor: State,
  given?: B,
): void {
  const batch = batchAt ? batchAt(cursor, given as B) : given;
  if (batch === undefined || batch === null) {
    throw new Refusal((by) => by.noBatch(op));
  }
  const functions: [string, typeof loss][] = [["loss", loss], ...Object.entries(metrics)];
  const values = functions.map(([name, compute]) => {
    const value = compute(model, batch);
    checkScalar(op, name, value);
    return [name, value] as const;
  });
  optimizer.step(values[0][1], [], () => loss(model, batch));
  after?.();
  for (const [name, value] of values) {
    const ring = rings.get(name) as State;
    ring.assign(writeAt(ring, cursor, cast(reshape(value, []), ring.dtype)));
  }
  cursor.assign(add(cursor, 1));
}

function checkCount(op: string, what: string, n: number, low: number): void {
  const holds = () => isInteger(n, low, 2 ** 32 - 1);
  checkEach(op, { [what]: n }, holds, `an integer from ${low} to 2^32 - 1`);
}

/** Refuses, as `op`, a loss or a metric that is no tensor of one element. */
export function checkScalar(op: string, name: string, value: unknown): void {
  if (value instanceof Tensor && value.size === 1) return;
  throw new Refusal((by) => by.noScalar(op, name, value));
}
