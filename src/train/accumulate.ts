import { checkOptions, checkSteps, checkSurplus, describeValue, isInteger } from "../core/check.ts";
import { dispose } from "../core/dispose.ts";
import { GradusError } from "../core/errors.ts";
import { type Compiled, compile } from "../engine/compile.ts";
import type { Plan } from "../engine/plan.ts";
import { assignAll, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { AnyModule } from "../nn/module.ts";
import { add, div } from "../ops/arithmetic.ts";
import { zeros } from "../ops/creation.ts";
import { slopesOf } from "../optim/check.ts";
import { checkParts, STEP_OPTIONS } from "./check-options.ts";
import {
  type BatchFunction,
  makeTrainStep,
  type TrainStep,
  type TrainStepOptions,
  type Updater,
} from "./train-step.ts";

/** What a step that accumulates gradients consists of. */
export interface AccumulatedStepOptions<M extends AnyModule, B> extends TrainStepOptions<M, B> {
  /** How many batches give one change of the parameters, an integer from 1. */
  accumulate: number;
}

/** A step on a batch of which only each k-th changes the parameters. */
export interface AccumulatedStep<B, M extends AnyModule = AnyModule> extends TrainStep<B, M> {
  /** The sums of gradients by parameter, such as `hidden.weight.sum`, for checkpoints. */
  state(): ReadonlyMap<string, State>;
  /** How many batches the next change has so far, from 0 and below `accumulate`. */
  readonly pending: number;
  /**
   * Changes the parameters by the mean of the gradients of the batches that are pending, if any, so
   * that none is lost where batches end, as at the end of an epoch. The next batch begins a change.
   */
  flush(): Promise<void>;
  /**
   * Goes on from another step number, with the sums of so many batches pending: the step's number
   * mod `accumulate` when left out.
   */
  seek(step: number, pending?: number): void;
}

/** Where a batch stands among those of one change: each kind has its plan. */
type BatchPlace = "first" | "middle" | "last";

/** What the step inside is called with. */
interface StepInput<B> {
  readonly batch: B;
  readonly place: BatchPlace;
}

/**
 * Makes a training step whose optimizer gets the mean of the gradients of `accumulate` batches, so
 * that batches too large for the memory can be trained on in parts:
 *
 *     g = (∂L₁/∂p + … + ∂Lₖ/∂p) / k
 *
 * With a mean loss and parts of one size this is the gradient on all of them together. A call is one
 * batch; `read` tells each one's loss, `next` counts batches, and the optimizer's counter changes of
 * the parameters. Where the number of batches is no multiple of `accumulate`, call `flush` at the
 * end: what is pending is applied then, and else with the batches that follow.
 * @throws GradusError unless `accumulate` is an integer from 1; else as `trainStep` does.
 * @example
 * const step = accumulatedStep({ model, optimizer, loss, accumulate: 4 });
 * for await (using batch of loader.epoch(0)) await step(batch);
 * await step.flush();
 */
export function accumulatedStep<M extends AnyModule, B extends object>(
  options: AccumulatedStepOptions<M, B>,
): AccumulatedStep<B, M> {
  checkOptions<AccumulatedStepOptions<M, B>>("accumulatedStep", options, {
    ...STEP_OPTIONS,
    accumulate: true,
  });
  return makeAccumulatedStep("accumulatedStep", options);
}

/** Makes a step that accumulates gradients, whose errors speak as `op`. */
export function makeAccumulatedStep<M extends AnyModule, B>(
  op: string,
  options: AccumulatedStepOptions<M, B>,
): AccumulatedStep<B, M> {
  const accumulation = new Accumulation(op, options);
  const { step: inner } = accumulation;
  const take = async (batch?: B, ...surplus: never[]) => {
    checkSurplus(`${op}(…)({ x, labels })`, surplus);
    return accumulation.run(inner, batch);
  };
  const step = Object.assign(take, {
    prepare: (batch?: B) => accumulation.prepare(batch),
    captured: inner.captured,
    attach: inner.attach,
    replaceModel: (model: M, optimizer: Updater) => accumulation.replaceModel(model, optimizer),
    profile: (batch?: B) => accumulation.run(inner.profile, batch),
    read: inner.read,
    seek: (to: number, pending?: number) => accumulation.seek(to, pending),
    flush: () => accumulation.flush(),
    state: () => accumulation.sums.state(),
    dispose: () => accumulation.dispose(),
  });
  const properties = {
    [dispose]: { value: step.dispose },
    next: { get: () => inner.next },
    cursor: { value: inner.cursor },
    plans: { get: () => accumulation.plans },
    pending: { get: () => accumulation.pending },
  };
  return Object.defineProperties(step, properties) as unknown as AccumulatedStep<B, M>;
}

/** Where the batch of the step being traced stands. */
interface Placed {
  place: BatchPlace;
}

/** The step on one batch, which is told where the batch stands. */
class Accumulation<M extends AnyModule, B> {
  sums: GradientSums;
  readonly step: TrainStep<StepInput<B>, M>;
  readonly #op: string;
  readonly #options: AccumulatedStepOptions<M, B>;
  /** Changes the parameters by the sums of some batches. */
  readonly #applySums: Compiled<[apply: GradientSums["applyPending"], count: number], void>;
  readonly #placing: Placed = { place: "last" };
  /** The number of the next call, which may wait for others before it. */
  #next = 0;
  /** The step from which changes are counted: each k-th from here makes one. */
  #origin = 0;
  /** Those before it, in order. */
  readonly #origins: number[] = [];
  /** The call made last, and the flush that calls wait for. */
  #last: Promise<unknown> = Promise.resolve();
  #flush: Promise<void> | null = null;

  constructor(op: string, options: AccumulatedStepOptions<M, B>) {
    checkParts(op, options);
    const { loss, metrics = {}, optimizer, accumulate, after, batchAt, ...rest } = options;
    checkSteps(op, { accumulate });
    const sums = new GradientSums(op, optimizer, accumulate, this.#placing);
    this.#op = op;
    this.#options = options;
    this.sums = sums;
    const inner: TrainStepOptions<M, StepInput<B>> = {
      ...rest,
      loss: ofBatch(loss),
      metrics: Object.fromEntries(Object.entries(metrics).map(([k, f]) => [k, ofBatch(f)])),
      optimizer: sums,
      after: () => {
        if (this.#placing.place === "last") after?.();
      },
      batchAt: (step, given) => {
        this.#placing.place = given.place;
        return batchAt ? { ...given, batch: batchAt(step, given.batch) } : given;
      },
    };
    // A batch lies in what the step inside is given, which has no name of its own.
    this.step = makeTrainStep(op, inner, "", () => {
      this.#next--;
    });
    const onDropped = () => {
      this.#origin = this.#origins.pop() ?? this.#origin;
    };
    this.#applySums = compile(
      (apply, count) => {
        apply(count);
        after?.();
      },
      { name: op, onDropped },
    );
  }

  get pending(): number {
    return (this.#next - this.#origin) % this.#options.accumulate;
  }

  get plans(): readonly Plan[] {
    return [...this.step.plans, ...this.#applySums.plans];
  }

  /** Counts at once, so that calls need not wait for one another. */
  async run<T>(work: (given: StepInput<B>) => Promise<T>, batch?: B): Promise<T> {
    try {
      const placed = this.#placed(batch, this.pending);
      const result = this.#flush ? this.#flush.then(() => work(placed)) : work(placed);
      this.#last = result.catch(() => {});
      this.#next++;
      return await result;
    } catch (error) {
      this.#next = this.step.next;
      throw error;
    }
  }

  /** Applies what is pending after the calls so far and before those that follow. */
  async flush(): Promise<void> {
    const { pending } = this;
    if (pending === 0) return;
    const { applyPending } = this.sums;
    const origin = this.#origin;
    const next = this.#next;
    this.#origin = next;
    this.#origins.push(origin);
    const flush = this.#last.then(() => this.#applySums(applyPending, pending));
    this.#flush = flush;
    try {
      await flush;
    } catch (error) {
      // The sums are still there: calls that waited for this one fail too.
      if (this.#origin === next) this.#origin = this.#origins.pop() ?? origin;
      throw error;
    } finally {
      if (this.#flush === flush) this.#flush = null;
    }
  }

  /** Builds the plan of each place, and gives that of the last. */
  async prepare(batch?: B): Promise<Plan> {
    const { accumulate: k } = this.#options;
    const [first, middle, last] = [0, Math.min(1, k - 1), k - 1];
    await this.step.prepare(this.#placed(batch, first));
    await this.step.prepare(this.#placed(batch, middle));
    return this.step.prepare(this.#placed(batch, last));
  }

  /** Goes on with another model; what is pending for the old one is dropped. */
  replaceModel(model: M, optimizer: Updater): void {
    checkParts(this.#op, { ...this.#options, model, optimizer });
    const { accumulate } = this.#options;
    const sums = new GradientSums(this.#op, optimizer, accumulate, this.#placing);
    this.step.replaceModel(model, sums);
    const free = () => {
      this.#applySums.dispose();
      before.dispose();
    };
    const before = this.sums;
    Promise.all([this.#last, this.#flush]).then(free, free); // calls before still change the old one
    this.sums = sums;
    this.#origin = this.#next;
  }

  seek(step: number, pending?: number): void {
    const { accumulate } = this.#options;
    if (pending !== undefined && !isInteger(pending, 0, accumulate - 1)) {
      const rule = `an integer from 0 to ${accumulate - 1}`;
      throw new GradusError(
        `${this.#op}: ${describeValue(pending)} batches pending; expected ${rule}`,
      );
    }
    this.step.seek(step);
    this.#next = step;
    this.#origin = step - (pending ?? step % accumulate);
  }

  dispose(): void {
    this.step.dispose();
    this.#applySums.dispose();
    this.sums.dispose();
  }

  #placed(batch: B | undefined, pending: number): StepInput<B> {
    const { accumulate, batchAt } = this.#options;
    if ((batch !== undefined && batch !== null) || batchAt) {
      return { batch: batch as B, place: placeOf(pending, accumulate) };
    }
    throw new GradusError(`${this.#op}: no batch; expected one, or the option batchAt`);
  }
}

function ofBatch<M extends AnyModule, B>(
  compute: BatchFunction<M, B>,
): BatchFunction<M, StepInput<B>> {
  return (model, { batch }) => compute(model, batch);
}

function placeOf(pending: number, k: number): BatchPlace {
  if (pending === k - 1) return "last";
  return pending === 0 ? "first" : "middle";
}

/** An optimizer's stand-in, which hands on the mean of the gradients of k steps. */
class GradientSums implements Updater {
  readonly parameters: Updater["parameters"];
  readonly #sums: readonly State[];

  constructor(
    readonly op: string,
    readonly optimizer: Updater,
    readonly count: number,
    readonly placing: Placed,
  ) {
    this.parameters = optimizer.parameters;
    const { parameters } = this;
    this.#sums = parameters.map((p, i) => {
      const { device, dtype, shape } = p;
      const isShared = parameters.some((other, j) => j !== i && other.name === p.name);
      const name = `${isShared ? `${p.name}.${i}` : p.name}.sum`;
      return new State(zeros(shape, { device, dtype }), { name });
    });
  }

  state(): ReadonlyMap<string, State> {
    return new Map(this.#sums.map((sum) => [sum.name, sum]));
  }

  step(loss: Tensor): void {
    this.apply(slopesOf(this.optimizer.kind ?? this.op, loss, this.parameters));
  }

  /** Starts the sums anew, adds to them, or adds the last gradients and makes the step. */
  apply(gradients: readonly Tensor[]): void {
    const { count } = this;
    const { place } = this.placing;
    const isFirst = place === "first" || count === 1;
    if (!isFirst || place !== "last") checkWhole(this.op, gradients, this.parameters);
    const totals = gradients.map((g, i) => (isFirst ? g : add(this.#sums[i], g)));
    if (place === "last") this.optimizer.apply(totals.map((g) => (count > 1 ? div(g, count) : g)));
    else assignAll(this.#sums.map((sum, i) => [sum, totals[i]]));
  }

  /** Makes the step by the mean of the sums of some batches. */
  readonly applyPending = (count: number): void => {
    this.optimizer.apply(this.#sums.map((sum) => div(sum, count)));
  };

  dispose(): void {
    for (const sum of this.#sums) sum.dispose();
  }
}

/** Throws a `GradusError` where a gradient is of rows, as sums over batches are not. */
function checkWhole(
  op: string,
  gradients: readonly Tensor[],
  parameters: Updater["parameters"],
): void {
  const i = gradients.findIndex(({ node }) => node.op?.rows);
  if (i < 0) return;
  throw new GradusError(
    `${op}: the gradient of "${parameters[i].name}" is of rows, as lookups with sparse: true give ` +
      "it; expected whole ones, which are added up. Leave sparse out",
  );
}
