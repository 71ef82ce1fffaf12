import { RunControl, type TrainEvent } from "gradus/train";
import type { Learner } from "./learner.ts";
import type { Report } from "./protocol.ts";
import { judge, type TestSet } from "./test-set.ts";

/** One training run, which can be paused and stopped from outside. */
export class Run {
  readonly #control = new RunControl();
  readonly #stop = new AbortController();

  constructor(
    readonly learner: Learner,
    readonly epochs: number,
    readonly testSet: TestSet,
    readonly report: (report: Report) => void,
  ) {}

  /** Trains until all epochs are done or `stop` was called, and says which. */
  async train(): Promise<"finished" | "stopped"> {
    const { signal } = this.#stop;
    await this.#test(0);
    const events = this.learner.train({ epochs: this.epochs, control: this.#control, signal });
    for await (const event of events) await this.#tell(event);
    if (!signal.aborted) return "finished";
    await this.#test(await this.learner.steps());
    return "stopped";
  }

  pause(): void {
    this.#control.pause();
  }

  resume(): void {
    this.#control.resume();
  }

  stop(): void {
    this.#stop.abort();
  }

  /** Passes an event on; all test images are looked at twice an epoch. */
  async #tell(event: TrainEvent): Promise<void> {
    const { step } = event;
    if (event.event === "measure" || event.event === "epoch") return this.#test(step);
    if (event.event === "deviceLost") return this.report({ kind: "lost", step });
    if (event.event === "recovered") {
      const { kind: device, description, repeated } = event;
      return this.report({ kind: "recovered", step: step - repeated, device, description });
    }
    if (event.event === "deviceChosen") {
      const { kind: device, description, reason } = event;
      return this.report({ kind: "device", device, description, reason });
    }
    const { steps, loss, metrics, stepsPerSecond } = event;
    const accuracy = metrics?.accuracy ?? Number.NaN;
    const { stepsPerEpoch } = this.learner;
    this.report({ kind: "trained", step, steps, stepsPerEpoch, loss, accuracy, stepsPerSecond });
  }

  async #test(step: number): Promise<void> {
    const probabilities = await this.learner.test();
    this.report({ kind: "tested", step, ...judge(probabilities, this.testSet) });
  }
}
