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

/** The attributes by which `main(id, count, local)` is an entry point. */
const ATTRIBUTE = /@\w+(\(\w+\))? */g;

const DECLARED = /^(?:const|alias|struct|fn)\s+(\w+)|^var<\w+>\s+(\w+)/gm;

/** Joins the parts of a kernel behind what they share. One part keeps its file's own entry point. */
export function assemble(shared: string, parts: readonly PartText[]): Assembled {
  const texts = parts.length === 1 ? parts : parts.map(asFunction);
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
  if (parts.length > 1) code += dispatcher(parts);
  return { code, regions };
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
function dispatcher(parts: readonly PartText[]): string {
  let start = 0;
  const branches = parts.map(({ workgroups }, k) => {
    const id = `vec3u(workgroup - ${start}u, 0u, 0u)`;
    start += workgroups;
    const call = `main_${k}(${id}, vec3u(${workgroups}u, 1u, 1u), local);`;
    return `if (workgroup < ${start}u) {\n    ${call}\n  }`;
  });
  return `
@compute @workgroup_size(${parts[0].threads})
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let workgroup = linear_workgroup(id, count);
  ${branches.join(" else ")}
}
`;
}
