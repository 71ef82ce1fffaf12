import type { ShaderFile } from "../../forms/wgsl.ts";

/** The text of one part of a kernel: functions and constants, and the files behind them. */
export interface PartText {
  readonly head: string;
  /** The last one has the entry point. */
  readonly files: readonly ShaderFile[];
  readonly workgroups: number;
  readonly threads: number;
}

/** Lines of a kernel's code that are a file's. */
export interface Region {
  readonly file: string;
  /** The line of the code that is the file's first, from 1, and that which is its last. */
  readonly first: number;
  readonly last: number;
}

/** The code of a kernel, and where its files lie in it. */
export interface Assembled {
  readonly code: string;
  readonly regions: readonly Region[];
}

/** Workgroups along one dimension of a grid. A longer one is folded, and may have some too many then. */
export const GRID_ROW = 65_535;

/** The attributes by which `main(id, count, local)` is an entry point. */
const ATTRIBUTE = /@\w+(\(\w+\))? */g;

const DECLARED = /^(?:const|alias|struct|fn)\s+(\w+)|^var<\w+>\s+(\w+)/gm;

/** Writes what a part does, as a function of the number of a workgroup among its own. */
export type PartCall = (k: number, own: string) => string;

/**
 * Joins the parts of a kernel behind what they share. One part keeps its file's own entry point,
 * unless there is another one, or a folded grid has workgroups that are not its.
 * @param entry an entry point that calls `main_0`, `main_1`, … of the parts.
 */
export function assemble(
  shared: string,
  parts: readonly PartText[],
  entry = parts.length > 1 || parts[0].workgroups > GRID_ROW ? dispatcher(parts) : "",
): Assembled {
  const texts = entry ? parts.map(asFunction) : parts;
  let code = shared;
  const regions: Region[] = [];
  for (const { head, files } of texts) {
    code += head;
    for (const { name, source } of files) {
      const first = countLines(code);
      code += source;
      regions.push({ file: name, first, last: countLines(code) - 1 });
    }
  }
  return { code: code + entry, regions };
}

/** The number of the line that follows a text. */
function countLines(text: string): number {
  return text.split("\n").length;
}

/** Turns an entry point into a function and gives every name of the part an ending of its own. */
function asFunction({ head, files, ...part }: PartText, k: number): PartText {
  const plain = files.map(({ name, source }) => ({ name, source: source.replace(ATTRIBUTE, "") }));
  const names = new Set<string>();
  for (const text of [head, ...plain.map(({ source }) => source)]) {
    for (const [, name, variable] of text.matchAll(DECLARED)) names.add(name ?? variable);
  }
  const word = new RegExp(`\\b(${[...names].join("|")})\\b`, "g");
  const rename = (text: string) => text.replace(word, `$1_${k}`);
  const renamed = plain.map(({ name, source }) => ({ name, source: rename(source) }));
  return { ...part, head: rename(head), files: renamed };
}

/** An entry point that gives each part its share of the workgroups. */
export function dispatcher(
  parts: readonly PartText[],
  call: PartCall = (k, own) => callOf(k, own, `${parts[k].workgroups}u`),
): string {
  return `
@compute @workgroup_size(${parts[0].threads})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let workgroup = linear_workgroup(id, count);
  ${sharesOf(parts, call)}
}
`;
}

/** Statements by which one of all workgroups does its share of a part. */
export function sharesOf(parts: readonly PartText[], call: PartCall): string {
  let start = 0;
  const branches = parts.map(({ workgroups }, k) => {
    const own = `workgroup - ${start}u`;
    start += workgroups;
    return `if (workgroup < ${start}u) {\n    ${call(k, own)}\n  }`;
  });
  return branches.join(" else ");
}

/** Calls the function of a part for one of so many workgroups. */
export function callOf(k: number, own: string, workgroups: string): string {
  return `main_${k}(vec3u(${own}, 0u, 0u), vec3u(${workgroups}, 1u, 1u), local);`;
}
