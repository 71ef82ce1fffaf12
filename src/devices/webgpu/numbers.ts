import type { KernelCode } from "./codegen.ts";

/** What `number` writes. */
const NUMBER = /⟨([^⟩]*)⟩/g;

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
export interface Kernel extends KernelCode {
  /** What the code reads from memory, as words. */
  readonly numbers: readonly number[];
  readonly pattern: Pattern;
}

/**
 * Settles the code of kernels: those that differ only by numbers read these from memory, so that
 * they are one; numbers in which they agree are literals.
 */
export function settle(
  kernels: readonly KernelCode[],
  known: ReadonlyMap<string, Pattern>,
): Kernel[] {
  const patterns = new Map<string, Pattern>();
  const read = kernels.map((kernel) => {
    const own: string[] = [];
    const text = kernel.code.replace(NUMBER, (_, value: string) => {
      own.push(value);
      return "⟨⟩";
    });
    const pattern = patterns.get(text) ??
      known.get(text) ?? { text, first: own, varying: new Set(), users: 0 };
    patterns.set(text, pattern);
    own.forEach((value, i) => {
      if (value !== pattern.first[i]) pattern.varying.add(i);
    });
    return { kernel, own, pattern };
  });
  return read.map(({ kernel, own, pattern }) => written(kernel, own, pattern));
}

function written(kernel: KernelCode, own: readonly string[], pattern: Pattern): Kernel {
  const numbers: number[] = [];
  let i = 0;
  let code = pattern.text.replace(NUMBER, () => {
    const value = own[i];
    if (!pattern.varying.has(i++)) return value;
    const word = `numbers[${numbers.length >> 2}][${numbers.length & 3}]`;
    numbers.push(wordOf(value));
    return value.endsWith("u") ? word : `bitcast<${/f\)?$/.test(value) ? "f32" : "i32"}>(${word})`;
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
  const value = Number.parseFloat(literal.replace("(", ""));
  return /f\)?$/.test(literal) ? new Uint32Array(Float32Array.of(value).buffer)[0] : value >>> 0;
}
