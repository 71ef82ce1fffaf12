import type { Node } from "../graph/node.ts";
import type { State } from "../graph/state.ts";
import type { EngineDevice } from "./device.ts";
import { exchange } from "./exchange.ts";
import type { Rerun, RunObserver } from "./journal-entry.ts";
import { PaceWatch } from "./pace-watch.ts";
import type { Session } from "./session.ts";
import { type GivenRun, isTooMuch, trialCost, tryRuns } from "./trial.ts";

/** Which part of the time since the first run may be spent on trying the other session. */
const SHARE = 1 / 50;
/** How long runs are watched before the other session is tried, in milliseconds, and how many. */
const WATCHED_MS = 250;
const WATCHED_RUNS = 8;
/** How much faster the other one must be, to be worth the change. */
const MARGIN = 1.2;
/** How often it is tried again, in case that code is still getting faster. */
const TRIES = 3;
/** By how much it may still get faster. */
const WARMING = 4;

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
  #present: GivenRun | null = null;
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
    watch.rest(this.#now());
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

  #isDue(watch: PaceWatch, { replay }: GivenRun): boolean {
    if (this.#isLeaving) return true;
    const passed = this.#now() - watch.begun - watch.pauses;
    if (watch.past !== null) return passed >= this.#least;
    const isTried = watch.kindOf(replay).milliseconds !== null;
    if (watch.runs < WATCHED_RUNS || passed < this.#least || isTried) return false;
    if (isTooMuch(replay, watch.paceAt(watch.rested))) return true;
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

  async #decide(watch: PaceWatch, present: GivenRun): Promise<void> {
    if (this.#home) {
      await this.#review(watch);
      return;
    }
    if (isTooMuch(present.replay, watch.paceAt(watch.rested))) {
      this.#settle(watch);
      this.#tell("does more in a step than the CPU could");
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
    if (this.#isLeaving) {
      const isHome = await this.#goHome("is to be measured with what else is trained now");
      if (!isHome) this.#settle(watch);
    } else {
      if (past !== null && pace > past) {
        await this.#goHome(`took ${told(past)} a step, ${description} then ${told(pace)}`);
      }
      this.#settle(watch);
    }
  }

  /** Tries a run in the other session; gives the present one's pace until then. */
  async #try(watch: PaceWatch, run: GivenRun) {
    const session = this.#other as Session;
    const begun = this.#now();
    let pace = Number.NaN;
    try {
      const { milliseconds, isCold } = await tryRuns(this.#device, session, run, {
        now: this.#now,
        budget: () => this.#budget - (this.#now() - begun),
        onIdle: () => {
          pace = watch.paceAt(this.#now());
        },
      });
      watch.kindOf(run.replay).milliseconds = milliseconds;
      return { pace, session, isCold };
    } finally {
      const now = this.#now();
      this.#spent += now - begun;
      watch.rest(now, now - begun);
    }
  }

  /** Goes back; gives false where that cannot be. */
  async #goHome(reason: string): Promise<boolean> {
    const home = this.#home as Session;
    home.check("exchange");
    if (!(await exchange(this.#device, home))) return false;
    this.#home = null;
    this.#restart(home);
    this.#tell(reason);
    return true;
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

function told(milliseconds: number): string {
  const digits = milliseconds >= 1 ? 3 : 2;
  return `${Number(milliseconds.toPrecision(digits))} ms`;
}
