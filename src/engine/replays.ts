import { tools } from "../core/tools.ts";
import { Tensor } from "../graph/tensor.ts";
import { type Brought, type CompileOptions, Replay } from "./replay.ts";
import { type Input, type Naming, replaceInputs, Signatures } from "./signature.ts";

/** How many plans a compiled function keeps; the longest unused one goes first. */
const PLAN_LIMIT = 64;

/** One call of a compiled function: its plan, and what it brings. */
export interface Call<Args extends readonly unknown[], R> {
  readonly key: string;
  readonly replay: Replay<Args, R>;
  readonly brought: Brought;
}

/** The plans of a compiled function, one for each signature, as long as they are used or kept. */
export class Replays<Args extends readonly unknown[], R> {
  readonly #kept = new Map<string, Replay<Args, R>>();
  readonly #naming: Naming;
  readonly #signatures = new Signatures();
  #last = "";
  #isWarned = false;

  constructor(
    readonly fn: (...args: Args) => R,
    readonly options: CompileOptions,
  ) {
    const { name = "compile", parameters = [] } = options;
    this.#naming = { op: name, parameters };
  }

  get all(): Replay<Args, R>[] {
    return [...this.#kept.values()];
  }

  /** Finds or makes the plan for arguments, and takes what they bring. It stays until `end`. */
  begin(args: Args): Call<Args, R> {
    const { key, inputs } = this.#signatures.of(args, this.#naming);
    const known = this.#kept.get(key);
    if (known && !known.isCurrent) this.#drop(key, known);
    const replay = this.#kept.get(key) ?? this.#make(key, args, inputs);
    const brought = replay.bring(inputs);
    replay.users++;
    if (this.#kept.size > PLAN_LIMIT) this.#warn(args, key);
    if (key !== this.#last) {
      this.#kept.delete(key);
      this.#kept.set(key, replay);
    }
    this.#last = key;
    return { key, replay, brought };
  }

  /** Copies typed arrays among arguments of a call that has to wait, after which they may hold others. */
  hold(args: Args): Args {
    return replaceInputs(args, this.#naming, (x) => (x instanceof Tensor ? x : x.slice()));
  }

  /** Frees what a call brought, and its plan if it is no longer kept. */
  end({ key, replay, brought }: Call<Args, R>): void {
    replay.free(brought);
    replay.users--;
    this.#shed();
    if (replay.users === 0 && this.#kept.get(key) !== replay) replay.dispose();
  }

  /** Frees all plans; those of calls under way when they end. */
  dispose(): void {
    for (const [key, replay] of this.#kept) this.#drop(key, replay);
  }

  /** Keeps a plan no longer; one that is in use stays until that ends. */
  #drop(key: string, replay: Replay<Args, R>): void {
    this.#kept.delete(key);
    if (replay.users === 0) replay.dispose();
  }

  #make(key: string, args: Args, inputs: readonly Input[]): Replay<Args, R> {
    const replay = new Replay(this.fn, args, inputs, this.#naming, this.options);
    replay.ready?.catch(() => {
      if (this.#kept.get(key) === replay) this.#kept.delete(key);
    });
    this.#kept.set(key, replay);
    return replay;
  }

  /** Lets the longest unused plans go that are too many, but none that is in use. */
  #shed(): void {
    for (const [key, replay] of this.#kept) {
      if (this.#kept.size <= PLAN_LIMIT) return;
      if (replay.users === 0) this.#drop(key, replay);
    }
  }

  #warn(args: Args, key: string): void {
    if (this.#isWarned) return;
    this.#isWarned = true;
    const last = this.#last;
    tools.get().then(
      ({ words }) => words.warnOfPlans(PLAN_LIMIT, args, this.#naming, last, key),
      () => {},
    );
  }
}
