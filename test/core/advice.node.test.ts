import { expect, test } from "vitest";
import * as advice from "../../src/core/advice.ts";
import * as none from "../../src/core/no-advice.ts";

test("builds for production have each name of advice, and say nothing", () => {
  expect(Object.keys(none).sort()).toEqual(Object.keys(advice).sort());
  for (const said of Object.values(none)) {
    expect(typeof said === "string" ? said : (said as () => unknown)()).toBe("");
  }
});
