import type { Group } from "../../../engine/fusion.ts";
import type { FunctionWriter } from "./assembler.ts";
import { Addresses, GroupElements } from "./elements.ts";
import type { GroupContext, KeptMemory } from "./group-code.ts";
import { LaneWriter } from "./lane-scalars.ts";
import { VectorBody } from "./vector-body.ts";

/** A stretch of code in which a group's elements are values. */
export interface Stretch {
  readonly body: VectorBody;
  readonly writer: LaneWriter;
  readonly elements: GroupElements;
}

/**
 * Begins a stretch of code.
 * @param steps those whose addresses the function is given.
 * @param count how many of the four lanes are stored.
 * @param inner the local that counts within the stretch, if there is one.
 * @param memory where code may keep what it computes, if there is any.
 */
export function stretchOf(
  { schedule, isFused }: GroupContext,
  group: Group,
  f: FunctionWriter,
  steps: readonly number[],
  count: number,
  inner?: number,
  memory?: KeptMemory,
): Stretch {
  const body = new VectorBody(f, isFused);
  const writer = new LaneWriter(body, memory);
  const pointers = new Map(steps.map((step, i) => [step, i]));
  const addresses = new Addresses(f, schedule, pointers, inner);
  const elements = new GroupElements(schedule, group, f, writer, addresses, count);
  return { body, writer, elements };
}
