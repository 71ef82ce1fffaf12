/** The text of one part of a kernel: functions and constants, and the file behind them. */
export interface PartText {
  readonly head: string;
  readonly file: string;
  readonly source: string;
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

/** The head of an entry point, which takes the same of every file: up to its first brace. */
const ENTRY = /@compute[^{]+\{/;

const DECLARED = /^(?:const|alias|struct|fn)\s+(\w+)|^var<\w+>\s+(\w+)/gm;

/** Joins the parts of a kernel behind what they share. One part keeps its file's own entry point. */
export function assemble(shared: string, parts: readonly PartText[]): Assembled {
  const texts = parts.length === 1 ? parts : parts.map(asFunction);
  let code = shared;
  const regions: Region[] = [];
  for (const { head, file, source } of texts) {
    code += head;
    const first = countLines(code);
    code += source;
    regions.push({ file, first, last: countLines(code) - 1 });
  }
  if (parts.length > 1) code += dispatcher(parts);
  return { code, regions };
}

/** The number of the line that follows a text. */
function countLines(text: string): number {
  return text.split("\n").length;
}

/** Turns an entry point into a function and gives every name of the part an ending of its own. */
function asFunction(part: PartText, k: number): PartText {
  const head = `fn main(id: vec3u, count: vec3u, local: u32) {`;
  const source = part.source.replace(ENTRY, `\n\n\n\n\n${head}`);
  const names = new Set<string>();
  for (const text of [part.head, source]) {
    for (const [, name, variable] of text.matchAll(DECLARED)) names.add(name ?? variable);
  }
  const word = new RegExp(`\\b(${[...names].join("|")})\\b`, "g");
  const rename = (text: string) => text.replace(word, `$1_${k}`);
  return { ...part, head: rename(part.head), source: rename(source) };
}

/** An entry point that gives each part its share of the workgroups. */
function dispatcher(parts: readonly PartText[]): string {
  let start = 0;
  const branches = parts.map(({ workgroups }, k) => {
    const id = start === 0 ? "workgroup" : `workgroup - ${start}u`;
    start += workgroups;
    const call = `main_${k}(vec3u(${id}, 0u, 0u), vec3u(${workgroups}u, 1u, 1u), local);`;
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
