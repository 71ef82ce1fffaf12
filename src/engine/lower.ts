import { DataMap } from "../core/data-map.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import type { Traits } from "../forms/traits.ts";
import type { Device } from "../graph/device.ts";
import { Node } from "../graph/node.ts";
import { observeCreation, Tensor } from "../graph/tensor.ts";
import { callKey, type Program, type Step, trace } from "./program.ts";
import { renumbered, simplify } from "./simplify.ts";

/** Where graphs lie that only say what an op is made of. */
const NOWHERE = { kind: "webgpu", dtypes: { has: () => true }, check() {} } as unknown as Device;

/**
 * Puts the steps of their programs in the place of ops that are programs on such hardware.
 * @param rule by which property ops say so: `composed` for a device that has other code for kernels.
 */
export function lower(
  program: Program,
  traits: Traits | undefined,
  rule: "lower" | "composed" = "lower",
): Program {
  const steps: Step[] = [];
  /** A call of an op → the steps that give its results; null where a kernel does. */
  const calls = new DataMap<readonly number[] | null>();
  let isLowered = false;
  const add = (step: Step): number => {
    const parts = step.op?.[rule] && getOrInsert(calls, callKey(step), () => build(step));
    return parts?.[step.result ?? 0] ?? steps.push(step) - 1;
  };
  const build = ({ op, attributes, inputs }: Step): number[] | null => {
    const types = inputs.map((input) => steps[input]);
    const given = types.map(({ shape, dtype }) => new Node(NOWHERE, shape, dtype));
    const made = observeCreation(
      () => {},
      () =>
        op?.[rule]?.(
          given.map((node) => new Tensor(node)),
          attributes,
          traits as Traits,
        ),
    );
    if (!made) return null;
    isLowered = true;
    const wanted = made.map(({ node }) => node);
    const { program, sources } = trace(wanted, "", { parameters: new Set(given) });
    const own: number[] = [];
    const source = sources.values();
    for (const step of program.steps) {
      own.push(
        step.op
          ? add({ ...step, inputs: step.inputs.map((input) => own[input]) })
          : inputs[given.indexOf(source.next().value as Node)],
      );
    }
    return program.outputs.map((output) => own[output]);
  };
  const renamed: number[] = [];
  for (const step of program.steps) {
    const isMoved = isLowered && step.inputs.length > 0;
    renamed.push(add(isMoved ? { ...step, inputs: step.inputs.map((i) => renamed[i]) } : step));
  }
  if (!isLowered) return program;
  return simplify(renumbered(program, steps, (i) => renamed[i]));
}
