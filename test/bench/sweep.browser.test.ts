import { expect, test } from "vitest";
import { type Swept, sweepCandidates, sweptText } from "../../bench/kernels/sweep.ts";

test("a sweep times every candidate, and marks the one that the rules take", async () => {
  const told: Swept[] = [];
  const report = await sweepCandidates(
    { only: /^(softmax|matmul)$/, most: 1000 },
    (swept, soFar) => {
      told.push(swept);
      expect(soFar.swept).toEqual(told);
    },
  );
  expect(report).toMatchObject({ format: "gradus-candidates/1", adapter: { software: true } });
  expect(report.swept).toEqual(told);
  expect(told.map(({ family, sizes }) => [family, sizes])).toEqual([
    ["softmax", { ROWS: 100, LENGTH: 10, EACH: 1 }],
  ]);
  const [{ candidates }] = told;
  expect(candidates.length).toBeGreaterThan(3);
  expect(candidates.filter(({ taken }) => taken)).toHaveLength(1);
  for (const { milliseconds = 0, failed } of candidates) {
    expect(failed).toBeUndefined();
    expect(milliseconds).toBeGreaterThan(0);
  }
  expect(candidates.map(({ file }) => file)).toContain("shaders/softmax-lanes.wgsl");
  const lines = sweptText(told[0]).split("\n");
  expect(lines[0]).toBe("softmax ROWS 100 LENGTH 10 EACH 1");
  expect(lines.filter((line) => /^\* softmax-direct WORKGROUP 16 +\d/.test(line))).toHaveLength(1);
});

test("a sweep that is stopped has what it timed", async () => {
  const { swept } = await sweepCandidates({ signal: AbortSignal.abort() }, () => {});
  expect(swept).toEqual([]);
});
