import { constantAdvice } from "../core/advice.ts";
import { checkNotNegative, describeValue } from "../core/check.ts";
import type { DType } from "../core/dtype.ts";
import { GradusError } from "../core/errors.ts";
import { namesOf } from "../graph/device.ts";
import { State } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { cast } from "../ops/cast.ts";
import { tensor } from "../ops/creation.ts";

/**
 * Gives the step size, a scalar, from the number of finished steps: a float scalar, 0 at the first
 * step, whose dtype and device the result has. It is built of ops, so that the device computes it,
 * and of nothing else that changes: it may be called once for all steps.
 * @example const inverse: Schedule = (step) => div(0.1, add(step, 1));
 */
export type Schedule = (step: Tensor) => Tensor;

/** Throws a `GradusError` unless all are schedules. */
export function checkSchedules(op: string, given: Readonly<Record<string, unknown>>): void {
  for (const [name, value] of Object.entries(given)) {
    if (typeof value === "function") continue;
    throw new GradusError(
      `${op}: ${name} ${describeValue(value)}; expected a schedule, as cosineDecay gives` +
        constantAdvice(value),
    );
  }
}

/** An optimizer's step size: a number on the device that can be set, or a schedule. */
export class LearningRate {
  value: number | Schedule;
  readonly #state: State | null = null;
  readonly #counter: State;
  readonly #dtype: DType;

  /** Throws a `GradusError` for a bad number or a schedule whose result is no scalar. */
  constructor(
    readonly op: string,
    value: number | Schedule,
    counter: State,
    dtype: DType,
  ) {
    this.value = value;
    this.#counter = counter;
    this.#dtype = dtype;
    if (typeof value === "function") this.next();
    else this.#state = new State(this.#scalar(value), { name: "learningRate" });
  }

  set(value: number): void {
    if (!this.#state) {
      throw new GradusError(
        `${this.op}: learningRate ${value} over a schedule; ` +
          "expected an optimizer made with a number",
      );
    }
    const next = this.#scalar(value);
    this.#state.assign(next);
    next.dispose();
    this.value = value;
  }

  /** The step size of the next step, a scalar; take it once per step, a schedule builds it anew. */
  next(): Tensor {
    if (this.#state) return this.#state;
    const { device } = this.#counter;
    const rate = (this.value as Schedule)(cast(this.#counter, this.#dtype));
    const isScalar = rate instanceof Tensor && rate.rank === 0;
    if (isScalar && rate.dtype === this.#dtype && rate.device === device) return rate;
    const isElsewhere = rate instanceof Tensor && rate.device !== device;
    const [own, its] = isElsewhere ? namesOf([device, rate.device]) : [device.kind, ""];
    throw new GradusError(
      `${this.op}: learningRate gives ${rate}${its && ` on ${its}`}; ` +
        `expected a scalar as the step is: Tensor([], ${this.#dtype}, ${own})`,
    );
  }

  /** The number, if it is one. */
  get states(): State[] {
    return this.#state ? [this.#state] : [];
  }

  #scalar(value: number): Tensor {
    checkNotNegative(this.op, { learningRate: value });
    return tensor(value, { device: this.#counter.device, dtype: this.#dtype });
  }
}
