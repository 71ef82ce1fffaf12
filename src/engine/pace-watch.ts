import type { State } from "../graph/state.ts";
import type { Rerun } from "./journal-entry.ts";

/** A longer time between two runs is a pause of the user's, in milliseconds. */
const PAUSE_MS = 200;
/** Which part of the runs may be of others that were not tried. */
const RARE = 1 / 20;

/** What is known of runs that change some states in common, whatever they are given. */
export interface RunKind {
  readonly states: Set<State>;
  runs: number;
  /** Of a run in the other session; null until it was tried. */
  milliseconds: number | null;
}

/** Runs of a device, from one moment on. */
export class PaceWatch {
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

  /** Counts a run that begins. */
  begin(replay: Rerun, now: number): void {
    const gap = now - this.rested;
    if (gap > PAUSE_MS) this.pauses += gap;
    else this.between += Math.max(0, gap);
    this.kindOf(replay).runs++;
    this.runs++;
  }

  /** Ends a run, or what was no run and took some milliseconds. */
  rest(now: number, pause = 0): void {
    this.pauses += pause;
    this.rested = now;
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
