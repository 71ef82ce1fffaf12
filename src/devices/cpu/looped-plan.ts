import { SLICE_MS } from "../../core/event-loop.ts";
import { sizeOf } from "../../core/shape.ts";
import { hasLoops, isLoop, type LoopPart, loopParts, type PlainPart } from "../../engine/loop.ts";
import type { KernelStats, PlanStats } from "../../engine/plan.ts";
import type { KernelTime, Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { Storage } from "../../graph/device.ts";
import type { ArrayStorage } from "./arrays.ts";
import type { CpuEngine } from "./engine.ts";
import type { KeptPlan } from "./idle-plans.ts";
import { failureOf, LONG_MS } from "./underway.ts";

/** Makes a plan of any program. */
export function planOn(engine: CpuEngine, program: Program): KeptPlan {
  return hasLoops(program) ? new LoopedPlan(program, engine) : engine.plan(program);
}

/** A part of a program, and the plan that computes it; of a loop, one turn. */
interface PlannedPart {
  readonly part: PlainPart | LoopPart;
  readonly plan: KeptPlan;
}

/** A run of a part's plan, or of one of its turns. */
interface PartRun {
  readonly at: number;
  readonly plan: KeptPlan;
  readonly sources: readonly Storage[];
  /** Whether it is not the first turn of a loop. */
  readonly isAgain: boolean;
}

/** What is to run, one after the other: each time it is given what the run gave. */
type PartRuns = Generator<PartRun, Storage[], readonly Storage[]>;

/**
 * A program with loops as plans of its parts. The plan of a loop's turn runs once for each turn, on
 * rows where they lie and on what the turn before gave.
 */
export class LoopedPlan implements KeptPlan {
  readonly #parts: readonly PlannedPart[];
  /** Whether a value may be refused, which is an error of the call and not of what it gives. */
  readonly #mayRefuse: boolean;
  /** For how long a run begins at once, in milliseconds. */
  #slice = LONG_MS;
  /** Step → the part that reads it last. */
  readonly #lastRead = new Map<number, number>();

  constructor(
    readonly program: Program,
    readonly engine: CpuEngine,
  ) {
    this.#parts = loopParts(program).map((part) => {
      const own = isLoop(part) ? part.turn.program : part.program;
      return { part, plan: planOn(engine, own) };
    });
    const programs = this.#parts.map(({ part }) => (isLoop(part) ? part.turn : part).program);
    this.#mayRefuse = programs.some(({ steps }) => steps.some(({ op }) => op?.throws));
    this.#parts.forEach(({ part }, i) => {
      const { inputs, turn } = part as LoopPart;
      const read = isLoop(part) ? turn.sources.map((input) => inputs[input]) : part.sources;
      for (const step of read) this.#lastRead.set(step, i);
    });
  }

  get ready(): boolean {
    return this.#parts.every(({ plan }) => plan.ready);
  }

  async prepare(): Promise<void> {
    await Promise.all(this.#parts.map(({ plan }) => plan.prepare()));
  }

  get bytes(): number {
    return this.#parts.reduce((sum, { plan }) => sum + plan.bytes, 0);
  }

  async stats(): Promise<PlanStats> {
    const all = await Promise.all(this.#parts.map(({ plan }) => plan.stats()));
    const sum = (of: (one: PlanStats, times: number) => number) =>
      all.reduce((total, one, i) => total + of(one, this.#timesOf(i)), 0);
    return {
      ...all[0],
      dispatches: 0,
      flops: sum(({ flops }, times) => times * flops),
      bytes: sum(({ bytes }, times) => times * bytes),
      peakBytes: sum(({ peakBytes }) => peakBytes),
      lowerBoundBytes: Math.max(...all.map(({ lowerBoundBytes }) => lowerBoundBytes)),
      kernels: all.flatMap(({ kernels }, i) =>
        kernels.map(({ times = 1, ...kernel }): KernelStats => {
          return { ...kernel, times: times * this.#timesOf(i) };
        }),
      ),
    };
  }

  /** How many times the plan of a part runs. */
  #timesOf(i: number): number {
    const { part } = this.#parts[i];
    return isLoop(part) ? part.body.length : 1;
  }

  run(storages: readonly Storage[]): Storage[] {
    const { engine, program } = this;
    const { underway } = engine;
    underway?.finish();
    const runs = this.#runs(storages);
    let next: IteratorResult<PartRun, Storage[]> | null = null;
    /** Runs parts and turns for some milliseconds; gives the outputs when all are over. */
    const advance = (most: number): Storage[] | null => {
      const begin = performance.now();
      try {
        next ??= runs.next();
        while (!next.done) {
          next = runs.next(next.value.plan.run(next.value.sources));
          if (!next.done && performance.now() - begin >= most) return null;
        }
        return next.value;
      } catch (error) {
        runs.throw(error);
        throw error;
      }
    };
    const found = advance(underway && !this.#mayRefuse ? this.#slice : Number.POSITIVE_INFINITY);
    if (found) return found;
    // The rest takes longer: what it gives is copied to where it is promised now.
    this.#slice = SLICE_MS;
    underway?.finish();
    const promised: ArrayStorage[] = [];
    try {
      for (const step of program.outputs) {
        const { dtype, shape } = program.steps[step];
        promised.push(engine.make(dtype, sizeOf(shape)));
      }
    } catch {
      for (const storage of promised) engine.release(storage);
      return advance(Number.POSITIVE_INFINITY) as Storage[];
    }
    underway?.begin({
      advance: (most) => {
        const made = advance(most) as ArrayStorage[] | null;
        made?.forEach((storage, i) => {
          promised[i].data.set(storage.data);
          if (!storages.includes(storage)) engine.release(storage);
        });
        return made !== null;
      },
      fail: (error) => {
        const failure = failureOf(error);
        const updated = program.updates.map(
          ({ source }) => storages[program.sources.indexOf(source)] as ArrayStorage,
        );
        for (const storage of [...promised, ...updated]) storage.failure = failure;
      },
    });
    return promised;
  }

  /** Takes the time of each part, and of a loop's first turn. */
  async profile(storages: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }> {
    const kernels: KernelTime[] = [];
    const runs = this.#runs(storages);
    try {
      let next = runs.next();
      while (!next.done) {
        const { plan, sources, at, isAgain } = next.value;
        if (isAgain) {
          next = runs.next(plan.run(sources));
          continue;
        }
        const { outputs, profile } = await plan.profile(sources);
        const start = kernels.reduce((sum, { duration }) => sum + duration, 0);
        for (const one of profile.kernels) {
          const duration = one.duration * this.#timesOf(at);
          kernels.push({ ...one, start: start + one.start, duration });
        }
        next = runs.next(outputs);
      }
      return { outputs: next.value, profile: { clock: "host", kernels } };
    } catch (error) {
      runs.throw(error);
      throw error;
    }
  }

  dispose(): void {
    for (const { plan } of this.#parts) plan.dispose();
  }

  /** Runs all parts, and gives the outputs. */
  *#runs(storages: readonly Storage[]): PartRuns {
    const { program } = this;
    const values = new Map<number, ArrayStorage>();
    program.sources.forEach((step, i) => {
      values.set(step, storages[i] as ArrayStorage);
    });
    const own = new Owned(this.engine);
    const outputs = new Set(program.outputs);
    try {
      for (const [at, { part, plan }] of this.#parts.entries()) {
        if (isLoop(part)) yield* this.#turns(at, values, own);
        else {
          const sources = part.sources.map((step) => values.get(step) as ArrayStorage);
          const given = yield { at, plan, sources, isAgain: false };
          part.outputs.forEach((step, i) => {
            values.set(step, own.add(given[i]));
          });
        }
        for (const [step, last] of this.#lastRead) {
          const storage = values.get(step);
          if (last === at && storage && !outputs.has(step)) own.release(storage);
        }
      }
      const found = program.outputs.map((step) => values.get(step) as ArrayStorage);
      own.releaseAllBut(found);
      return found;
    } catch (error) {
      own.releaseAllBut([]);
      throw error;
    }
  }

  /** Runs the turns of a loop. */
  *#turns(at: number, values: Map<number, ArrayStorage>, own: Owned): PartRuns {
    const { engine, program } = this;
    const { part, plan } = this.#parts[at];
    const { body, turn, inputs, results } = part as LoopPart;
    const { constants, carries, length, isReversed } = body;
    const types = turn.program.outputs.map((step) => turn.program.steps[step]);
    const sizes = types.map(({ shape }) => sizeOf(shape));
    const rows = turn.results.map((result, i) =>
      result < carries ? null : own.add(engine.make(types[i].dtype, length * sizes[i])),
    );
    /** What the inputs are in a turn; carries change. */
    const given = inputs.map((step) => values.get(step) as ArrayStorage);
    for (let i = 0; i < length; i++) {
      const row = isReversed ? length - 1 - i : i;
      const sources = turn.sources.map((input) => {
        if (input < constants + carries) return given[input];
        const { shape, dtype } = program.steps[inputs[input]];
        return engine.row(given[input], dtype, row, sizeOf(shape) / length);
      });
      const made = yield { at, plan, sources, isAgain: i > 0 };
      engine.underway?.finish();
      turn.results.forEach((result, k) => {
        const storage = own.add(made[k]);
        const to = rows[k];
        if (to) {
          to.data.set(storage.data, row * sizes[k]);
          own.release(storage);
        } else {
          if (i > 0) own.release(given[constants + result]);
          given[constants + result] = storage;
        }
      });
    }
    turn.results.forEach((result, k) => {
      const storage = rows[k] ?? given[constants + result];
      const step = results.get(result);
      if (step === undefined) own.release(storage);
      else values.set(step, storage);
    });
    return [];
  }
}

/** Storages that a run has made, each until it is released or given away. */
class Owned {
  readonly #all = new Set<ArrayStorage>();

  constructor(readonly engine: CpuEngine) {}

  add(storage: Storage): ArrayStorage {
    this.#all.add(storage as ArrayStorage);
    return storage as ArrayStorage;
  }

  /** Frees a storage of the run; leaves others alone. */
  release(storage: ArrayStorage): void {
    const { engine } = this;
    if (!this.#all.delete(storage)) return;
    if (engine.underway) engine.underway.afterwards(() => engine.release(storage));
    else engine.release(storage);
  }

  releaseAllBut(kept: readonly ArrayStorage[]): void {
    for (const storage of this.#all) if (!kept.includes(storage)) this.release(storage);
  }
}
