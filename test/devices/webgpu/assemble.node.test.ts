import { expect, test } from "vitest";
import { assemble, GRID_ROW } from "../../../src/devices/webgpu/assemble.ts";

const entry = "@builtin(workgroup_id) id: vec3u, @builtin(num_workgroups) count: vec3u";
const local = "@builtin(local_invocation_index) local: u32";

test("parts share an entry point, however their own ones are laid out", () => {
  const files = [
    `fn half(x: u32) -> u32 { return x / 2u; }\n`,
    `@compute @workgroup_size(WORKGROUP) fn main(${entry}, ${local}) { half(local); }\n`,
    `@compute\n@workgroup_size(WORKGROUP)\nfn main(\n  ${entry},\n  ${local},\n)\n{\n  half(local);\n}\n`,
  ].map((source, i) => ({ name: `shaders/${i}.wgsl`, source }));
  const head = "const WORKGROUP = 64u;\n";
  const part = { head, workgroups: 3, threads: 64 };
  const parts = [
    { ...part, files: [files[0], files[1]] },
    { ...part, files: [files[0], files[2]] },
  ];
  const { code, regions } = assemble("// shared\n", parts);
  const [own, dispatcher] = code.split("\n@compute");
  expect(own.match(/@|\bmain\b|\bhalf\b|\bWORKGROUP\b/)).toBe(null);
  for (const k of [0, 1]) {
    expect(own).toMatch(
      new RegExp(`fn main_${k}\\(\\s*id: vec3u, +count: vec3u,\\s*local: u32,?\\s*\\)`),
    );
    expect(own).toContain(`fn half_${k}(x: u32)`);
    expect(own).toContain(`half_${k}(local)`);
  }
  expect(dispatcher).toContain("main_0(vec3u(workgroup - 0u, 0u, 0u), vec3u(3u, 1u, 1u), local);");
  expect(dispatcher).toContain("main_1(vec3u(workgroup - 3u, 0u, 0u), vec3u(3u, 1u, 1u), local);");
  // A compiler's message points to the file and its line.
  const lines = code.split("\n");
  expect(regions.map(({ file }) => file)).toEqual([0, 1, 0, 2].map((i) => `shaders/${i}.wgsl`));
  for (const { file, first, last } of regions) {
    const { source } = files.find(({ name }) => name === file) as (typeof files)[0];
    expect(last - first + 1).toBe(source.split("\n").length - 1);
    expect(lines[first - 1]).toMatch(file === files[0].name ? /fn half_/ : /fn main_|^\s*$/);
  }
});

test("one part keeps its entry point, unless a folded grid has workgroups that are not its", () => {
  const source = `@compute @workgroup_size(WORKGROUP) fn main(${entry}, ${local}) {}\n`;
  const part = { head: "", files: [{ name: "shaders/0.wgsl", source }], threads: 64 };
  const codeOf = (workgroups: number) => assemble("", [{ ...part, workgroups }]).code;
  expect(codeOf(GRID_ROW)).toBe(source);
  expect(codeOf(GRID_ROW + 1)).toContain("if (workgroup < 65536u) {\n    main_0(");
});
