import { beforeAll, describe, expect, test } from "vitest";
import { jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { opsOf } from "../../src/engine/group-ops.ts";
import { lower } from "../../src/engine/lower.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  abs,
  add,
  compile,
  type Device,
  div,
  evaluate,
  grad,
  init,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  moments,
  mul,
  softmax,
  sqrt,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { KERNEL_KINDS, kernelKinds } from "../support/kernel-kinds.ts";
import { TRAITS } from "../support/plan-kernels.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const wave = (rows: number, length: number, phase = 0, on = device) =>
  tensor(
    Float32Array.from({ length: rows * length }, (_, i) => 3 * Math.sin(phase + 1.7 * i)),
    { shape: [rows, length], device: on },
  );

const rows = { axis: 1 };
const column = { axis: 1, keepDims: true };

/** The schedule of a GPU with workgroup memory. */
function scheduled(wanted: readonly Tensor[], limit: number) {
  const { program } = trace(
    wanted.map(({ node }) => node),
    "test",
  );
  return scheduleOf(lower(simplify(program), TRAITS.workgroup), limit);
}

/** The ops of each group. */
function groups(wanted: readonly Tensor[], limit = 10): string[] {
  const schedule = scheduled(wanted, limit);
  return schedule.groups.map((group) => opsOf(schedule, group).join("+"));
}

/** What is made of one row by ops that one kernel computes. */
const joined: Record<string, [(x: Tensor) => Tensor[], groups: string[]]> = {
  "a sum, that of squares and the largest": [
    (x) => [sum(x, rows), sum(square(x), rows), max(x, rows)],
    ["sum+square+sum+max"],
  ],
  "both ends": [(x) => [max(x, rows), min(x, rows)], ["max+min"]],
  "mean and variance from the mean of squares": [
    (x) => {
      const center = mean(x, rows);
      return [center, sub(mean(square(x), rows), square(center))];
    },
    ["sum+div+square+sum+div+square+sub"],
  ],
  "a softmax and the logarithm of its sum": [
    (x) => [softmax(x), logSumExp(x, rows)],
    ["softmax+logSumExp"],
  ],
  "a softmax, its logarithm, and that of its sum": [
    (x) => [logSumExp(x, rows), logSoftmax(x), softmax(x)],
    ["softmax+logSoftmax+logSumExp"],
  ],
  "an entropy's terms": [
    (x) => [mul(softmax(x), logSoftmax(x)), logSumExp(x, rows)],
    ["softmax+logSoftmax+mul+logSumExp"],
  ],
  "a softmax with what follows, and the logarithm of its sum": [
    (x) => [mul(softmax(x), x), div(logSumExp(x, rows), 2)],
    ["softmax+mul+logSumExp+div"],
  ],
};

describe.runIf(!inBrowser)("a schedule", () => {
  test.each(Object.entries(joined))("has %s in one kernel", (_, [ops, expected]) => {
    expect(groups(ops(wave(6, 40))).map((names) => names.split("+").sort())).toEqual(
      expected.map((names) => names.split("+").sort()),
    );
  });

  const twice: Record<string, (x: Tensor) => [Tensor, Tensor]> = {
    "a softmax and the logarithm of its sum": (x) => [softmax(x), logSumExp(x, column)],
    "a mean and a variance": (x) => {
      const { mean, variance } = moments(x, column);
      return [mean, variance];
    },
  };
  test.each(Object.entries(twice))("knows %s apart, and what is made of them", (_, both) => {
    const [first, second] = both(wave(6, 40));
    const wanted = [first, second, mul(first, 2), mul(second, 3)];
    const { groups, resultAt } = scheduled(wanted, 10);
    expect(groups).toHaveLength(1);
    const [{ anchors, outputs }] = groups;
    expect(outputs.map((step) => resultAt(anchors, step)).sort()).toEqual([0, 0, 1, 1]);
  });

  test("has the sums of a gradient's rows in one kernel, of which one reads more", () => {
    const [x, g] = [wave(6, 40), wave(6, 40, 1)];
    expect(groups([sum(g, rows), sum(mul(g, x), rows)])).toHaveLength(1);
    expect(groups([sum(x, rows), sum(g, rows)])).toEqual(["sum", "sum"]); // other rows
    expect(groups([sum(mul(x, g), rows), sum(mul(x, wave(6, 40, 2)), rows)])).toHaveLength(2);
  });

  test("keeps apart what has other rows, kernels, dtypes or buffers too many", () => {
    const x = wave(6, 40);
    expect(groups([sum(x, rows), sum(x, { axis: 0 })])).toHaveLength(2);
    expect(groups([softmax(x), softmax(mul(x, 2))])).toHaveLength(2);
    expect(groups([sum(x, rows), softmax(x)])).toHaveLength(2);
    const sums = (count: number) =>
      Array.from({ length: count }, (_, i) => sum(mul(x, i + 2), rows));
    expect(groups(sums(8))).toHaveLength(1);
    expect(groups(sums(9))).toHaveLength(2);
    expect(groups(sums(5), 4)).toHaveLength(2); // three of them and x, two and x
  });

  test("lets nobody wait for a sibling: what comes late stays apart", () => {
    const x = wave(6, 40);
    const late = sum(mul(x, softmax(mul(softmax(x), x))), rows);
    const names = groups([sum(abs(x), rows), late]);
    expect(names).toContain("abs+sum");
  });

  test("needs the mean before the variance: three kernels by hand, two with moments", () => {
    const x = wave(6, 40);
    const normalized = (center: Tensor, variance: Tensor) =>
      div(sub(x, center), sqrt(add(variance, 1e-5)));
    const center = mean(x, column);
    expect(groups([normalized(center, mean(square(sub(x, center)), column))])).toHaveLength(3);
    const known = moments(x, column);
    expect(groups([normalized(known.mean, known.variance)])).toHaveLength(2);
  });

  test("has the first half of long rows' sums in one kernel too", () => {
    const x = wave(2, 9000);
    expect(groups([sum(x, rows), max(x, rows)])).toEqual(["sum+max", "sum", "max"]);
  });

  test("gives a joined kernel the workgroup memory of all", () => {
    const [x] = [wave(6, 400)];
    const { program } = trace([sum(x, rows).node, max(x, rows).node, min(x, rows).node], "test");
    const jobs = jobsOf(scheduleOf(simplify(program), 8), byRule(TRAITS.workgroup));
    expect(jobs.map(({ stage }) => stage.memory)).toEqual([3 * 4 * 64]);
  });
});

describe.runIf(inBrowser).each(KERNEL_KINDS)("on %s kernels", (kind) => {
  let gpu: Device;
  let cpu: Device;
  beforeAll(async () => {
    gpu = (await kernelKinds())[kind];
    cpu = (await init({ device: "cpu", isolated: true })).device;
  });

  test.each(Object.entries(joined))("%s are what they are alone, bit by bit", async (_, [ops]) => {
    for (const [count, length] of [
      [5, 37],
      [3, 300],
    ]) {
      const x = wave(count, length, 0, gpu);
      const together = compile((x: Tensor) => ops(x));
      const values = await Promise.all((await together(x)).map((y) => y.data()));
      for (const [i, value] of values.entries()) {
        const alone = compile((x: Tensor) => ops(x)[i]);
        expect(await (await alone(x)).data()).toEqual(value);
      }
    }
  });

  test("masked, huge and infinite rows have the softmax and the sum that they have alone", async () => {
    const odd = [
      [1, 2, Number.NEGATIVE_INFINITY],
      [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY],
      [1, Number.POSITIVE_INFINITY, 2],
      [Number.NaN, 1, 2],
      [1e4, -1e4, 9999],
    ];
    const x = tensor(odd, { device: gpu });
    const both = [softmax(x), logSumExp(x, rows)];
    evaluate(...both);
    const [soft, logs] = await Promise.all(both.map((y) => y.toArray()));
    expect(logs).toEqual(await logSumExp(x, rows).toArray());
    expect(soft).toEqual(await softmax(x).toArray());
    const { NaN: none } = Number;
    expect((soft as number[][]).slice(1, 4)).toEqual([1, 2, 3].map(() => [none, none, none]));
    expect((logs as number[]).slice(1, 4)).toEqual([-Infinity, Infinity, none]);
  });

  test("a gradient through joined ops is that of the CPU", async () => {
    const slope = (x: Tensor) => {
      const total = add(sum(square(x), rows), mul(max(x, rows), logSumExp(x, rows)));
      return grad(sum(add(total, sum(mul(softmax(x), x), rows))), [x])[0];
    };
    const [actual, expected] = await Promise.all(
      [gpu, cpu].map((on) => slope(wave(4, 50, 0, on)).data()),
    );
    for (const [i, value] of expected.entries()) expect(actual[i]).toBeCloseTo(value, 4);
  });
});
