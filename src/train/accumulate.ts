import { GradusError } from "../core/errors.ts";
import { grad } from "../graph/grad.ts";
import { assignAll, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { Module } from "../nn/module.ts";
import { add, div } from "../ops/arithmetic.ts";
import { zeros } from "../ops/creation.ts";
import { type TrainStep, type TrainStepOptions, trainStep, type Updater } from "./train-step.ts";

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
  const { accumulate, optimizer, after, batchAt, ...others } = options;
  const sums = new GradientSums(optimizer, accumulate);
  let next = 0;
  const inner = trainStep<M, Placed<B>>({
    ...others,
    loss: (model, { batch }) => options.loss(model, batch),
    metrics: wrapMetrics(options),
    optimizer: sums,
    after: () => {
      if (sums.place === "last") after?.();
    },
    batchAt: (step, given) => {
      sums.place = given.place;
      return batchAt ? { ...given, batch: batchAt(step, given.batch) } : given;
    },
  });
  const placed = (batch: B | undefined, place = placeOf(next, accumulate)): Placed<B> => {
    if (batch === undefined && !batchAt) throw noBatch();
    return { batch: batch as B, place };
  };
  /** Counts at once, so that calls need not wait for one another. */
  const counted = async <T>(run: () => Promise<T>): Promise<T> => {
    try {
      const done = run();
      next++;
      return await done;
    } catch (error) {
      next = inner.next;
      throw error;
    }
  };
  const step = Object.assign((batch?: B) => counted(() => inner(placed(batch))), {
    prepare: async (batch?: B) => {
      const places = new Set(Array.from({ length: accumulate }, (_, i) => placeOf(i, accumulate)));
      const plans = [];
      for (const place of places) plans.push(await inner.prepare(placed(batch, place)));
      return plans[plans.length - 1];
    },
    profile: (batch?: B) => counted(() => inner.profile(placed(batch))),
    read: () => inner.read(),
    seek: (to: number) => {
      inner.seek(to);
      next = to;
    },
    state: () => sums.state(),
    dispose: () => {
      inner.dispose();
      sums.dispose();
    },
    next: 0,
    plans: inner.plans,
  });
  return Object.defineProperties(step, {
    next: { get: () => inner.next },
    plans: { get: () => inner.plans },
  });
}

function placeOf(step: number, k: number): Place {
  const i = step % k;
  if (i === k - 1) return "last";
  return i === 0 ? "first" : "middle";
}

function wrapMetrics<M extends Module, B>({
  metrics = {},
}: TrainStepOptions<M, B>): TrainStepOptions<M, Placed<B>>["metrics"] {
  const wrapped = Object.entries(metrics).map(([name, metric]) => {
    return [name, (model: M, { batch }: Placed<B>): Tensor => metric(model, batch)] as const;
  });
  return Object.fromEntries(wrapped);
}

function noBatch(): GradusError {
  return new GradusError("accumulatedStep: no batch; expected one, or the option batchAt");
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
