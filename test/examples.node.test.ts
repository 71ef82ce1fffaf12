import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

const pages = [
  "README.md",
  ...readdirSync("docs")
    .filter((f) => f.endsWith(".md"))
    .map((f) => `docs/${f}`),
];

/** The TypeScript programs of a page: a block that calls `init` begins one, others go on with it. */
function programs(page: string): string[] {
  const found: string[] = [];
  for (const [, block] of readFileSync(page, "utf8").matchAll(/```ts\n(.*?)```/gs)) {
    if (/\binit\(/.test(block) || found.length === 0) found.push(block);
    else found[found.length - 1] += block;
  }
  return found;
}

/** What a program says that it prints: the end of each line from `// → `. */
function promised(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)/g)].map((match) => match[1]);
}

for (const page of pages) {
  for (const [i, code] of programs(page).entries()) {
    test(`${page}, program ${i + 1} runs and prints what it says`, async () => {
      const folder = "build/examples";
      mkdirSync(folder, { recursive: true });
      const file = `${folder}/${page.replace(/\W/g, "-")}-${i}.ts`;
      writeFileSync(file, code);
      const log = vi.spyOn(console, "log").mockImplementation(() => {});
      try {
        await import(/* @vite-ignore */ `../${file}`);
        expect(log).toHaveBeenCalled();
        const printed = log.mock.calls.map((values) => values.join(" "));
        const lines = promised(code);
        if (lines.length > 0) expect(printed).toEqual(lines);
      } finally {
        log.mockRestore();
      }
    }, 120_000);
  }
}
