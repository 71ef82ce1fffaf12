import type { Counters } from "../../core/counters.ts";
import type { GradusError } from "../../core/errors.ts";
import type { Storage } from "../../graph/device.ts";
import type { Guard } from "./guard.ts";
import type { Log, LogEntry, Work } from "./log.ts";
import { MARKS, type SubmitMarks } from "./marks.ts";
import { settles } from "./within.ts";

/** Submits that may be under way before `room` makes its caller wait. */
const AHEAD = 3;
/** How long a submit should keep the device busy, in milliseconds. */
const SHORTEST = 2;
const LONGEST = 8;
/** Steps that share a submit, at the most. */
const MOST_STEPS = 256;

/** Kernels to be run. */
export interface Dispatches extends Work {
  readonly label: string;
  encode(pass: GPUComputePassEncoder): void;
}

/** What a queue needs of its session. */
interface QueueHost {
  readonly guard: Guard;
  readonly log: Log;
  readonly marks: SubmitMarks;
  readonly counters: Counters;
  readonly timeout: number;
}

/**
 * Collects work into submits, which are encoded as a whole when they go. Steps that run again and
 * again share one: as many as keep the device busy for 2 to 8 ms, which is measured while they run.
 */
export class SubmitQueue {
  readonly #work: Dispatches[] = [];
  #entry: LogEntry | null = null;
  /** Steps in the present submit, and how many it is going to hold. */
  #steps = 0;
  #stepsPerSubmit = 1;
  /** What settles when submits that are under way are done, in their order. */
  readonly #underWay = new Set<Promise<void>>();
  #lastDone = 0;
  #timer: ReturnType<typeof setTimeout> | null = null;

  constructor(
    readonly host: QueueHost,
    /** Looks which submits ran. */
    readonly verify: () => void,
  ) {}

  /** Puts work behind what waits to be submitted, with the checks of what was made for it. */
  record(work: Dispatches): LogEntry {
    const { guard, log } = this.host;
    this.#entry ??= log.open(guard.op);
    const { works, checks } = this.#entry;
    this.#work.push(work);
    if (works.at(-1) !== work) works.push(work);
    if (guard.isPending) checks.push(...guard.take());
    return this.#entry;
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

  /** Submits other commands behind what was recorded; `encodeLast` comes behind their mark. */
  submit(
    label: string,
    work: Work,
    encode: (encoder: GPUCommandEncoder) => void,
    encodeLast?: (encoder: GPUCommandEncoder) => void,
  ): LogEntry {
    const { guard, log } = this.host;
    const made = guard.take();
    this.flush();
    const entry = log.open(guard.op, [work], made);
    this.#send(entry, label, encode, encodeLast);
    return entry;
  }

  /** Writes values over those in a buffer, behind what was recorded, which may still read them. */
  write(storage: Storage, write: () => void): void {
    const { guard, log } = this.host;
    const made = guard.take();
    this.flush();
    const [, check] = guard.check(write);
    log.close(log.open(guard.op, [{ reads: [], writes: [storage] }], [...made, check]));
  }

  /** Waits until fewer submits are under way; undefined when there is room. */
  room(): Promise<void> | undefined {
    const [first] = this.#underWay;
    return this.#underWay.size < AHEAD ? undefined : this.#wait(first);
  }

  async #wait(done: Promise<void>): Promise<void> {
    // Without an answer it goes on: the next read says what is wrong.
    if (!(await settles(done, this.host.timeout))) this.#underWay.clear();
  }

  #submit(): void {
    const entry = this.#entry;
    if (!entry) return;
    this.#entry = null;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    const [{ label }] = this.#work;
    this.#send(entry, label, (encoder) => {
      const pass = encoder.beginComputePass({ label });
      for (const work of this.#work) work.encode(pass);
      pass.end();
    });
    this.#work.length = 0;
  }

  #send(
    entry: LogEntry,
    label: string,
    encode: (encoder: GPUCommandEncoder) => void,
    encodeLast?: (encoder: GPUCommandEncoder) => void,
  ): void {
    const { guard, log, marks, counters } = this.host;
    counters.add("submits");
    try {
      const { device } = guard.host;
      const made = marks.prepare();
      if (made) entry.checks.push(made);
      const [, check] = guard.check(
        () => {
          const encoder = device.createCommandEncoder({ label });
          encode(encoder);
          entry.mark = marks.encode(encoder);
          encodeLast?.(encoder);
          device.queue.submit([encoder.finish()]);
        },
        undefined,
        entry.op,
      );
      entry.checks.push(check);
    } catch (error) {
      log.fail(entry, error as GradusError);
    }
    log.close(entry);
    const { last } = marks;
    if (last % (MARKS / 2) === 0 && last - log.ran > MARKS / 4) this.verify();
  }

  #submitSteps(): void {
    const steps = this.#steps;
    this.#steps = 0;
    const begun = performance.now();
    this.#submit();
    const end = () => {
      this.#underWay.delete(done);
      this.#adapt(steps, begun);
    };
    const done = this.#workDone().then(end, end);
    this.#underWay.add(done);
  }

  /** Rejects where it throws. */
  async #workDone(): Promise<void> {
    await this.host.guard.host.device.queue.onSubmittedWorkDone();
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
