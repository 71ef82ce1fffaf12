import { getOrInsert } from "../../core/get-or-insert.ts";
import { BRACKETED, isFloatLiteral, STATE_MARK, typedWord } from "../../forms/number.ts";
import { bitsOf } from "../../forms/wgsl.ts";
import type { KernelCode } from "./codegen.ts";

/** The code of kernels that differ only by numbers. */
export interface Pattern {
  /** What they have in common. */
  readonly text: string;
  /** The numbers of the first of them. */
  readonly first: readonly string[];
  /** The places of those that are not the same in all of them. */
  readonly varying: Set<number>;
  /** How many pipelines have it. */
  users: number;
}

/** A kernel whose code is settled. */
export interface SettledKernel extends KernelCode {
  /** What the code reads from memory, as words; −1 − s stands for where the state of source s lies. */
  readonly numbers: readonly number[];
  readonly pattern: Pattern;
}

/**
 * Settles the code of a plan's kernels: those that differ only by numbers read these from memory, so
 * that they are one; numbers in which they agree are literals. Kernels of plans before join them where
 * they differ by integers, so that no result depends on what was computed before.
 */
export function settle(
  kernels: readonly KernelCode[],
  known: ReadonlyMap<string, Pattern>,
): SettledKernel[] {
  const patterns = new Map<string, Pattern>();
  const read = kernels.map((kernel) => {
    const own: string[] = [];
    const text = kernel.code.replace(BRACKETED, (_, value: string) => {
      own.push(value);
      return "⟨⟩";
    });
    const make = () => ({ text, first: own, varying: new Set<number>(), users: 0 });
    vary(getOrInsert(patterns, text, make), own);
    return { kernel, own, text };
  });
  for (const [text, pattern] of patterns) {
    const before = known.get(text);
    if (before && mayJoin(before, pattern)) patterns.set(text, before);
  }
  return read.map(({ kernel, own, text }) =>
    writeKernel(kernel, own, patterns.get(text) as Pattern),
  );
}

/** Notes by which numbers a kernel differs from the first of its pattern. */
function vary({ first, varying }: Pattern, own: readonly string[]): void {
  own.forEach((value, i) => {
    if (value !== first[i] || value[0] === STATE_MARK) varying.add(i);
  });
}

/** Lets what varies in one pattern vary in one before, unless that would make floats data. */
function mayJoin(before: Pattern, pattern: Pattern): boolean {
  const both = { ...before, varying: new Set([...before.varying, ...pattern.varying]) };
  vary(both, pattern.first);
  if ([...both.varying].some((i) => isFloatLiteral(before.first[i]))) return false;
  for (const i of both.varying) before.varying.add(i);
  return true;
}

function writeKernel(kernel: KernelCode, own: readonly string[], pattern: Pattern): SettledKernel {
  const numbers = (kernel.table ?? []).map(wordOf);
  let i = 0;
  let code = pattern.text.replace(BRACKETED, () => {
    const value = own[i];
    if (!pattern.varying.has(i++)) return value;
    const word = `numbers[${numbers.length >> 2}][${numbers.length & 3}]`;
    numbers.push(wordOf(value));
    return typedWord(value, word);
  });
  if (numbers.length > 0) {
    const { length } = kernel.bindings;
    const type = `array<vec4u, ${Math.ceil(numbers.length / 4)}>`;
    code += `\n@group(0) @binding(${length}) var<uniform> numbers: ${type};\n`;
  }
  return { ...kernel, code, numbers, pattern };
}

/** The bits of a literal. */
function wordOf(literal: string): number {
  if (literal[0] === STATE_MARK) return ~Number.parseInt(literal.slice(1), 10);
  const value = Number.parseFloat(literal.replace("(", ""));
  return isFloatLiteral(literal) ? bitsOf(value) : value >>> 0;
}
