import { mkdirSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { pages, programs, promised } from "../support/programs.ts";

for (const page of pages) {
  for (const [i, code] of programs(page).entries()) {
    test(`${page}, program ${i + 1} runs and prints what it says`, async () => {
      const folder = "build/examples";
      mkdirSync(folder, { recursive: true });
      const file = `${folder}/${page.replace(/\W/g, "-")}-${i}.ts`;
      writeFileSync(file, code);
      const log = vi.spyOn(console, "log").mockImplementation(() => {});
      try {
        await import(/* @vite-ignore */ `../../${file}`);
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
