import { beforeAll, describe, expect, test } from "vitest";
import { type Device, scan, setDefaultDevice } from "../../src/index.ts";
import { loopCases } from "../cases/loops.ts";
import { cpuEngines } from "../support/cpu-engines.ts";
import { expectNear, loopOutcome } from "../support/loop-outcome.ts";
import { plainScan } from "../support/plain-scan.ts";

let engines: Record<"compiled" | "plain", Device>;
beforeAll(async () => {
  engines = await cpuEngines();
  setDefaultDevice(engines.plain);
});

describe.each(loopCases)("scan: $name", (one) => {
  test("gives values, gradients and their gradients as the unrolled loop does", async () => {
    const expected = await loopOutcome(one, plainScan, engines.plain, "f64");
    expectNear(await loopOutcome(one, scan, engines.plain, "f64"), expected, 1e-12);
    expectNear(await loopOutcome(one, scan, engines.compiled, "f64"), expected, 1e-12);
    expectNear(await loopOutcome(one, scan, engines.compiled, "f32"), expected, 2e-5);
  });
});

test("the table has what it is to compare", () => {
  expect(loopCases.length).toBeGreaterThan(15);
});
