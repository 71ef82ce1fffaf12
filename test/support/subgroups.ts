/** Subgroups of any size for tests, where the adapter has smaller ones: written in workgroup memory. */
import type { Stage } from "../../src/forms/kernel.ts";

/** Functions in the place of those of WGSL. Invocations are dealt out to subgroups in turn, the last ones first. */
const FUNCTIONS = (size: number) => `
const SIZE = ${size}u;
const SUBGROUPS = WORKGROUP / SIZE;
var<private> own_index: u32;
var<workgroup> handed_on: array<vec2u, WORKGROUP>;

fn own_number() -> u32 {
  return (SIZE - 1u) - own_index / SUBGROUPS;
}
fn index_of(number: u32) -> u32 {
  return ((SIZE - 1u) - number) * SUBGROUPS + own_index % SUBGROUPS;
}
fn subgroupExclusiveAdd(one: u32) -> u32 {
  return own_number() * one;
}
fn subgroupAdd(one: u32) -> u32 {
  return SIZE * one;
}
fn words_of(x: vec2u, number: u32) -> vec2u {
  handed_on[own_index] = x;
  workgroupBarrier();
  let other = handed_on[index_of(number)];
  workgroupBarrier();
  return other;
}
fn words_across(x: vec2u, mask: u32) -> vec2u {
  return words_of(x, own_number() ^ mask);
}
fn subgroupBroadcastFirst(x: u32) -> u32 {
  return words_of(vec2(x, 0u), 0u).x;
}
fn index_across(x: u32, mask: u32) -> u32 {
  return words_across(vec2(x, 0u), mask).x;
}
`;

/** A stage whose kernel is run by subgroups of a size, of whatever size those of the adapter are. */
export function subgroupsOf(stage: Stage, size: number): Stage {
  const { kernel } = stage;
  const isPair = kernel.files.some(({ name }) => name.includes("row-standard"));
  const shuffle = isPair
    ? "fn subgroupShuffleXor(x: vec2<Acc>, m: u32) -> vec2<Acc> { return bitcast<vec2<Acc>>(words_across(bitcast<vec2u>(x), m)); }"
    : "fn subgroupShuffleXor(x: Acc, m: u32) -> Acc { return bitcast<Acc>(words_across(vec2(bitcast<u32>(x), 0u), m).x); }";
  const files = kernel.files.map(({ name, source }) => ({
    name,
    source: source
      .replace("let workgroup =", "own_index = local;\n  let workgroup =")
      .replaceAll("subgroupShuffleXor(index,", "index_across(index,"),
  }));
  const own = {
    name: "subgroups",
    source: `${FUNCTIONS(Math.min(size, stage.threads))}\n${shuffle}\n`,
  };
  return { ...stage, kernel: { ...kernel, subgroups: undefined, files: [own, ...files] } };
}
