import type { Kernel, KernelChoice, Problem, Stage } from "../forms/kernel.ts";
import type { ShaderFile } from "../forms/wgsl.ts";

/** What an op adds to a kernel: expressions of functions, and files that these call. */
export interface OpPart {
  readonly functions?: Readonly<Record<string, string>>;
  readonly libraries?: readonly ShaderFile[];
}

/** The name of the file with a kernel's entry point. */
export function entryFile({ files }: Pick<Kernel, "files">): string {
  return files[files.length - 1].name;
}

/** One dispatch of a kernel for a problem. */
export function stageOf<P extends Problem>(
  { kernel, candidate }: KernelChoice<P>,
  problem: P,
  own: OpPart = {},
): Stage {
  const layout = kernel.layout(problem, candidate);
  const { dtype: type, ...sizes } = problem;
  return {
    ...layout,
    kernel: kernel as Stage["kernel"],
    type,
    constants: { ...sizes, ...candidate, ...layout.constants },
    // A formula of the op's, like that of a pointwise op, stands with the op.
    functions: Object.entries(own.functions ?? {}).map(
      ([name, value]) => `fn ${name}${kernel.functions?.[name]} { return ${value}; }`,
    ),
    libraries: [...(kernel.libraries ?? []), ...(own.libraries ?? [])],
    threads: candidate.WORKGROUP,
  };
}
