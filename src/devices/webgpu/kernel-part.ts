import { postorder } from "../../core/postorder.ts";
import { sizeOf } from "../../core/shape.ts";
import type { Group } from "../../engine/fusion.ts";
import { lower } from "../../engine/lower.ts";
import type { Program, Step } from "../../engine/program.ts";
import { scheduleOf } from "../../engine/schedule.ts";
import { flopsOf, total } from "../../engine/stats.ts";
import { stepBytes } from "./transfer.ts";
import { type Hardware, scheduling } from "./write.ts";

/**
 * Cuts out of a program what one kernel computes, with all that is fused into it: a program of its own,
 * whose sources are what the kernel reads.
 */
export function cutPart({ steps, updates }: Program, { outputs, reads }: Group): Program {
  const isSource = (i: number) => !steps[i].op || reads.has(i);
  const order = [...postorder(outputs, (i) => (isSource(i) ? [] : steps[i].inputs))];
  const places = new Map(order.map((step, i) => [step, i]));
  const placeOf = (step: number) => places.get(step) as number;
  const own = updates
    .filter(({ source, value }) => places.has(source) && outputs.includes(value))
    .map(({ source, value }) => ({ source: placeOf(source), value: placeOf(value) }));
  const written = new Set(own.map(({ value }) => value));
  return {
    steps: order.map((i): Step => {
      const { op, attributes, inputs, ...type } = steps[i];
      return isSource(i)
        ? { ...type, op: null, attributes: {}, inputs: [], result: undefined }
        : { ...type, op, attributes, inputs: inputs.map(placeOf) };
    }),
    sources: order.filter(isSource).map(placeOf),
    outputs: outputs.map(placeOf).filter((i) => !written.has(i)),
    updates: own,
  };
}

/** Whether a part is one kernel without the rest of its program too. */
export function isWholePart(part: Program, hardware: Hardware): boolean {
  const { maxStorageBuffersPerShaderStage: bindings } = hardware.device.limits;
  const lowered = lower(part, hardware.traits);
  return scheduleOf(lowered, bindings, scheduling(hardware)).groups.length === 1;
}

/**
 * Names what a part computes, by ops and the shapes of their results: the same text in any run of this
 * version. Numbers among attributes do not count.
 */
export function partName({ steps, updates }: Program): string {
  const ops = steps.flatMap(({ op }) => (op && op.cost !== 0 ? op.name : []));
  const lines = steps.map(({ op, inputs, shape, dtype, result = 0 }) =>
    [op?.name, ...inputs, dtype, ...shape, result].join(),
  );
  const [last = "move"] = ops.slice(-1);
  return `${ops.length > 4 ? [ops[0], "…", last].join("+") : ops.join("+") || last} ${hash([...lines, updates.length].join(";"))}`;
}

/** FNV-1a of 32 bits, as text. */
function hash(text: string): string {
  let bits = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) bits = Math.imul(bits ^ text.charCodeAt(i), 0x01000193);
  return (bits >>> 0).toString(36);
}

/** Bytes of what a part reads and stores. */
export function partBytes(part: Program): number {
  const { sources, outputs } = part;
  return total([...sources, ...outputs].map((step) => stepBytes(part, step)));
}

/** What a part is to compute, in operations and bytes: what takes longer has more, as a rule. */
export function partWork(part: Program): number {
  const flops = part.steps.map(({ op, shape }, i) => (op ? flopsOf(part, i) + sizeOf(shape) : 0));
  return total(flops) + partBytes(part);
}
