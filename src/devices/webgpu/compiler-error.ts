import { KernelError } from "../../core/errors.ts";
import { MARK_BEFORE, MARK_BEHIND } from "../../forms/wgsl.ts";
import type { KernelCode } from "./codegen.ts";

/** What a compiler has to say of a kernel, by the lines of its files. */
export function compilerError(
  messages: readonly GPUCompilationMessage[],
  kernel: KernelCode,
): KernelError {
  const lines = messages.map((message) => `${placeOf(message, kernel)}: ${message.message}`);
  return new KernelError(`${kernel.label}: ${lines.join("; ")}`);
}

/** Where a message points to: a line of a kernel file, or what was written in front of it. */
function placeOf({ type, lineNum, linePos }: GPUCompilationMessage, kernel: KernelCode): string {
  const { regions, code } = kernel;
  const region = regions.find(({ first, last }) => first <= lineNum && lineNum <= last);
  if (region) return `${region.file}:${lineNum - region.first + 1}:${linePos}: ${type}`;
  const lines = code.split("\n");
  const marked = placeInMarked(lines, lineNum, linePos);
  if (marked) return `${marked}: ${type}`;
  const next = regions.find(({ first }) => lineNum < first) ?? regions[regions.length - 1];
  const text = lines[lineNum - 1]?.trim();
  return `${next.file} (accessors: ${text}): ${type}`;
}

/** A place in a text that lies between marks: a line around it, of a function's, is the nearest of its own. */
function placeInMarked(lines: readonly string[], line: number, column: number): string | null {
  const mark = lines.findLastIndex((text, i) => i < line && text.startsWith(MARK_BEFORE));
  if (mark < 0) return null;
  const name = lines[mark].slice(MARK_BEFORE.length);
  const behind = lines.indexOf(MARK_BEHIND + name, mark);
  const own = line - mark - 2; // the mark, and the line behind it
  const count = behind - mark - 2;
  if (own > count + 2) return null;
  if (own > 0 && own <= count) return `${name}:${own}:${column}`;
  return `${name}:${own > 0 ? count : 1}`;
}
