import type { Kernel, KernelChoice, Problem, Stage } from "../forms/kernel.ts";
import { accumulator, type ShaderFile } from "../forms/wgsl.ts";

/** What an op adds to a kernel: expressions of functions, and files that these call. */
export interface OpPart {
  readonly functions?: Readonly<Record<string, string>>;
  readonly libraries?: readonly ShaderFile[];
}

/** The name of the file with a kernel's entry point. */
export function entryFile({ files }: Pick<Kernel, "files">): string {
  return files[files.length - 1].name;
}

/**
 * One dispatch of a kernel for a problem, for one op or for several.
 * @param hasFields whether what it computes with has a field for each op, or only its first result.
 */
export function stageOf<P extends Problem>(
  { kernel, candidate }: KernelChoice<P>,
  problem: P,
  own: OpPart | readonly OpPart[] = {},
  hasFields = false,
): Stage {
  const layout = kernel.layout(problem, candidate);
  const { dtype: type, ...sizes } = problem;
  const ops = [own].flat();
  const number = accumulator(type);
  const fields = ops.map((_, op) => `v${op}`);
  const loaded = hasFields ? fields.map((field) => `.${field}`) : [""];
  // A formula of an op's, like that of a pointwise op, stands with the op; several give a value each.
  const functions = Object.keys(ops[0].functions ?? {}).map((name) => {
    const head = `fn ${name}${kernel.functions?.[name]}`;
    const values = ops.map(({ functions }) => functions?.[name]);
    return ops.length > 1
      ? `${head.replace("-> Acc", "-> Values")} { return Values(${values}); }`
      : `${head} { return ${values}; }`;
  });
  return {
    ...layout,
    memory: (layout.memory ?? 0) * loaded.length,
    kernel: kernel as Stage["kernel"],
    type,
    loaded,
    accumulated: hasFields ? "Values" : number,
    constants: { ...sizes, ...candidate, ...layout.constants },
    functions: [
      ops.length > 1 ? `struct Values { ${fields.map((field) => `${field}: ${number}`)} }` : "",
      ...functions,
    ],
    libraries: [kernel, ...ops].flatMap(({ libraries = [] }) => libraries),
    threads: candidate.WORKGROUP,
  };
}
