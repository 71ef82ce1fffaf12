import { nextTask } from "gradus/train";
import type { Learner } from "./learner.ts";
import type { Report } from "./protocol.ts";
import { judge, type TestSet } from "./test-set.ts";

/** Milliseconds of work between two looks at the messages, and at most so many steps. */
const SLICE_MS = 60;
const SLICE_STEPS = 50;

/** The loss is no number any more. */
export class DivergedError extends Error {}

/** One training run: the loop, which can be paused and stopped from outside. */
export class Run {
  #stopped = false;
  #gate: { readonly promise: Promise<void>; readonly open: () => void } | null = null;

  constructor(
    readonly learner: Learner,
    readonly epochs: number,
    readonly testSet: TestSet,
    readonly report: (report: Report) => void,
  ) {}

  /** Trains until all epochs are done or `stop` was called, and says which. */
  async train(): Promise<"finished" | "stopped"> {
    const { stepsPerEpoch } = this.learner;
    const steps = stepsPerEpoch * this.epochs;
    await this.#test(0);
    let size = 1;
    for (let step = 0; step < steps && !this.#stopped; ) {
      const goal = nextTest(step, stepsPerEpoch);
      const count = Math.min(size, goal - step);
      step += count;
      const seconds = await this.#slice(count, step, steps);
      size = Math.ceil(Math.min(SLICE_STEPS, 2 * size, (count * SLICE_MS) / (1000 * seconds)));
      await nextTask();
      await this.#gate?.promise;
      if (step === goal || this.#stopped) await this.#test(step);
    }
    return this.#stopped ? "stopped" : "finished";
  }

  pause(): void {
    let open = () => {};
    const promise = new Promise<void>((resolve) => {
      open = resolve;
    });
    this.#gate ??= { promise, open };
  }

  resume(): void {
    this.#gate?.open();
    this.#gate = null;
  }

  stop(): void {
    this.#stopped = true;
    this.resume();
  }

  /** Makes `count` steps up to number `step`, reports them, and says how long they took. */
  async #slice(count: number, step: number, steps: number): Promise<number> {
    const begin = performance.now();
    for (let i = 0; i < count; i++) await this.learner.step();
    const { loss, accuracy } = await this.learner.measure();
    const seconds = Math.max(performance.now() - begin, 0.01) / 1000;
    if (!Number.isFinite(loss)) {
      throw new DivergedError(`training: loss ${loss} at step ${step}; expected a number`);
    }
    const { stepsPerEpoch } = this.learner;
    const stepsPerSecond = count / seconds;
    this.report({ kind: "trained", step, steps, stepsPerEpoch, loss, accuracy, stepsPerSecond });
    return seconds;
  }

  async #test(step: number): Promise<void> {
    const probabilities = await this.learner.test();
    this.report({ kind: "tested", step, ...judge(probabilities, this.testSet) });
  }
}

/** The next step after which all test images are looked at: twice an epoch. */
function nextTest(step: number, stepsPerEpoch: number): number {
  const half = Math.ceil(stepsPerEpoch / 2);
  const done = step % stepsPerEpoch;
  return step - done + (done < half ? half : stepsPerEpoch);
}
