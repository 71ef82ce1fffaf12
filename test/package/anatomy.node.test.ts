import { mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { expect, test, vi } from "vitest";
import { EngineDevice } from "../../src/engine/device.ts";
import { formsOf } from "../support/anatomy.ts";
import { programs } from "../support/programs.ts";

const PAGE = "docs/anatomy.md";

/** What the page calls tensors of these shapes. */
const NAMES = { "32,20": "x", "20,10": "w", "10": "b" };

// `vitest run --project node test/package/anatomy -u` writes the page anew.
test("the page shows the forms that its program takes", async () => {
  const [program] = programs(PAGE);
  const file = "build/anatomy/program.ts";
  mkdirSync("build/anatomy", { recursive: true });
  writeFileSync(file, program);
  const plan = vi.spyOn(EngineDevice.prototype, "plan");
  const log = vi.spyOn(console, "log").mockImplementation(() => {});
  await import(/* @vite-ignore */ `../../${file}`);
  log.mockRestore();
  const forms = new Map(Object.entries(await formsOf(plan.mock.calls[0][0], NAMES)));
  const shown = new Set<string>();
  const page = readFileSync(PAGE, "utf8").replace(
    /```(text|wgsl|wat) (\w+)\n.*?```/gs,
    (_, language: string, name: string) => {
      shown.add(name);
      return `\`\`\`${language} ${name}\n${forms.get(name)}\n\`\`\``;
    },
  );
  expect([...shown]).toEqual([...forms.keys()]);
  await expect(page).toMatchFileSnapshot(`../../${PAGE}`);
});
