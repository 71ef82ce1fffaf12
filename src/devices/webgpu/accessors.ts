import type { Accessor, Load } from "../../forms/kernel.ts";
import type { FunctionBody } from "./function-body.ts";

/** Four neighbours. */
export const LANES = [0, 1, 2, 3];

/** The names of an accessor's parameters. */
export function parameterNames({ extents }: Accessor): string[] {
  return extents.map((_, axis) => `p${axis}`);
}

/** Declares an accessor's parameters. */
export function declare(accessor: Accessor): string {
  return parameterNames(accessor)
    .map((name) => `${name}: u32`)
    .join(", ");
}

/** An accessor's arguments for one lane of four along a parameter. */
export function shifted(accessor: Accessor, wide: number, lane: number): string[] {
  return parameterNames(accessor).map((name, axis) =>
    axis === wide && lane > 0 ? `${name} + ${lane}u` : name,
  );
}

/** Calls of a function of an accessor's arguments, one for each lane along a parameter. */
export function calls(f: string, accessor: Load, wide: number): string {
  return LANES.map((lane) => `${f}(${shifted(accessor, wide, lane).join(", ")})`).join(", ");
}

/** What is loaded, or what stands for it outside: chosen, for a branch may cost more than a load. */
export function guarded(accessor: Load, type: string, value: string, field = ""): string {
  const test = beyond(accessor);
  const outside = accessor.outside ? accessor.outside + field : 0;
  return test ? `select(${value}, ${type}(${outside}), ${test})` : value;
}

/** Leaves a function that has stored nothing yet, for what has been computed is of no use there. */
export function leave(body: FunctionBody, test: string): void {
  if (test) body.line(`if (${test}) { return; }`);
}

/** The test of whether a kernel has left what an accessor covers; empty where it cannot. */
export function beyond(accessor: Accessor): string {
  const { ragged, extents } = accessor;
  const tests = parameterNames(accessor).map(
    (name, axis) => ragged?.[axis] && `(${name} >= ${extents[axis]}u)`,
  );
  return tests.filter(Boolean).join(" | ");
}
