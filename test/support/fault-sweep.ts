/** Every fault that the life of a device can meet, or some of them. */

import { type Expected, Life, type Outcome } from "./fault-life.ts";
import { MODES, WATCHED } from "./fault-modes.ts";
import { rightValues } from "./fault-run.ts";
import { COLUMNS, columnsOf, describeOutcome, isPromised } from "./fault-table.ts";
import type { Fault } from "./faults.ts";
import { picker } from "./random-choice.ts";

/** Faults of one adapter. */
export class FaultSweep {
  readonly faults: readonly Fault[];
  readonly columns = COLUMNS;

  private constructor(
    readonly gpu: GPU,
    readonly expected: Expected,
  ) {
    this.faults = faultsOf(expected.counts);
  }

  /** Lives undisturbed first, to see what is right. */
  static async begin(gpu: GPU): Promise<FaultSweep> {
    const values = await rightValues();
    // The first life loads what is loaded on demand; the second is as all that follow.
    await undisturbed(new Life(gpu, values, null));
    const life = new Life(gpu, values, null);
    const memory = await undisturbed(life);
    return new FaultSweep(gpu, {
      ...values,
      memory,
      unseen: life.unseen,
      counts: life.injector.counts,
    });
  }

  /** Of each method in each mode so many faults, the same for the same seed. */
  share(seed: number, each: number): Fault[] {
    const pick = picker(seed, 0);
    const kinds = new Map<string, Fault[]>();
    for (const fault of this.faults) {
      const kind = `${fault.method} ${fault.mode}`;
      kinds.set(kind, [...(kinds.get(kind) ?? []), fault]);
    }
    return [...kinds.values()].flatMap((faults) => {
      const left = [...faults];
      const count = Math.min(each, left.length);
      return Array.from({ length: count }, () => left.splice(pick(left.length), 1)[0]);
    });
  }

  /** Lives through a fault. */
  live(fault: Fault, patience?: number): Promise<Outcome> {
    return new Life(this.gpu, this.expected, fault, patience).live();
  }

  /** Lives through a fault, and tells in which columns of a table it counts, and what is wrong. */
  async tell(
    fault: Fault,
    patience: number,
  ): Promise<{ columns: string[]; complaint: string | null }> {
    const outcome = await this.live(fault, patience);
    const complaint = isPromised(outcome) ? null : describeOutcome(outcome);
    return { columns: columnsOf(outcome), complaint };
  }
}

async function undisturbed(life: Life): Promise<NonNullable<Life["memory"]>> {
  const { findings, refused } = await life.live();
  if (!refused && findings.size === 0 && life.memory) return life.memory;
  throw new Error(`undisturbed: ${[...findings].join("; ") || "refused"}`);
}

/** Each call of each method in each of its modes. */
function faultsOf(counts: ReadonlyMap<string, number>): Fault[] {
  const methods = Object.entries(WATCHED).flatMap(([kind, watched]) => {
    return Object.entries(watched).map(([name, { modes }]) => ({
      method: `${kind}.${name}`,
      modes,
    }));
  });
  return methods.flatMap(({ method, modes }) => {
    const calls = Array.from({ length: counts.get(method) ?? 0 }, (_, n) => n);
    const own = MODES.filter((mode) => mode in modes);
    return own.flatMap((mode) => calls.map((n) => ({ method, n, mode })));
  });
}
