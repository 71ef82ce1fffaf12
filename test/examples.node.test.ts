import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";

const pages = [
  "README.md",
  ...readdirSync("docs")
    .filter((f) => f.endsWith(".md"))
    .map((f) => `docs/${f}`),
];

/** The TypeScript blocks of a page. */
function examples(page: string): string[] {
  return [...readFileSync(page, "utf8").matchAll(/```ts\n(.*?)```/gs)].map((match) => match[1]);
}

for (const page of pages) {
  for (const [i, code] of examples(page).entries()) {
    test(`${page}, example ${i + 1} runs`, async () => {
      const folder = "build/examples";
      mkdirSync(folder, { recursive: true });
      const file = `${folder}/${page.replace(/\W/g, "-")}-${i}.ts`;
      writeFileSync(file, code);
      const log = vi.spyOn(console, "log").mockImplementation(() => {});
      await import(/* @vite-ignore */ `../${file}`);
      expect(log).toHaveBeenCalled();
      log.mockRestore();
    });
  }
}
