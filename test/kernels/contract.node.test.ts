import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { runInNewContext } from "node:vm";
import { beforeAll, describe, expect, test } from "vitest";
import type { Kernel, KernelChoice, Stage } from "../../src/forms/kernel.ts";
import { choicesOf } from "../../src/kernels/candidates.ts";
import { lanePlaces } from "../../src/kernels/lane-places.ts";
import { directProducts, moreTiles } from "../../src/kernels/matmul.ts";
import { stageOf } from "../../src/kernels/stage.ts";
import { families, laneFamilies, type Tried } from "../support/kernel-families.ts";

const root = join(import.meta.dirname, "../..");
const read = (file: string) => readFileSync(join(root, file), "utf8");

beforeAll(async () => {
  await Promise.all([directProducts.get(), moreTiles.get()]);
});

const all = Object.values<Tried>({ ...families, ...laneFamilies });

/** Each way to run each kernel, on each problem. */
function stages(): Stage[] {
  return all.flatMap(({ family, problems, own }) =>
    choicesOf(family).flatMap((choice: KernelChoice) =>
      problems.map((problem) => stageOf(choice, problem, own)),
    ),
  );
}

/** The stages of each kernel by the file with its entry point. */
function byFile(): Map<string, Stage[]> {
  const found = new Map<string, Stage[]>();
  for (const stage of stages()) {
    const { name } = mainFile(stage.kernel);
    found.set(name, [...(found.get(name) ?? []), stage]);
  }
  return found;
}

function mainFile({ files }: Kernel) {
  return files[files.length - 1];
}

/** The files of `shaders/` that are no parts of others. */
const mainFiles = readdirSync(join(root, "shaders"))
  .filter((name) => name.endsWith(".wgsl"))
  .map((name) => `shaders/${name}`);

test("every file with an entry point has a kernel", () => {
  expect([...byFile().keys()].sort()).toEqual(mainFiles.sort());
});

/** Runs WGSL's constant declarations as JavaScript; gives what an expression is then. */
function evaluate(stage: Stage, code: string, expression: string): number {
  const constants = Object.entries(stage.constants).map(([name, n]) => `var ${name} = ${n};`);
  // Divisions of u32 lose the rest; no other operator here differs from JavaScript's.
  const own = [...code.matchAll(/^const (\w+) = (.*);$/gm)].map(([, name, value]) =>
    value.includes("firstTrailingBit") || value.includes("countLeading")
      ? ""
      : `var ${name} = Math.floor(${value});`,
  );
  const text = [...constants, ...own, `(${expression})`].join("\n");
  return runInNewContext(text.replace(/\b(\d+)u\b/g, "$1"), { min: Math.min });
}

/** Bytes of a WGSL type: of scalars, vectors and the files' own names. */
function bytesOf(type: string, code: string): number {
  const [, counter] = /^atomic<(\w+)>$/.exec(type) ?? [];
  if (counter) return bytesOf(counter, code);
  const vector = /^vec([234])(?:<(\w+)>|[fiu])$/.exec(type);
  if (vector) return (vector[1] === "3" ? 4 : Number(vector[1])) * 4;
  if (["Acc", "f32", "i32", "u32"].includes(type)) return 4;
  const alias = new RegExp(`^alias ${type} = (\\S+);`, "m").exec(code);
  if (alias) return bytesOf(alias[1], code);
  const [, fields] = new RegExp(`^struct ${type} \\{([^}]*)\\}`, "m").exec(code) ?? [];
  const types = [...(fields ?? "").matchAll(/: (\S+),/g)];
  if (types.length > 0) return types.reduce((sum, [, field]) => sum + bytesOf(field, code), 0);
  throw new Error(`bytesOf: ${type}; expected a type whose size is known`);
}

describe("a kernel's workgroup memory is what its files declare", () => {
  test.each(mainFiles)("%s", (file) => {
    for (const stage of byFile().get(file) as Stage[]) {
      const code = stage.kernel.files.map(({ source }) => source).join("\n");
      const declared = [...code.matchAll(/^var<workgroup> \w+: array<(.+), (.+)>;$/gm)];
      expect(code.match(/var<workgroup>/g)?.length ?? 0).toBe(declared.length);
      const bytes = declared.map(([, type, n]) => bytesOf(type, code) * evaluate(stage, code, n));
      expect(stage.memory ?? 0, JSON.stringify(stage.constants)).toBe(
        bytes.reduce((sum, n) => sum + n, 0),
      );
      const { kind, files } = stage.kernel;
      expect((stage.memory ?? 0) > 0).toBe(kind === "workgroup" || files.includes(lanePlaces));
    }
  });
});

