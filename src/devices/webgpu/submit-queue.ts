import type { Counters } from "../../engine/counters.ts";

/** Submits that may be under way before `room` makes its caller wait. */
const AHEAD = 3;
/** How long a submit should keep the device busy, in milliseconds. */
const SHORTEST = 2;
const LONGEST = 8;
/** Steps that share a submit, at the most. */
const MOST_STEPS = 256;

/**
 * Collects commands into submits. Steps that run again and again share one: as many as keep the
 * device busy for 2 to 8 ms, which is measured while they run.
 */
export class SubmitQueue {
  #encoder: GPUCommandEncoder | null = null;
  #pass: GPUComputePassEncoder | null = null;
  /** Steps in the present submit, and how many it is going to hold. */
  #steps = 0;
  #stepsPerSubmit = 1;
  #underWay = 0;
  #lastDone = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;
  #waiting: (() => void)[] = [];

  constructor(
    readonly device: GPUDevice,
    readonly counters: Counters,
    readonly guarded: <T>(fn: () => T) => T,
  ) {}

  /** Encodes commands behind those that wait to be submitted. */
  record(label: string, encode: (pass: GPUComputePassEncoder) => void): void {
    this.#encoder ??= this.device.createCommandEncoder({ label });
    this.#pass ??= this.#encoder.beginComputePass({ label });
    encode(this.#pass);
  }

  /** Ends one of the steps that share a submit: so many of them, or as many as are measured to be right. */
  share(stepsPerSubmit = this.#stepsPerSubmit): void {
    if (++this.#steps >= stepsPerSubmit) this.#submitSteps();
    else this.#timer ??= setTimeout(() => this.flush(), 0);
  }

  /** Submits what was recorded. */
  flush(): void {
    if (this.#steps > 0) this.#submitSteps();
    else this.#submit();
  }

  /** Submits copies behind what was recorded. */
  copy(label: string, encode: (encoder: GPUCommandEncoder) => void): void {
    this.#pass?.end();
    this.#pass = null;
    this.#encoder ??= this.device.createCommandEncoder({ label });
    encode(this.#encoder);
    this.flush();
  }

  /** Waits until fewer submits are under way; undefined when there is room. */
  room(): Promise<void> | undefined {
    if (this.#underWay < AHEAD) return undefined;
    return new Promise((resolve) => this.#waiting.push(resolve));
  }

  #submit(): void {
    const encoder = this.#encoder;
    if (!encoder) return;
    this.#pass?.end();
    this.#pass = null;
    this.#encoder = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    this.counters.add("submits");
    this.guarded(() => this.device.queue.submit([encoder.finish()]));
  }

  #submitSteps(): void {
    const steps = this.#steps;
    this.#steps = 0;
    const begun = performance.now();
    this.#submit();
    this.#underWay++;
    const done = () => {
      this.#underWay--;
      this.#adapt(steps, begun);
      for (const resolve of this.#waiting.splice(0)) resolve();
    };
    this.device.queue.onSubmittedWorkDone().then(done, done);
  }

  #adapt(steps: number, begun: number): void {
    const now = performance.now();
    const busy = now - Math.max(begun, this.#lastDone);
    this.#lastDone = now;
    if (steps < this.#stepsPerSubmit && busy < SHORTEST) return; // it was cut short
    if (busy < SHORTEST) this.#stepsPerSubmit = Math.min(MOST_STEPS, this.#stepsPerSubmit * 2);
    else if (busy > LONGEST) this.#stepsPerSubmit = Math.max(1, this.#stepsPerSubmit >> 1);
  }
}
