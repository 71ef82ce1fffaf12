import { GradusError } from "../../../core/errors.ts";
import type { Strided } from "../../../core/strided.ts";
import { copyStrided } from "../../../core/strided-loops.ts";
import type { Group } from "../../../engine/fusion.ts";
import { opsOf } from "../../../engine/group-ops.ts";
import type { KernelSchedule } from "../../../engine/schedule.ts";
import type { Op } from "../../../graph/op.ts";
import type { View } from "../layout.ts";
import { fastest } from "../plain-form.ts";
import { type Location, movedFrom, openedOf } from "./closed.ts";
import { refusingSteps } from "./group-code.ts";
import type { PlanMemory } from "./plan-memory.ts";

/** Groups in the plain forms of their ops, on the memory of a plan. */
export class PlainTasks {
  constructor(
    readonly schedule: KernelSchedule,
    readonly locations: readonly Location[],
    readonly memory: PlanMemory,
  ) {}

  /** Computes a group in the plain form of its op, or copies. */
  task({ anchors, outputs }: Group): () => void {
    const { steps } = this.schedule.program;
    const [anchor] = anchors;
    if (anchor === undefined) {
      const copies = outputs.map((output) => ({
        from: this.#view(movedFrom(steps, steps[output], this.locations)),
        to: this.#view(this.locations[output]),
      }));
      return () => {
        for (const { from, to } of copies) copyStrided(from, to.data);
      };
    }
    const { inputs, attributes, op } = steps[anchor];
    const own = openedOf(op as Op) as Op;
    const operands = inputs.map((input) => this.#view(this.locations[input]));
    const { cpuAll } = own;
    if (cpuAll) {
      const results: View[] = [];
      for (const i of anchors) results[steps[i].result ?? 0] = this.#view(this.locations[i]);
      return () => cpuAll(results, operands, attributes);
    }
    const types = inputs.map((input) => steps[input]);
    const cpu = fastest(own, types);
    const y = this.#view(this.locations[anchor]);
    return () => cpu(y, operands, attributes);
  }

  /** Throws what the specification does where a group's code has refused a value. */
  refuse(group: Group): never {
    const { steps } = this.schedule.program;
    for (const i of refusingSteps(this.schedule, group)) {
      const { op, inputs, attributes } = steps[i];
      const types = inputs.map((input) => steps[input]);
      const [y, ...operands] = [i, ...inputs].map((step) => this.#now(this.locations[step]));
      fastest(op as Op, types)(y, operands, attributes);
    }
    throw new GradusError(`${opsOf(this.schedule, group)}: a value that is not allowed`);
  }

  /** A value as a view, for as long as the plan lives. */
  #view({ root, view }: Location): View {
    return this.memory.home(root).see({ ...view });
  }

  /** A value as a view of the memory as it is now. */
  #now({ root, view }: Location): Strided {
    const { address, dtype, size } = this.memory.home(root);
    return { ...view, data: this.memory.heap.view(dtype, address, size) };
  }
}
