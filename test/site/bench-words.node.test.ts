import { expect, test } from "vitest";
import type { Result } from "../../bench/harness/report.ts";
import type { Task } from "../../bench/workloads/index.ts";
import { passesAt } from "../../site/bench/runs.ts";
import { seriesOf } from "../../site/bench/series.ts";
import { geometricMeans, ratioInWords } from "../../site/bench/summary.ts";

test("ratios are said as what is faster or slower", () => {
  expect(ratioInWords(9.26)).toBe("9.26× slower");
  expect(ratioInWords(0.108)).toBe("9.26× faster");
});

test("the geometric mean of 2 and 8 is 4, and what was not timed counts for nothing", () => {
  const result = (workload: string, peer: string, ratio?: number) =>
    ({
      ...{ workload, peer },
      ratios: ratio === undefined ? {} : { "gradus-webgpu": ratio },
    }) as unknown as Result;
  const [found, ort, ...others] = geometricMeans([
    result("a", "tfjs-cpu", 2),
    result("b", "tfjs-cpu", 8),
    result("b", "ort-wasm", 0.1),
    result("a", "tfjs-wasm"),
    result("a", "gradus-webgpu", 3),
  ]);
  expect(found.mean).toBeCloseTo(4, 12);
  expect([found.peer, found.count, found.of]).toEqual(["tfjs-cpu", 2, 2]);
  expect([ort.peer, ort.count, ort.of]).toEqual(["ort-wasm", 1, 2]); // which is not ranked
  expect(others).toEqual([]);
});

const passes = JSON.stringify({
  passes: [
    { place: "page", report: { cores: 2, results: [{ workload: "a", peer: "gradus-cpu" }] } },
    { place: "node", report: { cores: 4, results: [{ workload: "b", peer: "numpy" }] } },
    {
      place: "page",
      report: {
        cores: 2,
        results: [
          { workload: "a", peer: "gradus-cpu", figure: 7 },
          { workload: "a", peer: "tfjs-wasm" },
        ],
      },
    },
  ],
});

test("passes of one place are one report, each result once", () => {
  expect(passesAt("page", passes).results).toEqual([
    { workload: "a", peer: "gradus-cpu" },
    { workload: "a", peer: "tfjs-wasm" },
  ]);
  expect(passesAt("node", passes)).toMatchObject({ cores: 4, results: [{ peer: "numpy" }] });
});

test("curves are of libraries that were timed at several sizes, the small ones first", () => {
  const result = (n: number, peer: string, figure?: number) =>
    ({ workload: `matmul [${n},${n}]·[${n},${n}]`, peer, figure }) as unknown as Result;
  const sizeOf = (task: Task) => (task.kind === "matmul" && task.m === task.k ? task.n : null);
  const series = seriesOf(
    [
      result(512, "gradus-cpu", 20),
      result(128, "gradus-cpu", 10),
      result(256, "tfjs-cpu", 1),
      result(512, "tfjs-wasm"),
      result(128, "tfjs-wasm", 5),
    ],
    sizeOf,
  );
  expect([...series]).toEqual([
    [
      "gradus-cpu",
      [
        [128, 10],
        [512, 20],
      ],
    ],
  ]);
});
