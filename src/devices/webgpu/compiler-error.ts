import { KernelError } from "../../core/errors.ts";
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
  const next = regions.find(({ first }) => lineNum < first) ?? regions[regions.length - 1];
  const text = code.split("\n")[lineNum - 1]?.trim();
  return `${next.file} (accessors: ${text}): ${type}`;
}
