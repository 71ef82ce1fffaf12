import { beforeAll, expect, test } from "vitest";
import { add, customGrad, type Device, mul, type Tensor } from "../../../src/index.ts";
import { cases } from "../../cases/ops.ts";
import { tables } from "../../cases/tables.ts";
import { isAcceptance } from "../../support/acceptance.ts";
import { fuzzChains } from "../../support/chain-fuzz.ts";
import { cpuEngines } from "../../support/cpu-engines.ts";
import { chainDifference, planOf } from "../../support/random-chain.ts";

let plain: Device;
let compiled: Device;
beforeAll(async () => {
  ({ plain, compiled } = await cpuEngines());
});

test("chains of ops, drawn at random, give what the specification gives", async () => {
  const count = isAcceptance ? 500 : 12;
  expect(await fuzzChains(compiled, plain, { seed: 1, count })).toBe("");
});

test("every op, loss and metric is drawn", async () => {
  const never: string[] = [];
  for (const row of tables) {
    let steps = 0;
    for (let word = 0; word < 20 && steps === 0; word++) {
      steps = (await planOf([word], plain, [row])).steps.length;
    }
    if (steps === 0) never.push(row[0]);
  }
  expect(never).toEqual([]);
});

/** The same value, with a slope that is a thousandth too large. */
const steeper = customGrad(
  (x: Tensor) => add(x, 0),
  (g) => [mul(g, 1.001)],
);

test.each([
  ["a result", /^result [012] /, (y: Tensor) => mul(y, 1.001)],
  ["a gradient", /^result [34] /, steeper],
])("%s that is a thousandth too large is told", async (_, told, change) => {
  const plan = await planOf([1, 2, 3], plain, [["sigmoid", cases.sigmoid]]);
  expect(plan.targets.length).toBeGreaterThan(0);
  expect(await chainDifference(plan, compiled, plain)).toBe("");
  const steps = plan.steps.map((step) => ({
    ...step,
    run: (...x: Tensor[]) => change(step.run(...x)),
  }));
  const found = await chainDifference(plan, compiled, plain, { ...plan, steps });
  expect(found).toMatch(told);
});
