import { beforeAll, describe, expect, test } from "vitest";
import numerics from "../../docs/numerics.md?raw";
import type { Device } from "../../src/index.ts";
import { tables } from "../cases/tables.ts";
import { isAcceptance } from "../support/acceptance.ts";
import { cpuEngines } from "../support/cpu-engines.ts";
import { excesses, isAbove, LIMIT, type Line, linesIn, readLine } from "../support/error-table.ts";
import { largestCall } from "../support/special-values.ts";

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  ({ plain, compiled } = await cpuEngines());
});

const lines = linesIn(numerics);
const allowed = new Map([...lines.values()].map((text) => readLine(text) as [string, Line]));

test("the table has a line for every op, loss and metric, which npm run numerics -- --missing writes", () => {
  expect([...lines.keys()]).toEqual(tables.map(([name]) => name));
});

test("the page says why some err by more than 1e-6, and of no others", () => {
  const [, section] = numerics.split("### Why some err by more");
  const explained = new Set(Array.from(section.matchAll(/`(\w+)`/g), ([, name]) => name));
  const above = [...allowed].filter(([, own]) => isAbove(own, LIMIT)).map(([name]) => name);
  expect([...explained].sort()).toEqual(above.sort());
});

describe("the CPU device errs by no more than the table says", () => {
  for (const [name, row] of tables) {
    const largest = largestCall(row);
    const calls = isAcceptance ? row.calls : largest ? [largest] : [];
    if (calls.length === 0 || !allowed.has(name)) continue;
    test(name, async () => {
      const devices = { CPU: compiled, plain };
      const own = allowed.get(name) as Line;
      expect(await excesses(row, calls, devices, plain, own)).toEqual([]);
    });
  }
});
