import { expect, test } from "vitest";
import type { Result } from "../../bench/harness/report.ts";
import { geometricMeans, ratioInWords } from "../../site/bench/summary.ts";

test("ratios are said as what is faster or slower", () => {
  expect(ratioInWords(9.26)).toBe("9.26× slower");
  expect(ratioInWords(0.108)).toBe("9.26× faster");
});

test("the geometric mean of 2 and 8 is 4, and what was not timed counts for nothing", () => {
  const result = (peer: string, ratio?: number) =>
    ({ peer, ratios: ratio === undefined ? {} : { "gradus-webgpu": ratio } }) as unknown as Result;
  const [found, ...others] = geometricMeans([
    result("tfjs-cpu", 2),
    result("tfjs-cpu", 8),
    result("tfjs-wasm"),
    result("gradus-webgpu", 3),
  ]);
  expect(found.mean).toBeCloseTo(4, 12);
  expect([found.peer, found.count]).toEqual(["tfjs-cpu", 2]);
  expect(others).toEqual([]);
});
