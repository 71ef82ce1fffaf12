import { GradusError } from "../core/errors.ts";
import type { Plan } from "../engine/plan.ts";
import { grad } from "../graph/grad.ts";
import { assignAll, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "../nn/module.ts";
import { add, div } from "../ops/arithmetic.ts";
import { zeros } from "../ops/creation.ts";
import {
  type BatchFunction,
  type TrainStep,
  type TrainStepOptions,
  trainStep,
  type Updater,
} from "./train-step.ts";

/** What a step that accumulates gradients consists of. */
export interface AccumulatedStepOptions<M extends Module, B> extends TrainStepOptions<M, B> {
  /** How many batches give one change of the parameters, an integer from 1. */
  accumulate: number;
}

/** A step on a batch of which only each k-th changes the parameters. */
export interface AccumulatedStep<B> extends TrainStep<B> {
  /** The sums of gradients by parameter, such as `hidden.weight.sum`, for checkpoints. */
  state(): ReadonlyMap<string, State>;
}

/** Where a batch stands among those of one change: each kind has its plan. */
type Place = "first" | "middle" | "last";

/** What the step inside is called with. */
interface Placed<B> {
  readonly batch: B;
  readonly place: Place;
}

/**
 * Makes a training step whose optimizer gets the mean of the gradients of `accumulate` batches, so
 * that batches too large for the memory can be trained on in parts:
 *
 *     g = (∂L₁/∂p + … + ∂Lₖ/∂p) / k
 *
 * With a mean loss and parts of one size this is the gradient on all of them together. A call is one
 * batch; `read` tells each one's loss, `next` counts batches, and the optimizer's counter changes of
 * the parameters. Batches are counted over all epochs, so a change may span two of them.
 * @throws GradusError unless `accumulate` is an integer from 1; else as `trainStep` does.
 * @example
 * const step = accumulatedStep({ model, optimizer, loss, accumulate: 4 });
 * for await (using batch of loader.epoch(0)) await step(batch);
 */
export function accumulatedStep<M extends Module, B>(
  options: AccumulatedStepOptions<M, B>,
): AccumulatedStep<B> {
  const accumulation = new Accumulation(options);
  const { step: inner, sums } = accumulation;
  const step = Object.assign((batch?: B) => accumulation.run(inner, batch), {
    prepare: (batch?: B) => accumulation.prepare(batch),
    profile: (batch?: B) => accumulation.run(inner.profile, batch),
    read: inner.read,
    seek: (to: number) => accumulation.seek(to),
    state: () => sums.state(),
    dispose: () => {
      inner.dispose();
      sums.dispose();
    },
  });
  const properties = { next: { get: () => inner.next }, plans: { get: () => inner.plans } };
  return Object.defineProperties(step, properties) as AccumulatedStep<B>;
}

/** The step on one batch, which is told where the batch stands. */
class Accumulation<M extends Module, B> {
  readonly sums: GradientSums;
  readonly step: TrainStep<Placed<B>>;
  readonly #options: AccumulatedStepOptions<M, B>;
  /** The number of the next call, which may wait for others before it. */
  #next = 0;

  constructor(options: AccumulatedStepOptions<M, B>) {
    const { loss, metrics = {}, optimizer, accumulate, after, batchAt } = options;
    const sums = new GradientSums(optimizer, accumulate);
    this.#options = options;
    this.sums = sums;
    this.step = trainStep<M, Placed<B>>({
      ...options,
      loss: ofBatch(loss),
      metrics: Object.fromEntries(Object.entries(metrics).map(([k, f]) => [k, ofBatch(f)])),
      optimizer: sums,
      after: () => {
        if (sums.place === "last") after?.();
      },
      batchAt: (step, given) => {
        sums.place = given.place;
        return batchAt ? { ...given, batch: batchAt(step, given.batch) } : given;
      },
    });
  }

  /** Counts at once, so that calls need not wait for one another. */
  async run<T>(work: (given: Placed<B>) => Promise<T>, batch?: B): Promise<T> {
    try {
      const result = work(this.#placed(batch, this.#next));
      this.#next++;
      return await result;
    } catch (error) {
      this.#next = this.step.next;
      throw error;
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

  seek(step: number): void {
    this.step.seek(step);
    this.#next = step;
  }

  #placed(batch: B | undefined, step: number): Placed<B> {
    const { accumulate, batchAt } = this.#options;
    if (batch !== undefined || batchAt) {
      return { batch: batch as B, place: placeOf(step, accumulate) };
    }
    throw new GradusError("accumulatedStep: no batch; expected one, or the option batchAt");
  }
}

function ofBatch<M extends Module, B>(compute: BatchFunction<M, B>): BatchFunction<M, Placed<B>> {
  return (model, { batch }) => compute(model, batch);
}

function placeOf(step: number, k: number): Place {
  const i = step % k;
  if (i === k - 1) return "last";
  return i === 0 ? "first" : "middle";
}

/** An optimizer's stand-in, which hands on the mean of the gradients of k steps. */
class GradientSums implements Updater {
  readonly parameters: Updater["parameters"];
  /** The place of the step being traced. */
  place: Place = "last";
  readonly #sums: readonly State[];

  constructor(
    readonly optimizer: Updater,
    readonly count: number,
  ) {
    if (!Number.isSafeInteger(count) || count < 1) {
      throw new GradusError(`accumulatedStep: accumulate ${count}; expected an integer from 1`);
    }
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
    this.apply(grad(loss, this.parameters));
  }

  /** Starts the sums anew, adds to them, or adds the last gradients and makes the step. */
  apply(gradients: readonly Tensor[]): void {
    const { place, count } = this;
    const isFirst = place === "first" || count === 1;
    const totals = gradients.map((g, i) => (isFirst ? g : add(this.#sums[i], g)));
    if (place === "last") this.optimizer.apply(totals.map((g) => (count > 1 ? div(g, count) : g)));
    else assignAll(this.#sums.map((sum, i) => [sum, totals[i]]));
  }

  dispose(): void {
    for (const sum of this.#sums) sum.dispose();
  }
}
