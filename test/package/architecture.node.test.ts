import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { checkArchitecture } from "../support/architecture.ts";

const root = join(import.meta.dirname, "../..");

function readFolder(folder: string): [string, string][] {
  return readdirSync(join(root, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(root.length + 1).replaceAll("\\", "/"), readFileSync(path, "utf8")]);
}

test("what is given as undefined takes no default away", () => {
  const spread = /\{[^{}]*\w[^{}]*,\s*\.\.\.(options|given)\b[^{}]*\}(?!\s*[=:])/;
  for (const [path, text] of readFolder("src")) {
    const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
    expect(spread.exec(code)?.[0], path).toBeUndefined();
  }
});

test("src/ keeps its layers, has no import cycle and uses every shader", () => {
  const files = new Map([...readFolder("src"), ...readFolder("shaders")]);
  expect(files.size).toBeGreaterThan(40);
  expect(checkArchitecture(files)).toEqual([]);
});

test("examples import the library by the names that the package exports", () => {
  // Advice for an option of a command is worded as the library's own, and ZIP files are read as it does.
  const except = ["examples/command/arguments.ts", "examples/oneshot/omniglot.ts"];
  const inside = readFolder("examples").filter(([path, text]) => {
    return !except.includes(path) && /from "(\.\.\/)+src\//.test(text);
  });
  expect(inside.map(([path]) => path)).toEqual([]);
});

