import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, expect, test } from "vitest";
import { firstProgram } from "../support/programs.ts";

const root = join(import.meta.dirname, "../..");
const docs = join(root, "build/docs");
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
const entries = Object.keys(exports).filter((name) => /^\.(\/\w+)?$/.test(name));

beforeAll(() => {
  // Ends with a status that throws here where it has a warning.
  execFileSync(process.execPath, [join(root, "tools/docs.mjs")], { stdio: "pipe" });
}, 120_000);

/** The source of an entry. */
function sourceOf(entry: string): string {
  return join(root, exports[entry].types.replace("dist/types", "src").replace(".d.ts", ".ts"));
}

/** What the source of an entry exports, types too, without what it hands on by `*`. */
async function exportsOf(entry: string): Promise<string[]> {
  const values = Object.keys(await import(sourceOf(entry)));
  const text = readFileSync(sourceOf(entry), "utf8");
  const statements = text.match(/^export (type )?\{[^}]*\}/gm) ?? [];
  const types = statements.flatMap((one) =>
    one.startsWith("export type")
      ? [...one.matchAll(/\w+(?=,| \}|,?\n\})/g)].map(([name]) => name)
      : [...one.matchAll(/\btype (\w+)/g)].map(([, name]) => name),
  );
  const declared = [...text.matchAll(/^export (?:type|interface) (\w+)/gm)].map(([, name]) => name);
  return [...values, ...types, ...declared];
}

test("the reference has the README in front, a page of each document and one of each entry", () => {
  const front = readFileSync(join(docs, "index.html"), "utf8");
  expect(front).toContain("is Latin for a step");
  const training = readFileSync(join(docs, "documents/training.html"), "utf8");
  expect(training).toContain("<h1");
  for (const entry of entries) {
    const page = `modules/gradus${entry.slice(1).replace("/", "_")}.html`;
    expect(readFileSync(join(docs, page), "utf8"), entry).toContain("<h1");
  }
  expect(readFileSync(join(docs, "functions/gradus.softmax.html"), "utf8")).toContain("softmax");
});

test("llms.txt has a program that runs, and each export of each entry in a line", async () => {
  const text = readFileSync(join(docs, "llms.txt"), "utf8");
  expect(text).toContain(firstProgram);
  expect(text).toContain("**Gradients are asked for**");
  expect(text).toContain("\nadd(a: Tensor | number, b: Tensor | number) // a + b\n");
  expect(text).not.toMatch(/\[object|: undefined\b|as in undefined|\n{3}/);
  const sections = new Map(
    text
      .split("\n### ")
      .slice(1)
      .map((part) => [part.split("\n")[0], part]),
  );
  expect([...sections.keys()]).toEqual(entries.map((name) => `gradus${name.slice(1)}`));
  for (const entry of entries) {
    const lines = sections.get(`gradus${entry.slice(1)}`) ?? "";
    const named = new Set([...lines.matchAll(/^(?:class |type )?(\w+)/gm)].map(([, x]) => x));
    const all = await exportsOf(entry);
    expect(all.length, entry).toBeGreaterThan(0);
    expect(
      all.filter((name) => !named.has(name)),
      entry,
    ).toEqual([]);
  }
});

test("llms.txt leaves most of an assistant's memory to the program", () => {
  expect(readFileSync(join(docs, "llms.txt")).length).toBeLessThan(125_000); // some 32,000 tokens
});
