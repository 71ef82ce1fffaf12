import type { FindProduct } from "../../engine/merge.ts";
import type { PlanStats } from "../../engine/plan.ts";
import type { Profile } from "../../engine/profile.ts";
import type { Storage } from "../../graph/device.ts";
import { plainly } from "../../kernels/choose-plain.ts";
import type { BufferStorage } from "./buffers.ts";
import type { GpuDevice } from "./gpu-device.ts";
import { productRows } from "./jobs.ts";
import { choosing, improvePlans, type MakePlan, ReplaceablePlan } from "./replaceable-plan.ts";
import type { GpuSession } from "./session.ts";

/**
 * Lets the plans of a device that run again and again begin with plain kernels, which are soon
 * compiled, until the others are.
 */
export function beginPlain(device: GpuDevice): void {
  improvePlans(device, (session) => (make) => new PlanInTiers(session, make));
}

/** Sessions that have said that compiling failed. */
const warned = new WeakSet<GpuSession>();

/**
 * A plan whose first runs are of plain kernels. The others are compiled when the first run has ended,
 * and take the place of these; they give the same bits. Until they can be compiled, the plain ones
 * stay.
 */
class PlanInTiers extends ReplaceablePlan {
  /** Whether what runs has kernels in the place of better ones. */
  readonly #present: { isPlain: boolean };

  constructor(
    session: GpuSession,
    readonly make: MakePlan,
  ) {
    const present = { isPlain: false };
    const onPlain = () => {
      present.isPlain = true;
    };
    // A kernel that makes its rows itself takes longer to compile than two that are plain.
    const find = productRows.loaded?.findProducts(session.traits);
    const findProduct: FindProduct = (...given) => {
      if (find?.(...given)) onPlain();
      return undefined;
    };
    super(session, make({ ...choosing(session, plainly(session.choose, onPlain)), findProduct }));
    this.#present = present;
  }

  /** Counts what the better kernels do. */
  override async stats(): Promise<PlanStats> {
    if (!this.#present.isPlain) return super.stats();
    const better = this.make();
    try {
      return await better.stats();
    } finally {
      better.dispose();
    }
  }

  override run(sources: readonly Storage[]): BufferStorage[] {
    const outputs = super.run(sources);
    if (this.#present.isPlain) this.#begin();
    return outputs;
  }

  /** Takes the times of the better kernels. */
  override async profile(
    sources: readonly Storage[],
  ): Promise<{ outputs: BufferStorage[]; profile: Profile }> {
    if (this.#present.isPlain) await this.#begin();
    return super.profile(sources);
  }

  /** Begins to make the plan better, unless that is under way, or failed and is not to be tried now. */
  #begin(): Promise<void> {
    const onReplaced = () => {
      this.#present.isPlain = false;
    };
    return this.replace(this.make, onReplaced, (error) => {
      if (warned.has(this.session)) return;
      warned.add(this.session);
      console.warn(`gradus: kernels stay as plain as they were in the first run, for ${error}`);
    });
  }
}
