import type { Plan } from "../../engine/plan.ts";
import type { Storage } from "../../graph/device.ts";

/** A plan that knows how many bytes of buffers it has now. */
export interface KeptPlan extends Plan {
  readonly bytes: number;
}

/** Bytes of buffers that plans keep which may never run again. */
const LIMIT = 64 * 2 ** 20;

/**
 * Lets the plans of single evaluations keep their buffers, since most of them run again, until all of
 * them together hold too much; the longest unused one goes first.
 */
export class IdlePlans {
  readonly #plans = new Set<KeptPlan>();
  #bytes = 0;

  /** Wraps a plan so that its buffers may go after any of its runs. */
  add(plan: KeptPlan): Plan {
    return {
      stats: () => plan.stats(),
      ready: true,
      prepare: () => plan.prepare(),
      profile: (sources: readonly Storage[]) => plan.profile(sources),
      run: (sources: readonly Storage[]) => {
        this.#take(plan);
        try {
          const outputs = plan.run(sources);
          this.#keep(plan);
          return outputs;
        } catch (error) {
          plan.dispose();
          throw error;
        }
      },
      dispose: () => {
        this.#take(plan);
        plan.dispose();
      },
    };
  }

  /** Frees all buffers. */
  clear(): void {
    for (const plan of this.#plans) plan.dispose();
    this.#plans.clear();
    this.#bytes = 0;
  }

  #take(plan: KeptPlan): void {
    if (this.#plans.delete(plan)) this.#bytes -= plan.bytes;
  }

  #keep(plan: KeptPlan): void {
    this.#plans.add(plan);
    this.#bytes += plan.bytes;
    for (const oldest of this.#plans) {
      if (this.#bytes <= LIMIT) return;
      this.#take(oldest);
      oldest.dispose();
    }
  }
}
