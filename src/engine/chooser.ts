import { Breather } from "../core/event-loop.ts";
import { sizeOf } from "../core/shape.ts";
import type { Storage } from "../graph/device.ts";
import type { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import type { EngineDevice } from "./device.ts";
import { exchange, valuesOf } from "./exchange.ts";
import type { Rerun, RunObserver } from "./journal-entry.ts";
import type { Program } from "./program.ts";
import type { Session } from "./session.ts";

/** Which part of the time since the first run may be spent on trying the other session. */
const SHARE = 1 / 50;
/** How long runs are watched before the other session is tried, in milliseconds, and how many. */
const WATCHED_MS = 250;
const WATCHED_RUNS = 8;
/** A longer time between two runs is a pause of the user's, in milliseconds. */
const PAUSE_MS = 200;
/** How much faster the other one must be, to be worth the change. */
const MARGIN = 1.2;
/** What is reckoned with before it is tried: milliseconds, operations and bytes a millisecond. */
const COST = { start: 10, flops: 2e6, bytes: 1e6 };
/** Which part of the runs may be of others that were not tried. */
const RARE = 1 / 20;
/** More operations a millisecond than one core does. */
const MOST_FLOPS = 1e8;
/** How often it is tried again, in case that code is still getting faster. */
const TRIES = 3;
/** By how much it may still get faster. */
const WARMING = 4;
/** How many runs are timed together at the most. */
const MOST_RUNS = 1024;

/** What is known of runs that change some states in common, whatever they are given. */
interface RunKind {
  readonly states: Set<State>;
  runs: number;
  /** Of a run in the other session; null until it was tried. */
  milliseconds: number | null;
}

/** Runs of a device, from one moment on. */
class PaceWatch {
  readonly #kinds = new Set<RunKind>();
  readonly #kindOf = new WeakMap<Rerun, RunKind>();
  runs = 0;
  /** Milliseconds between runs, without pauses; and of those. */
  between = 0;
  pauses = 0;
  /** When the last run was enqueued. */
  rested: number;

  /** @param past milliseconds a run that were measured in the session before, after a change. */
  constructor(
    readonly begun: number,
    readonly past: number | null = null,
  ) {
    this.rested = begun;
  }

  /** What a run belongs to. */
  kindOf(replay: Rerun): RunKind {
    const known = this.#kindOf.get(replay);
    if (known) return known;
    const { assigned } = replay;
    const alike = [...this.#kinds].find(({ states }) => assigned.some((x) => states.has(x)));
    const kind = alike ?? { states: new Set(), runs: 0, milliseconds: null };
    for (const state of assigned) kind.states.add(state);
    this.#kinds.add(kind);
    this.#kindOf.set(replay, kind);
    return kind;
  }

  /** All states that are changed. */
  get states(): State[] {
    return [...this.#kinds].flatMap(({ states }) => [...states]);
  }

  begin(replay: Rerun, now: number): void {
    const gap = now - this.rested;
    if (gap > PAUSE_MS) this.pauses += gap;
    else this.between += Math.max(0, gap);
    this.kindOf(replay).runs++;
    this.runs++;
  }

  /** Milliseconds a run until a moment. */
  paceAt(now: number): number {
    return (now - this.begun - this.pauses) / this.runs;
  }

  /** Milliseconds a run, as they would be in the other session; null while that is not known. */
  get forecast(): number | null {
    let sum = this.between;
    for (const { runs, milliseconds } of this.#kinds) {
      if (milliseconds === null && runs > RARE * this.runs) return null;
      sum += runs * (milliseconds ?? 0);
    }
    return sum / this.runs;
  }
}

/** What is run, and on what, by the call that is under way. */
interface Present {
  readonly replay: Rerun;
  readonly nodes: readonly (Node | null)[];
}

/** What a chooser needs beside its device. */
export interface ChooserOptions {
  /** Gives the other session. */
  readonly open: () => Promise<Session>;
  /** Gives the time in milliseconds; that of the page when left out. */
  readonly now?: () => number;
}

/**
 * Lets a device work through whichever of two sessions is faster at its training steps, say the CPU
 * in place of a GPU that takes longer to be told than small models take to compute. Steps are watched
 * as they run; then the same program runs for a while in the other session, on copies, in at most a
 * fiftieth of the time that has passed. Where that promises to be faster, all values go there. It goes
 * back where the promise does not hold, and where other states begin to be trained.
 */
export class Chooser implements RunObserver {
  readonly #device: EngineDevice;
  readonly #now: () => number;
  /** Gives the other session. */
  readonly open: () => Promise<Session>;
  #opening: Promise<void> | null = null;
  #other: Session | null = null;
  /** The session of the beginning, while the device works through the other one. */
  #home: Session | null = null;
  /** The session that is watched, and what is known of it; null when all is settled. */
  #watched: Session | null = null;
  #watch: PaceWatch | null = null;
  /** States whose runs have been decided on since the device came to its session, and such runs. */
  #settled = new WeakSet<State>();
  #known = new WeakSet<Rerun>();
  #present: Present | null = null;
  #work: Promise<void> | null = null;
  #isLeaving = false;
  /** When the first run began, and what has been spent. */
  #begun: number | null = null;
  #spent = 0;
  #tries = 0;
  #least = WATCHED_MS;

  constructor(device: EngineDevice, { open, now = () => performance.now() }: ChooserOptions) {
    this.#device = device;
    this.open = open;
    this.#now = now;
  }

  /** Hears of a run before it is enqueued. */
  begin(replay: Rerun, nodes: readonly (Node | null)[]): void {
    const { session } = this.#device;
    if (replay.assigned.length === 0 || this.#work) return;
    if (session !== this.#watched) this.#restart(session);
    if (this.#isSettled(replay)) {
      if (!this.#watch) return;
    } else if (this.#home) this.#isLeaving = true;
    const now = this.#now();
    this.#begun ??= now;
    this.#watch ??= new PaceWatch(now);
    this.#watch.begin(replay, now);
    this.#present = { replay, nodes };
  }

  /** Decides when it is time, after a run; gives what to wait for. */
  rest(): Promise<void> | null {
    const [watch, present] = [this.#watch, this.#present];
    if (this.#work) return this.#work;
    if (!watch || !present) return null;
    this.#present = null;
    watch.rested = this.#now();
    if (!this.#isDue(watch, present)) return null;
    const work = this.#decide(watch, present).catch(() => this.#settle(watch));
    this.#work = work.finally(() => {
      this.#work = null;
    });
    return this.#work;
  }

  /** Whether all that a run changes has been decided on. */
  #isSettled(replay: Rerun): boolean {
    if (this.#known.has(replay)) return true;
    if (!replay.assigned.every((state) => this.#settled.has(state))) return false;
    this.#known.add(replay);
    return true;
  }

  /** Begins anew, in a session that nothing is known of. */
  #restart(session: Session): void {
    if (session !== this.#other) this.#home = null;
    this.#watched = session;
    this.#watch = null;
    this.#settled = new WeakSet();
    this.#known = new WeakSet();
    this.#isLeaving = false;
    this.#tries = 0;
    this.#least = WATCHED_MS;
  }

  #isDue(watch: PaceWatch, { replay }: Present): boolean {
    if (this.#isLeaving) return true;
    const passed = this.#now() - watch.begun - watch.pauses;
    if (watch.past !== null) return passed >= this.#least;
    const isTried = watch.kindOf(replay).milliseconds !== null;
    if (watch.runs < WATCHED_RUNS || passed < this.#least || isTried) return false;
    if (cannotWin(watch, replay)) return true;
    this.#load();
    return this.#other !== null && this.#budget >= trialCost(replay);
  }

  /** Makes the other session, without waiting for it; where that fails, all stays as it is. */
  #load(): void {
    this.#opening ??= this.open().then(
      (other) => {
        this.#other = other;
      },
      () => {
        if (this.#device.journal) this.#device.journal.chooser = null;
      },
    );
  }

  /** Milliseconds that may be spent now. */
  get #budget(): number {
    return SHARE * (this.#now() - (this.#begun as number)) - this.#spent;
  }

  async #decide(watch: PaceWatch, present: Present): Promise<void> {
    if (this.#home) {
      await this.#review(watch);
      return;
    }
    if (cannotWin(watch, present.replay)) {
      this.#settle(watch);
      this.#tell("does more in a step than a core of the CPU would");
      return;
    }
    const { pace, session, isCold } = await this.#try(watch, present);
    const { forecast } = watch;
    if (forecast === null) return; // others are to be tried when they run
    if (pace > MARGIN * forecast) {
      await this.#move(watch, pace, session, forecast);
    } else if (++this.#tries < TRIES && (isCold || WARMING * pace > forecast)) {
      this.#least *= 4;
      this.#watch = new PaceWatch(this.#now());
    } else {
      this.#settle(watch);
      this.#tell(`takes ${told(pace)} a step, ${session.description} ${told(forecast)}`);
    }
  }

  async #move(watch: PaceWatch, pace: number, to: Session, forecast: number): Promise<void> {
    const from = this.#device.session;
    this.#settle(watch);
    if (!(await exchange(this.#device, to))) return;
    void to.lost.then(() => from.dispose()); // with its device
    this.#home = from;
    this.#watched = to;
    this.#least = this.#now() - watch.begun;
    this.#watch = new PaceWatch(this.#now(), pace);
    this.#tell(`takes ${told(forecast)} a step, ${from.description} ${told(pace)}`);
  }

  /** Stays in the other session, if that is as fast as it promised to be, or goes back. */
  async #review(watch: PaceWatch): Promise<void> {
    const pace = watch.paceAt(this.#now());
    const { past } = watch;
    this.#home?.trim?.(); // its plans are gone by now
    const { description } = this.#device;
    if (this.#isLeaving) await this.#goHome("is to be measured with what else is trained now");
    else if (past === null || pace <= past) this.#settle(watch);
    else {
      await this.#goHome(`took ${told(past)} a step, ${description} then ${told(pace)}`);
      this.#settle(watch);
    }
  }

  /** Runs a program in the other session, on copies; gives the present one's pace until then. */
  async #try(watch: PaceWatch, { replay, nodes }: Present) {
    const [device, session] = [this.#device, this.#other as Session];
    const kind = watch.kindOf(replay);
    const { program, options } = replay.plan;
    if (!program) throw new Error("chooser: a plan without its program; expected one");
    const begun = this.#now();
    const own = replay.sources.map((source, i) => {
      if (source.kind === "state") return source.state.node;
      return source.kind === "input" ? (nodes[i] as Node) : source.node;
    });
    const values = await valuesOf(device, own); // behind all that was enqueued
    const pace = watch.paceAt(this.#now());
    const plan = session.compile(program, { ...options, repeated: true });
    const storages: Storage[] = [];
    try {
      for (const [i, array] of values.entries()) storages.push(session.upload(array, own[i].dtype));
      await plan.prepare();
      const breather = new Breather();
      const budget = this.#budget;
      for (let n = 1; ; n *= 2) {
        const start = this.#now();
        for (let i = 0; i < n; i++) {
          for (const output of plan.run(storages)) session.release(output);
        }
        const end = this.#now();
        kind.milliseconds = (end - start) / n; // the last ones run in code that has become fast
        if (n >= MOST_RUNS || end - begun + 2 * (end - start) > budget) {
          return { pace, session, isCold: n === 1 };
        }
        await breather.rest();
      }
    } finally {
      plan.dispose();
      for (const storage of storages) session.release(storage);
      const spent = this.#now() - begun;
      this.#spent += spent;
      watch.pauses += spent;
      watch.rested = this.#now();
    }
  }

  async #goHome(reason: string): Promise<void> {
    const home = this.#home as Session;
    home.check("exchange");
    if (!(await exchange(this.#device, home))) return;
    this.#home = null;
    this.#restart(home);
    this.#tell(reason);
  }

  /** Ends it for the states that were watched. */
  #settle({ states }: PaceWatch): void {
    for (const state of states) this.#settled.add(state);
    this.#watch = null;
    this.#isLeaving = false;
  }

  /** Says what was chosen and why. */
  #tell(why: string): void {
    const { kind, description, listeners } = this.#device;
    const reason = `chosen by time: ${description} ${why}`;
    this.#device.chosen = reason;
    for (const listener of listeners)
      listener({ event: "deviceChosen", kind, description, reason });
  }
}

/** Whether a core cannot do in a run's time what it does. */
function cannotWin(watch: PaceWatch, { plan: { program } }: Rerun): boolean {
  const pace = (watch.rested - watch.begun - watch.pauses) / watch.runs;
  return !!program && programFlops(program) / MOST_FLOPS > pace;
}

/** What trying a program costs, in milliseconds, not knowing how fast it is. */
function trialCost({ plan: { program } }: Rerun): number {
  if (!program) return Number.POSITIVE_INFINITY;
  const { steps, sources } = program;
  const bytes = sources.reduce((sum, step) => sum + 4 * sizeOf(steps[step].shape), 0);
  return COST.start + programFlops(program) / COST.flops + bytes / COST.bytes;
}

function programFlops({ steps }: Program): number {
  return steps.reduce((sum, { op, inputs, ...y }) => {
    const types = inputs.map((input) => steps[input]);
    return sum + (op ? (op.flops?.(types, y) ?? sizeOf(y.shape)) : 0);
  }, 0);
}

function told(milliseconds: number): string {
  const digits = milliseconds >= 1 ? 3 : 2;
  return `${Number(milliseconds.toPrecision(digits))} ms`;
}