/** A paragraph of a header that begins with a word: `Constants`, `Functions` or the like. */
function paragraph(header: string, word: string): string {
  const lines = header.split("\n");
  const first = lines.findIndex((line) => line.startsWith(`// ${word}`));
  if (first < 0) return "";
  const rest = lines.slice(first + 1);
  const end = rest.findIndex((line) => !line.startsWith("//   "));
  return [lines[first], ...rest.slice(0, end)].join("\n").replace(/\n\/\/ +/g, " ");
}

/** What stands in front of a file's code. */
function headerOf(file: string): string {
  return read(file).split(/\n(?!\/\/)/)[0];
}

const unique = (names: Iterable<string>) => [...new Set(names)].sort();

describe("a kernel's header tells what its value has", () => {
  test.each(mainFiles)("%s", (file) => {
    const header = headerOf(file);
    const all = byFile().get(file) as Stage[];
    const { kernel, loads, results } = all[0];
    // Constants: what is not in brackets; the type behind them is a sentence of its own.
    const constants = paragraph(header, "Constants:")
      .replace(/\([^()]*\)/g, "")
      .replace(/=[^,.]*/g, "");
    const names = all.flatMap((stage) => Object.keys(stage.constants));
    expect(unique(constants.match(/\b[A-Z][A-Z_]+\b|\b[MNK]\b/g) ?? [])).toEqual(unique(names));
    const functions = paragraph(header, "Functions:");
    for (const [name, head] of Object.entries(kernel.functions ?? {})) {
      expect(functions).toContain(`${name}${head}`);
    }
    const given = functions.match(/\b\w+(?=\([^)]*\) ->)/g) ?? [];
    expect(unique(given)).toEqual(unique(Object.keys(kernel.functions ?? {})));
    if (file === "shaders/elementwise.wgsl") return; // what it calls is made of the group's ops
    const parts = kernel.files.slice(0, -1).map(({ name }) => name);
    const accessors = [file, ...parts].map((name) => paragraph(headerOf(name), "Accessors:"));
    const called = accessors.join(" ").match(/\b(?:load|store)_[a-z]+/g) ?? [];
    expect(unique(called)).toEqual(
      unique([
        ...loads.map(({ name }) => `load_${name}`),
        ...results.map(({ name }) => `store_${name}`),
      ]),
    );
    for (const name of parts) expect(header).toContain(name.replace("shaders/", ""));
  });
});

test("entry points are main(id, count, local), which parts of a kernel are called by", () => {
  for (const file of mainFiles) {
    const [, parameters] = /@compute @workgroup_size\(WORKGROUP\)\s+fn main\(([^{]*)\{/.exec(
      read(file),
    ) as RegExpExecArray;
    expect(parameters.match(/@builtin\(\w+\) \w+/g)).toEqual([
      "@builtin(workgroup_id) id",
      "@builtin(num_workgroups) count",
      "@builtin(local_invocation_index) local",
    ]);
  }
});

describe("every candidate", () => {
  test("has a workgroup of a power of two, and is there once", () => {
    for (const { family } of all) {
      const keys = choicesOf(family).map(({ kernel, candidate }) =>
        JSON.stringify([kernel.files.map(({ name }) => name), kernel.kind, candidate]),
      );
      expect(unique(keys).length).toBe(keys.length);
      for (const { candidate } of choicesOf(family)) {
        expect(Math.log2(candidate.WORKGROUP) % 1).toBe(0);
      }
    }
  });
});

/** The table of docs/kernels.md. */
function table(): string {
  const kernels = all.flatMap(({ family, problems, own }) =>
    family.kernels.map((kernel) => ({ kernel, problem: problems[0], own })),
  );
  // Kernels of the same files stand in one line.
  const byFiles = new Map<string, (typeof kernels)[number][]>();
  for (const one of kernels) {
    const key = JSON.stringify(one.kernel.files.map(({ name }) => name));
    byFiles.set(key, [...(byFiles.get(key) ?? []), one]);
  }
  const lines = [...byFiles.values()].map((same) => {
    const [{ kernel, problem, own }] = same;
    const { kind, files } = kernel;
    const candidates = same.flatMap(({ kernel }) => kernel.candidates);
    const sizes = unique(candidates.flatMap((candidate) => Object.keys(candidate)));
    const cells = sizes.map((name) => {
      const values = candidates.map((candidate) => candidate[name]);
      return `${name} ${[...new Set(values)].join(", ")}`;
    });
    const bytes = candidates.map(
      (candidate) => stageOf({ kernel, candidate }, problem, own).memory,
    );
    const names = files.map(({ name }) => `\`${name.replace("shaders/", "")}\``).reverse();
    const memory = [...new Set(bytes)].join(", ");
    return `| ${names.join(", ")} | ${kind} | ${cells.join("; ")} | ${memory || 0} |`;
  });
  return lines.join("\n");
}

test("docs/kernels.md lists the kernels as they are", () => {
  expect(read("docs/kernels.md")).toContain(`|---|---|---|---|\n${table()}\n`);
});
