import { DTYPES } from "../core/dtype.ts";
import { type Fusion, GROUP_WEIGHT, Group } from "./fusion.ts";
import { resultsOf, type Step } from "./program.ts";
import { joinSiblings, kinOf } from "./siblings.ts";

/** What a group may weigh that others are joined to: each was no larger than a kernel may be. */
const JOINED_WEIGHT = 1024;
/** More anchors take registers and workgroup memory from each other. */
const MOST_ANCHORS = 8;

/**
 * Finds the group of a product that another group's kernel may make, in place of reading it; `results`
 * are stored in any case.
 */
export type FindProduct = (
  fusion: Fusion,
  group: Group,
  results: ReadonlySet<number>,
) => Group | undefined;

/** By what groups are joined. */
export interface MergeOptions {
  /** Tells of values that lie in one buffer. */
  readonly bufferOf: BufferOf;
  /** Whether one kernel may compute several ops of the same rows. */
  readonly joinsRows: boolean;
  /** Finds what a group's kernel had better make itself; nothing when left out. */
  readonly findProduct?: FindProduct;
  /** Steps that are stored in any case. */
  readonly kept?: Iterable<number>;
}

/**
 * Joins pointwise groups to the groups before them where element i is made of element i: the update
 * of a parameter to its gradient's product, the gradient of a loss to its softmax. What only the
 * joined group needed is stored no longer.
 *
 * @param bindingLimit how many values one kernel may read and write.
 * @param homes new value → the state in whose memory it is expected to be written.
 */
export function merge(
  fusion: Fusion,
  bindingLimit: number,
  homes: Homes,
  { bufferOf, joinsRows, findProduct, kept = [] }: MergeOptions,
): void {
  const results = new Set([...resultsOf(fusion.program), ...kept]);
  // Where nothing around it has changed, a group that could not be joined cannot be now.
  let changed = new Set(fusion.groups);
  const join = (first: Group, second: Group, product?: number): Group | null => {
    const joined = fusion.joined(first, second, results, product);
    const whole = new Group(joined.anchors, [...first.outputs, ...second.outputs]);
    const { weight, size } = fusion.explore(whole);
    if (weight > JOINED_WEIGHT || size > GROUP_WEIGHT) return null;
    if (joined.anchors.length > MOST_ANCHORS) return null;
    if (bindings(whole, joined.outputs, homes, bufferOf) > bindingLimit) return null;
    fusion.join(first, second, joined);
    for (const other of fusion.behind(joined).add(joined)) changed.add(other);
    return joined;
  };
  while (changed.size > 0) {
    const open = changed;
    changed = new Set();
    for (const group of fusion.groups) {
      if ((!open.has(group) && !changed.has(group)) || !fusion.has(group)) continue;
      changed.delete(group);
      const before = fusion
        .sources(group)
        .find((other) => mayJoin(fusion, other, group, joinsRows));
      if (before) join(before, group);
    }
    // Whoever could be behind a group is so by now, and no other has to wait for what is joined.
    if (changed.size === 0 && joinsRows) joinSiblings(fusion, join);
  }
  for (const group of findProduct ? fusion.groups : []) {
    const product = findProduct?.(fusion, group, results);
    if (product) join(product, group, product.anchors[0]);
  }
}

function mayJoin(fusion: Fusion, first: Group, second: Group, joinsRows: boolean): boolean {
  const { steps } = fusion.program;
  if (first.anchors.some((anchor) => isClosed(steps[anchor]))) return false;
  // What shares words is stored by groups of its own.
  const isPacked = (step: number) => DTYPES[steps[step].dtype].perWord > 1;
  if ([...first.outputs, ...second.outputs].some(isPacked)) return false;
  const read = first.outputs.filter((step) => second.reads.has(step));
  if (read.some((step) => !second.reads.get(step))) return false;
  const others = fusion.sources(second).filter((other) => other !== first);
  if (second.anchors.length > 0) {
    if (!joinsRows) return false;
    const known = fusion.sources(first); // nobody has to wait for more
    const kin = others.every((other) => known.includes(other)) && kinOf(fusion, second);
    if (!kin || kin !== kinOf(fusion, first)) return false;
  }
  // Results of one kernel are not known at the same time.
  const both = [...first.anchors, ...second.anchors];
  const results = new Set([...read, ...second.anchors].map((step) => fusion.resultAt(both, step)));
  return results.size < 2 && !others.some((other) => fusion.dependsOn(other, first));
}

function isClosed({ op }: Step): boolean {
  return op?.form.kind === "kernel" && !!op.form.isClosed;
}

/** New value → the state in whose memory it is written. */
export type Homes = ReadonlyMap<number, number>;

/** The buffer in which a stored value lies: a number of its own unless it shares one. */
export type BufferOf = (value: number) => number;

/**
 * How many buffers a group's kernel binds that stores some of its outputs; a state's old and new
 * value count as one.
 */
export function bindings(
  group: Group,
  written: readonly number[],
  homes: Homes,
  bufferOf: BufferOf,
): number {
  const places = written.map((step) => homes.get(step) ?? step);
  return new Set([...group.reads.keys(), ...places].map(bufferOf)).size;
}
