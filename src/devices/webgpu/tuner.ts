import { getOrInsert } from "../../core/get-or-insert.ts";
import type { Group } from "../../engine/fusion.ts";
import type { Program } from "../../engine/program.ts";
import type { Choose, Family, Kernel, KernelChoice, Problem } from "../../forms/kernel.ts";
import { choiceName, choicesFor, problemName, sharesAs } from "../../kernels/candidates.ts";
import { matricesOf } from "../../kernels/subgroup-matrices.ts";
import { lanesOf } from "../../kernels/subgroup-trees.ts";
import {
  type Bench,
  DISPATCH_MS,
  fastestOf,
  ShareOfRuns,
  UNBOUNDED,
} from "../../kernels/tuning.ts";
import type { BufferStorage } from "./buffers.ts";
import type { ChooseInProgram } from "./jobs.ts";
import { cutPart, isWholePart, partBytes, partName, partWork } from "./kernel-part.ts";
import type { GpuPlan, PlanHost } from "./plan.ts";
import { profileKernels } from "./profiler.ts";
import type { Asked, choosing } from "./replaceable-plan.ts";
import type { Retries } from "./retries.ts";
import type { GpuSession } from "./session.ts";
import { stepBytes } from "./transfer.ts";
import { machineOf, type Tunings } from "./tunings.ts";

/** Bytes that a part's tensors may take while it is timed. */
const MOST_BYTES = 2 ** 28;

type Choosing = typeof choosing;

/** How a tuner is told to work. */
interface TunerOptions {
  readonly isNow: boolean;
  /** The kind of kernels that was asked for. */
  readonly kind?: Kernel["kind"];
  /** Tells when a part is timed again of which something failed. */
  readonly retries: () => Retries;
}

/** A part of a program, and a text for all that decides how long it takes. */
interface NamedPart {
  readonly part: Program;
  readonly name: string;
}

/** A part that is to be timed again. */
interface Later {
  readonly retries: Retries;
  begin(): void;
}

/** Times what may compute the parts of a session's plans, and chooses by that. */
export class Tuner {
  readonly machine: string;
  readonly #rule: Choose;
  readonly #budget = new ShareOfRuns(() => performance.now());
  readonly #parts = new WeakMap<Group, NamedPart>();
  /** What is timed, or was, by the names of parts. */
  readonly #jobs = new Map<string, Promise<void>>();
  #last: Promise<void> = Promise.resolve();
  #later: readonly Later[] = [];
  #left = 0;
  /** How many invocations multiply matrices together, as far as is known. */
  #matrices = 0;
  readonly #probed: Promise<void>;
  #hasWarned = false;