test("the loop names no field of a batch", () => {
  const folders = ["src/train", "src/callbacks", "src/search"];
  const named = folders.flatMap(readFolder).filter(([, text]) => {
    const code = text.replace(/\/\*[\s\S]*?\*\/|\/\/.*$|`[^`]*`|"[^"\n]*"/gm, "");
    return /\b(images|labels)\b/.test(code);
  });
  expect(named.map(([path]) => path)).toEqual([]);
});

type Files = Record<string, string>;
const check = (files: Files) => checkArchitecture(new Map(Object.entries(files)));

describe("checkArchitecture accepts", () => {
  test.each<[string, Files]>([
    ["what stands above", { "src/engine/a.ts": 'import { x } from "../core/x.ts";' }],
    ["a file beside it", { "src/ops/a.ts": 'export * from "./b.ts";' }],
    ["a file of its folder below", { "src/devices/a.ts": 'import type { X } from "./cpu/b.ts";' }],
    ["everything from the top", { "src/index.ts": 'export { y } from "./train/y.ts";' }],
    ["a module from heads", { "src/heads/a.ts": 'import { y } from "../nn/y.ts";' }],
    [
      "what is exported by a folder's name",
      { "src/nn/index.ts": 'export * from "../train/y.ts";' },
    ],
    ["every part from train", { "src/train/a.ts": 'import { y } from "../optim/y.ts";' }],
    ["a shader that is used", usedShader('import text from "../../shaders/a.wgsl?raw";')],
    ["the optional peer", { "src/devices/a.ts": 'const gpu = await import("webgpu");' }],
    ["imports in comments", { "src/core/a.ts": '// import { x } from "../ops/x.ts";\n' }],
    ["words in an interface", { "src/core/a.ts": 'export interface A {\n  kind: "x";\n}' }],
    [
      "types that speak of each other",
      {
        "src/graph/op.ts": 'import type { Tensor } from "./tensor.ts";',
        "src/graph/tensor.ts": 'import { op } from "./op.ts";',
      },
    ],
    ["a cycle over what is loaded on demand", pair('const b = () => import("./b.ts");')],
  ])("%s", (_, files) => {
    expect(check(files)).toEqual([]);
  });
});

describe("checkArchitecture rejects", () => {
  test.each<[string, Files, string]>([
    [
      "what stands below",
      { "src/core/a.ts": 'import { x } from "../graph/x.ts";' },
      "src/core/a.ts: imports src/graph/x.ts",
    ],
    [
      "a node from what an op is on a device",
      { "src/forms/a.ts": 'import type { Node } from "../graph/node.ts";' },
      "src/forms/a.ts: imports src/graph/node.ts",
    ],
    [
      "a type that stands below",
      { "src/graph/a.ts": 'import type { X } from "../engine/x.ts";' },
      "src/graph/a.ts: imports src/engine/x.ts",
    ],
    [
      "devices from an op, over several lines",
      { "src/ops/a.ts": 'import {\n  x,\n  y,\n} from "../devices/cpu/x.ts";' },
      "src/ops/a.ts: imports src/devices/cpu/x.ts",
    ],
    [
      "a package",
      { "src/data/a.ts": 'import { parse } from "some-package/sync";' },
      "src/data/a.ts: imports some-package/sync",
    ],
    [
      "one part from another",
      { "src/optim/a.ts": 'export { x } from "../nn/x.ts";' },
      "src/optim/a.ts: imports src/nn/x.ts",
    ],
    [
      "losses from a module",
      { "src/nn/a.ts": 'import { x } from "../losses/x.ts";' },
      "src/nn/a.ts: imports src/losses/x.ts",
    ],
    [
      "modules from a loss",
      { "src/losses/a.ts": 'import { x } from "../nn/x.ts";' },
      "src/losses/a.ts: imports src/nn/x.ts",
    ],
    [
      "callbacks from the loop",
      { "src/train/a.ts": 'import { x } from "../callbacks/x.ts";' },
      "src/train/a.ts: imports src/callbacks/x.ts",
    ],
    [
      "a list of exports from within",
      { "src/losses/a.ts": 'import { x } from "../ops/index.ts";' },
      "src/losses/a.ts: imports src/ops/index.ts",
    ],
    [
      "the index from within",
      { "src/nn/a.ts": 'import { x } from "../index.ts";' },
      "src/nn/a.ts: imports src/index.ts",
    ],
    [
      "an import for its effect",
      { "src/core/a.ts": 'import "../ops/x.ts";' },
      "src/core/a.ts: imports src/ops/x.ts",
    ],
    [
      "what is loaded on demand",
      { "src/core/a.ts": 'const x = await import("../ops/x.ts");' },
      "src/core/a.ts: imports src/ops/x.ts",
    ],
    [
      "a runtime dependency",
      { "src/core/a.ts": 'import chunk from "lodash";' },
      "src/core/a.ts: imports lodash",
    ],
    [
      "a file from outside src/ and shaders/",
      { "src/core/a.ts": 'import { x } from "../../test/x.ts";' },
      "src/core/a.ts: imports test/x.ts",
    ],
    [
      "a folder that no rule speaks of",
      { "src/misc/a.ts": "" },
      "src/misc/a.ts: folder misc has no place in the layers",
    ],
    [
      "a cycle",
      pair('import { b } from "./b.ts";'),
      "cycle: src/core/a.ts → src/core/b.ts → src/core/a.ts",
    ],
    [
      "a cycle of types",
      pair('import type { B } from "./b.ts";'),
      "cycle: src/core/a.ts → src/core/b.ts → src/core/a.ts",
    ],
    [
      "values where types may speak of each other",
      {
        "src/graph/op.ts": 'import { tensor } from "./tensor.ts";',
        "src/graph/tensor.ts": 'import { op } from "./op.ts";',
      },
      "cycle: src/graph/op.ts → src/graph/tensor.ts → src/graph/op.ts",
    ],
    [
      "a shader that nobody uses",
      usedShader("export const a = 1;"),
      "shaders/a.wgsl: no file in src/ imports it",
    ],
  ])("%s", (_, files, breach) => {
    expect(check(files)).toEqual([breach]);
  });
});

function pair(statement: string): Files {
  return { "src/core/a.ts": statement, "src/core/b.ts": 'export { a } from "./a.ts";' };
}

function usedShader(statement: string): Files {
  return { "shaders/a.wgsl": "fn f() {}", "src/kernels/a.ts": statement };
}
