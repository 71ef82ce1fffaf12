import type { Plan, PlanOptions, PlanStats, Progress } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Program } from "../../engine/program.ts";
import type { Life, Storage } from "../../graph/device.ts";

/** What makes plans; another one may take its place. */
export interface PlanMaker {
  /** Of what it holds; left out where it cannot be lost. */
  readonly life?: Life;
  compile(program: Program, options: PlanOptions): Plan;
}

/** A plan of a device: made anew, pipelines, bind groups and memory, when its session is another. */
export class SessionPlan implements Plan {
  #session: PlanMaker;
  #plan: Plan;

  constructor(
    readonly device: { readonly session: PlanMaker },
    readonly program: Program,
    readonly options: PlanOptions,
  ) {
    this.#session = device.session;
    this.#plan = this.#session.compile(program, options);
  }

  stats(): Promise<PlanStats> {
    return this.#present.stats();
  }

  get ready(): boolean {
    return this.#present.ready;
  }

  prepare(onProgress?: Progress): Promise<void> {
    return this.#present.prepare(onProgress);
  }

  run(sources: readonly Storage[]): Storage[] {
    return this.#present.run(sources);
  }

  profile(sources: readonly Storage[]): Promise<{ outputs: Storage[]; profile: Profile }> {
    return this.#present.profile(sources);
  }

  dispose(): void {
    this.#plan.dispose();
  }

  /** The plan of the present session; what a lost session made has gone with it. */
  get #present(): Plan {
    const { session } = this.device;
    if (session === this.#session) return this.#plan;
    if (!this.#session.life?.isOver) this.#plan.dispose();
    this.#plan = session.compile(this.program, this.options);
    this.#session = session;
    return this.#plan;
  }
}