  constructor(
    readonly session: GpuSession,
    readonly tunings: Tunings,
    /** Makes a session choose in another way. */
    readonly choosing: Choosing,
    readonly options: TunerOptions,
  ) {
    this.machine = machineOf(session.description);
    this.#rule = session.choose;
    session.choose = this.choose;
    this.#probed = matricesOf(session.device).then((lanes) => {
      this.#matrices = lanes;
    });
  }

  /** What may compute a problem to the same bits, first what the rule takes. */
  #choices<P extends Problem>(
    family: Family<P>,
    problem: P,
    { anchors }: Group,
  ): KernelChoice<P>[] {
    const lanes = { ...lanesOf(this.session.device), matrices: this.#matrices };
    const values = family.joins === "elements" ? anchors.length : 1;
    const options = { choose: this.#rule, reproducible: true, lanes, values };
    const choices = choicesFor(family, problem, this.session.traits, options);
    const [{ kernel: first }] = choices;
    return choices.filter(({ kernel }) => !this.options.kind || kernel.kind === first.kind);
  }

  #named(family: Family<never>, problem: Problem, group: Group, program: Program): NamedPart {
    return getOrInsert(this.#parts, group, () => {
      const part = cutPart(program, group);
      return { part, name: `${problemName(family, problem as never)}: ${partName(part)}` };
    });
  }

  /** Chooses what was the fastest, if that is known; else by rule. */
  readonly choose: ChooseInProgram = (family, problem, group, program) => {
    if (!group || !program) return this.#rule(family, problem);
    const known = this.tunings.get(
      this.machine,
      this.#named(family as never, problem, group, program).name,
    );
    const found =
      known && this.#choices(family, problem, group).find((one) => choiceName(one) === known);
    return found || this.#rule(family, problem);
  };

  /** Rises with what is known that plans may profit from. */
  get known(): number {
    return this.tunings.changes + Number(this.#matrices > 0);
  }

  /** Notes that a plan runs. */
  ran(): void {
    this.#budget.ran();
    if (this.#later.length === 0) return;
    const due = this.#later.filter(({ retries }) => retries.isDue);
    this.#later = this.#later.filter((later) => !due.includes(later));
    for (const { begin } of due) begin();
  }

  /** Times what was asked and is not known yet, what should take longest first; settles when that is done. */
  async tune(asked: readonly Asked[]): Promise<void> {
    await this.#probed;
    const named = asked.map(({ family, problem, group, program }) => {
      return { family, problem, group, ...this.#named(family, problem, group, program) };
    });
    const work = new Map(named.map(({ name, part }) => [name, partWork(part)]));
    const order = named.sort((a, b) => (work.get(b.name) ?? 0) - (work.get(a.name) ?? 0));
    const jobs = order.map((one) => {
      const { name, group, family, problem } = one;
      return getOrInsert(this.#jobs, name, () => this.#begin(one, group, family, problem as never));
    });
    await Promise.all(jobs);
  }

  #begin<P extends Problem>(
    named: NamedPart,
    group: Group,
    family: Family<P>,
    problem: P,
  ): Promise<void> {
    const { tunings, machine, session } = this;
    const choices = this.#choices(family, problem, group);
    const isKnown = choices.map(choiceName).includes(tunings.get(machine, named.name) as string);
    const isTimed = choices.length > 1 && partBytes(named.part) <= MOST_BYTES;
    if (isKnown || !isTimed || !isWholePart(named.part, session)) return Promise.resolve();
    const retries = this.options.retries();
    const begin = () => {
      this.#left++;
      this.#last = this.#last.then(() =>
        this.#measure(named, problem, choices, { retries, begin }),
      );
    };
    begin();
    return this.#last;
  }

  /** Times choices, and takes the fastest; or nothing and has it timed later, where one fails that may work then. */
  async #measure<P extends Problem>(
    { name, part }: NamedPart,
    problem: P,
    choices: readonly KernelChoice<P>[],
    later: Later,
  ): Promise<void> {
    const { session, tunings, machine, options } = this;
    const { retries } = later;
    let begun = 0;
    let isKnown = true;
    const onFailure = (error: unknown) => {
      if (session.lossOf("tune") || retries.failed(error, begun)) isKnown = false;
      else this.#warn(error);
    };
    const open = async (choice: KernelChoice<P>): Promise<Bench> => {
      const host = this.choosing(session, (() => choice) as unknown as Choose);
      begun = retries.now();
      const { close, time } = await openBench(session, host, part);
      const timed: Bench["time"] = (runs, times) => {
        begun = retries.now();
        return time(runs, times);
      };
      return { close, time: timed };
    };
    const allowance = options.isNow ? UNBOUNDED : this.#budget;
    // Parts of workgroups of another size, or of more memory, may share no dispatch with it any more.
    const [first] = choices;
    const extra = (choice: KernelChoice<P>) => (sharesAs(first, choice, problem) ? 0 : DISPATCH_MS);
    const best = await fastestOf(choices, open, allowance, onFailure, extra);
    this.#left--;
    if (session.lossOf("tune")) return;
    if (isKnown) tunings.set(machine, name, choiceName(best));
    else this.#later = [...this.#later, later];
    if (this.#left === 0) await tunings.write().catch(() => {}); // it is found again
  }

  #warn(error: unknown): void {
    if (this.#hasWarned) return;
    this.#hasWarned = true;
    console.warn(`gradus: kernels are tuned without one that failed, for ${error}`);
  }
}

/** Compiles a program by what chooses, without holding up the page. */
async function openBench(session: GpuSession, host: PlanHost, program: Program): Promise<Bench> {
  const plan = session.compile(program, { repeated: false }, host) as GpuPlan;
  const close = () => {
    if (!session.life.isOver) plan.dispose();
  };
  try {
    session.check("tune");
    await plan.prepare();
  } catch (error) {
    close();
    throw error;
  }
  return { close, time: (runs, times) => timeRuns(session, plan, runs, times) };
}

/** Times runs on tensors of zeros, which are places of all lists too. */
async function timeRuns(
  session: GpuSession,
  plan: GpuPlan,
  runs: number,
  times: number,
): Promise<readonly number[]> {
  const { pool, guard, queue, log } = session;
  const { program, outputBytes } = plan;
  const held: BufferStorage[] = [];
  session.begin("tune");
  try {
    const sizes = program.sources.map((source) => stepBytes(program, source));
    held.push(...pool.acquireAll([...sizes, ...outputBytes]));
    const inputs = held.slice(0, sizes.length);
    const run = plan.bound(inputs, held.slice(sizes.length));
    // What is wrong with these is no failure of a step's.
    const failures = await Promise.all(guard.take());
    const failure = failures.find((found) => found);
    if (failure) throw failure;
    const cleared = queue.submit(run.label, { reads: [], writes: inputs }, (encoder) => {
      for (const { buffer } of inputs) encoder.clearBuffer(buffer);
    });
    await log.settle(cleared, session.timeout);
    const kernels = Array.from({ length: times }, () => ({
      name: run.label,
      encode: (pass: Parameters<typeof run.encode>[0]) => {
        for (let i = 0; i < runs; i++) run.encode(pass);
      },
    }));
    const { kernels: timed } = await profileKernels(session, run, kernels);
    return timed.map(({ duration }) => duration / 1000);
  } finally {
    if (!session.life.isOver) for (const storage of held) pool.release(storage);
  }
}
