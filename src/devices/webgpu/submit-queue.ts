import type { Counters } from "../../core/counters.ts";
import type { GradusError } from "../../core/errors.ts";
import { type BufferStorage, put, type Segment } from "./buffers.ts";
import type { Guard } from "./guard.ts";
import type { Log, LogEntry, Work } from "./log.ts";
import { MARKS, type SubmitMarks } from "./marks.ts";
import { wholeWords } from "./transfer.ts";
import { settles } from "./within.ts";

/** Submits that may be under way before `room` makes its caller wait. */
const AHEAD = 3;
/** How long a submit should keep the device busy, in milliseconds. */
const SHORTEST = 2;
const LONGEST = 8;
/** Steps that share a submit, at the most. */
const MOST_STEPS = 256;

/** Bytes of values that wait to be copied, at the most; more are copied in pieces. */
export const MOST_STAGED = 64 * 2 ** 20;

/** A pass that is being encoded. */
export interface Pass {
  readonly encoder: GPUComputePassEncoder;
  /** What it is set to, which is set again only where it changes. */
  pipeline?: GPUComputePipeline;
}

/** Kernels to be run. */
export interface Dispatches extends Work {
  readonly label: string;
  encode(pass: Pass): void;
}

/** Values on their way to a storage, from its byte `start` on, by way of a staging buffer's at `at`. */
interface Upload extends Work, Segment {
  readonly writes: readonly BufferStorage[];
  readonly start: number;
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
  /** Uploads, which come before what is computed. */
  readonly #uploads: Upload[] = [];
  #staged = 0;
  readonly #work: Dispatches[] = [];
  #entry: LogEntry | null = null;
  /** Steps in the present submit, and how many it is going to hold. */
  #steps = 0;
  #stepsPerSubmit = 1;
  /** What settles when submits that are under way are done, in their order. */
  readonly #underWay = new Set<Promise<void>>();
  #lastDone = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(
    readonly host: QueueHost,
    /** Looks which submits ran. */
    readonly verify: () => void,
  ) {}

  /** Puts work behind what waits to be submitted, with the checks of what was made for it. */
  record(work: Dispatches): LogEntry {
    checkReads(work);
    this.#work.push(work);
    return this.#note(work);
  }

  #note(work: Work): LogEntry {
    const { guard, log } = this.host;
    this.#entry ??= log.open(guard.op);
    const { works, checks } = this.#entry;
    if (works.at(-1) !== work) works.push(work);
    checks.push(...guard.take());
    return this.#entry;
  }

  /** Where uploads wait, whether one work needs all that waits, so that they may fail as one. */
  isFor(work: Work): boolean | null {
    if (this.#uploads.length === 0) return null;
    const { works } = this.#entry as LogEntry;
    const reads = new Set([...works, work].flatMap((each) => each.reads));
    return works.every(({ writes }) => writes.some((storage) => reads.has(storage)));
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
    const entry = this.#open(work);
    this.#send(entry, label, encode, encodeLast);
    return entry;
  }

  /**
   * Puts values over those of a storage, behind what was recorded, which may still read them. They go
   * with the next submit, in front of what it computes; large ones in pieces, each with its own.
   */
  upload(storage: BufferStorage, all: Uint8Array): void {
    const { guard } = this.host;
    for (let start = 0; start < all.length; start += MOST_STAGED) {
      const bytes = all.subarray(start, start + MOST_STAGED);
      // A new buffer may fail, and shares no submit with steps.
      const isFull = this.#staged + bytes.length > MOST_STAGED;
      if (isFull || guard.isPending || this.#work.length > 0) this.flush();
      const writes = [storage];
      const reads = start > 0 ? writes : []; // all pieces or none
      const upload = { reads, writes, bytes, at: this.#staged, start };
      this.#staged += wholeWords(bytes.length);
      this.#uploads.push(upload);
      this.#note(upload);
      this.#timer ??= setTimeout(() => this.flush(), 0);
    }
  }

  /** Notes a storage that was made with values in it. */
  note(storage: BufferStorage): void {
    this.host.log.close(this.#open({ reads: [], writes: [storage] }));
  }

  /** Begins an entry of its own behind what was recorded. */
  #open(work: Work): LogEntry {
    const { guard, log } = this.host;
    const made = guard.take();
    this.flush();
    checkReads(work);
    return log.open(guard.op, [work], made);
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
    clearTimeout(this.#timer);
    this.#timer = undefined;
    const works = this.#work.splice(0);
    const uploads = this.#uploads.splice(0);
    const label = works[0]?.label ?? entry.op;
    const size = this.#staged;
    let staging: GPUBuffer | undefined;
    const { guard, counters } = this.host;
    const { device } = guard.host;
    const encode = (encoder: GPUCommandEncoder) => {
      if (size > 0) {
        const { MAP_WRITE, COPY_SRC } = GPUBufferUsage;
        const usage = MAP_WRITE | COPY_SRC;
        staging = device.createBuffer({ label, size, usage, mappedAtCreation: true });
        counters.add("buffers");
        put(uploads, staging);
      }
      for (const { writes, bytes, at, start } of uploads) {
        const [{ buffer, offset }] = writes;
        const { length } = bytes;
        encoder.copyBufferToBuffer(
          staging as GPUBuffer,
          at,
          buffer,
          offset + start,
          wholeWords(length),
        );
      }
      if (works.length === 0) return;
      const pass: Pass = { encoder: encoder.beginComputePass({ label }) };
      for (const work of works) work.encode(pass);
      pass.encoder.end();
    };
    this.#send(entry, label, encode);
    this.#staged = 0;
    staging?.destroy();
  }

  #send(
    entry: LogEntry,
    label: string,
    encode: (encoder: GPUCommandEncoder) => void,
    encodeLast?: (encoder: GPUCommandEncoder) => void,
  ): void {
    const { guard, log, marks, counters } = this.host;
    const wanted = this.#staged;
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
        () => wanted,
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

/** Throws what spoiled values that a work needs: what waited before it may have failed at last. */
function checkReads({ reads }: Work): void {
  for (const { failure } of reads) if (failure) throw failure;
}
