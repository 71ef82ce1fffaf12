import fc from "fast-check";
import { beforeAll, describe, expect, test } from "vitest";
import { generate } from "../../src/devices/webgpu/codegen.ts";
import { type Job, jobsOf } from "../../src/devices/webgpu/jobs.ts";
import { pack } from "../../src/devices/webgpu/pack.ts";
import { statsTable } from "../../src/engine/explain.ts";
import { Group } from "../../src/engine/fusion.ts";
import { opsOf } from "../../src/engine/group-ops.ts";
import { type Lifetime, planMemory } from "../../src/engine/memory-plan.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { bytesAtOnce, bytesRead, flopsOf } from "../../src/engine/stats.ts";
import {
  add,
  argmax,
  div,
  exp,
  full,
  gather,
  grad,
  matmul,
  max,
  mul,
  neg,
  reshape,
  sigmoid,
  slice,
  softmax,
  sort,
  stopGradient,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
  variance,
} from "../../src/index.ts";
import { byRule } from "../../src/kernels/choose.ts";
import { directProducts } from "../../src/kernels/matmul.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

test("a kernel of many ops is called by its anchor and the last of them", () => {
  const w = full([4, 4], 0.5);
  let y = matmul(w, w);
  for (let i = 0; i < 4; i++) y = neg(exp(y));
  const { program } = trace([y.node], "test");
  const schedule = scheduleOf(simplify(program), 8);
  const traits = { workgroupMemory: false, threads: 64, quads: false };
  const { label } = generate(schedule, jobsOf(schedule, byRule(traits)));
  expect(label).toBe("matmul+…+neg+exp+neg+exp+neg");
});

test("a group's ops are named once, inputs first, without those that cost nothing", () => {
  const x = tensor([
    [1, 2, 3],
    [4, 5, 6],
  ]);
  const opsIn = (y: Tensor) => {
    const schedule = scheduleOf(simplify(trace([y.node], "test").program), 8);
    return schedule.groups.map((group) => opsOf(schedule, group));
  };
  const e = exp(x);
  expect(opsIn(add(reshape(e, [3, 2]), reshape(neg(e), [3, 2])))).toEqual([["exp", "neg", "add"]]);
  expect(opsIn(transpose(x))).toEqual([["permute"]]);
  expect(opsIn(sub(matmul(x, tensor([[1], [2], [3]])), 1))).toEqual([["matmul", "sub"]]);
});

test("a plan is described as a table", () => {
  const kernels = [
    {
      groups: [["matmul", "relu"], ["sum"]],
      flops: 16_240_000,
      bytes: 512,
      workgroups: 16,
      bindings: 4,
    },
    { groups: [["neg"]], flops: 0, bytes: 5e15, workgroups: 128, bindings: 12 },
  ];
  const stats = { dispatches: 2, flops: 1000, bytes: 999, kernels };
  expect(statsTable({ ...stats, peakBytes: 3000, lowerBoundBytes: 2000 })).toBe(
    [
      "2 dispatches, 1.00 kFLOP, 999 B read and written",
      "3.00 kB between kernels, 1.50 times what is needed at once",
      "",
      "#  workgroups  buffers    FLOP          B  groups",
      "1          16        4  16.2 M       512   matmul+relu | sum",
      "2         128       12      0   5.00e+3 T  neg",
    ].join("\n"),
  );
  const nameless = { groups: [], flops: 12, bytes: 3, workgroups: 7, bindings: 1 };
  const many = { ...stats, kernels: new Array(10).fill(nameless) };
  const lines = statsTable({ ...many, peakBytes: 5, lowerBoundBytes: 5 }).split("\n");
  expect(lines[1]).toBe("5 B between kernels, 1.00 times what is needed at once");
  expect(lines[4]).toBe(" 1           7        1   12   3");
  const none = { dispatches: 0, flops: 0, bytes: 0, peakBytes: 0, lowerBoundBytes: 0, kernels: [] };
  expect(statsTable(none)).toBe(
    [
      "0 dispatches, 0 FLOP, 0 B read and written",
      "0 B between kernels, 1.00 times what is needed at once",
      "",
      "#  workgroups  buffers  FLOP  B  groups",
    ].join("\n"),
  );
});

test("a plan of functions is described with what each has of its own, and with times", () => {
  const one = { flops: 12, bytes: 48, workgroups: 0, bindings: 0 };
  const kernels = [
    { ...one, groups: [["exp"]], function: "f1", scratch: 2048, units: 32 },
    { ...one, groups: [["sort"]], plain: "no code for sort" },
  ];
  const stats = { dispatches: 2, flops: 24, bytes: 96, peakBytes: 9, lowerBoundBytes: 9, kernels };
  const times = [1.25, 1234.5].map((duration) => ({ name: "", start: 0, duration }));
  const profile = { clock: "host", kernels: times } as const;
  expect(statsTable({ ...stats, engine: "WebAssembly" }, profile)).toBe(
    [
      "2 kernels of WebAssembly, 24 FLOP, 96 B read and written",
      "9 B between kernels, 1.00 times what is needed at once",
      "1236 µs in all, by the host's clock",
      "",
      "#  FLOP    B   own B  units    µs  function                 groups",
      "1   12   48   2.05 k     32  1.25  f1                       exp",
      "2   12   48       0          1235  plain: no code for sort  sort",
    ].join("\n"),
  );
});

describe("planMemory", () => {
  const lifetime = fc.record({
    bytes: fc.integer({ min: 1, max: 1000 }),
    first: fc.nat(20),
    length: fc.nat(8),
  });

  test("values in memory at once never share a slot, and every slot is large enough", () => {
    fc.assert(
      fc.property(fc.array(lifetime, { maxLength: 40 }), (drawn) => {
        const values = drawn.map(({ bytes, first, length }, key): Lifetime => {
          return { key, bytes, first, last: first + length };
        });
        const { slots, sizes } = planMemory(values);
        const lowerBound = bytesAtOnce(values);
        for (const a of values) {
          expect(sizes[slots.get(a.key) as number]).toBeGreaterThanOrEqual(a.bytes);
          for (const b of values) {
            const apart = a.last < b.first || b.last < a.first;
            if (a !== b && slots.get(a.key) === slots.get(b.key)) expect(apart).toBe(true);
          }
        }
        const live = (t: number) =>
          values.filter(({ first, last }) => first <= t && t <= last).map(({ bytes }) => bytes);
        const totals = Array.from({ length: 30 }, (_, t) => live(t).reduce((x, y) => x + y, 0));
        expect(lowerBound).toBe(Math.max(...totals));
        expect(sizes.reduce((x, y) => x + y, 0)).toBeGreaterThanOrEqual(lowerBound);
      }),
    );
  });

  test("a chain of equal values needs two slots", () => {
    const chain = Array.from({ length: 9 }, (_, key) => {
      return { key, bytes: 64, first: key, last: key + 1 };
    });
    expect(planMemory(chain).sizes).toEqual([64, 64]);
    expect(bytesAtOnce(chain)).toBe(128);
  });
});

describe("pack", () => {
  function job(after: Job[], reads: number[], writes: number[], threads = 64, memory = 0): Job {
    const stage = { threads, memory, workgroups: 1 } as Job["stage"];
    const group = new Group([], writes);
    return { kind: "", group, calls: [], stage, reads, writes, after };
  }
  const limits = { bindings: 8, memory: 1000 };

  test("jobs that do not wait for each other share a dispatch", () => {
    const a = job([], [0], [1]);
    const b = job([], [0], [2]);
    const c = job([a, b], [1, 2], [3]);
    expect(pack([a, b, c], limits)).toEqual([[a, b], [c]]);
  });

  test("the longest chain goes first, and limits are kept", () => {
    const wide = job([], [10, 11, 12, 13, 14], [15]);
    const a = job([], [0], [1]);
    const b = job([a], [1], [2]);
    const c = job([b], [2], [3]);
    expect(pack([wide, a, b, c], limits)).toEqual([[a, wide], [b], [c]]);
    expect(pack([wide, a, b, c], { ...limits, bindings: 6 })).toEqual([[a], [b], [wide], [c]]);
  });

  test("other workgroup sizes and too much workgroup memory stay apart", () => {
    const a = job([], [0], [1], 64, 600);
    const b = job([], [0], [2], 64, 600);
    const c = job([], [0], [3], 128);
    expect(pack([a, b, c], limits)).toEqual([[a], [b], [c]]);
  });

  test("where a CPU emulates, parts stay apart whose code costs the others more than a dispatch", async () => {
    await directProducts.get();
    const product = { loads: [{ name: "a", extents: [], block: 1 }], constants: { ROWS: 16 } };
    const plain = { loads: [{ name: "x", extents: [] }] };
    const of = (own: object, i: number, workgroups: number, threads = 16): Job => {
      const one = job([], [0], [i], threads);
      return { ...one, kind: `${i}`, stage: { ...one.stage, ...own, workgroups } as Job["stage"] };
    };
    const [large, few, many] = [of(product, 1, 50), of(plain, 2, 50), of(plain, 3, 5000)];
    expect(pack([large, few], limits)).toEqual([[large, few]]);
    expect(pack([large, many], limits)).toEqual([[large], [many]]);
    const onGpu = [of(product, 1, 50, 64), of(plain, 3, 5000, 64)];
    expect(pack(onGpu, limits)).toEqual([onGpu]);
    // What is done by the same code costs the others as much as they are many.
    const equal = (i: number) => ({ ...of(plain, i, 2000), kind: "" });
    const [a, b] = [equal(4), { ...equal(4) }];
    expect(pack([a, b], limits)).toEqual([[a, b]]);
  });

  test("every job runs once, behind those that it waits for, whatever the graph", () => {
    const shape = fc.array(
      fc.record({ picks: fc.array(fc.nat(), { maxLength: 3 }), n: fc.nat(6) }),
    );
    fc.assert(
      fc.property(shape, (drawn) => {
        const jobs: Job[] = [];
        for (const { picks, n } of drawn) {
          const after = jobs.length === 0 ? [] : picks.map((pick) => jobs[pick % jobs.length]);
          const reads = Array.from({ length: n }, (_, i) => 100 * jobs.length + i);
          jobs.push(job([...new Set(after)], reads, [100 * jobs.length + 50]));
        }
        const dispatches = pack(jobs, limits);
        expect(dispatches.flat()).toHaveLength(jobs.length);
        const at = new Map(dispatches.flatMap((parts, i) => parts.map((part) => [part, i])));
        for (const part of jobs) {
          for (const before of part.after) {
            expect(at.get(before) as number).toBeLessThan(at.get(part) as number);
          }
        }
        for (const parts of dispatches) {
          const bound = new Set(parts.flatMap(({ reads, writes }) => [...reads, ...writes]));
          expect(bound.size).toBeLessThanOrEqual(limits.bindings);
        }
      }),
    );
  });
});

test("flops are those of each op, per element or as its kernel counts them", () => {
  const [a, b] = [full([2, 3], 1), full([3, 4], 1)];
  const { program } = trace([neg(sigmoid(matmul(a, b))).node], "test");
  const flops = program.steps.map(({ op }, i) => [op?.name, flopsOf(program, i)]);
  expect(flops).toEqual([
    ["fill", 0],
    ["fill", 0],
    ["matmul", 2 * 2 * 3 * 4],
    ["sigmoid", 10 * 8],
    ["neg", 8],
  ]);
  const { program: source } = trace([tensor([1, 2]).node], "test");
  expect(flopsOf(source, 0)).toBe(0);
});

test.each<[string, (x: Tensor) => Tensor, number]>([
  ["sum", (x) => sum(x), 6],
  ["max", (x) => max(x, { axis: 0 }), 6],
  ["argmax", (x) => argmax(x, { axis: 1 }), 6],
  ["softmax", (x) => softmax(x), 60],
  ["sort", (x) => sort(x).values, 6 * 2],
  ["sort", (x) => sort(slice(x, [{}, { end: 1 }])).values, 2],
  ["moments", (x) => variance(x, { axis: 1 }), 4 * 6],
  ["matmul", (x) => matmul(reshape(x, [1, 2, 3]), reshape(x, [1, 3, 2])), 2 * 4 * 3],
  ["scatterAdd", (x) => grad(sum(gather(x, tensor(Int32Array.of(0, 1, 0)))), [x])[0], 3 * 3],
])("the flops of %s go by what it reads", (name, run, flops) => {
  const { program } = trace([run(tensor([[1, 2, 3], [4, 5, 6]])).node], "test"); // biome-ignore format: a matrix
  const i = program.steps.findLastIndex(({ op }) => op?.name === name);
  expect(flopsOf(program, i)).toBe(flops);
});

const part = (x: Tensor, rows: number, columns: number) =>
  slice(x, [{ end: rows }, { end: columns }]);

test.each<[string, (x: Tensor) => Tensor[], number]>([
  ["by nobody", (x) => [x], 100],
  ["by ops that read fewer", (x) => [part(x, 2, 10), part(x, 1, 4)], 24],
  ["by ops that read more together", (x) => [exp(x), part(x, 1, 10)], 100],
  ["by a kernel too", (x) => [part(x, 2, 10), sum(x)], 100],
])("elements of a value that is read %s", (_, make, count) => {
  const x = full([10, 10], 2);
  const { program } = trace(
    make(x).map(({ node }) => node),
    "test",
  );
  const at = program.steps.findIndex(({ shape }) => shape.join() === "10,10");
  const bytes = bytesRead({ program, scattered: new Set() }, (dtype, size) =>
    dtype === "f32" ? size : Number.NaN,
  );
  expect(bytes(at)).toBe(count);
});

describe("simplify", () => {
  function names(...outputs: Tensor[]): string[] {
    const { program } = trace(
      outputs.map((x) => x.node),
      "test",
    );
    return simplify(program).steps.flatMap(({ op }) => (op ? [op.name] : []));
  }
  const x = () =>
    tensor([
      [1, 2],
      [3, 4],
    ]);

  test("equal steps become one", () => {
    const a = x();
    expect(names(add(exp(a), sigmoid(exp(a))))).toEqual(["exp", "sigmoid", "add"]);
  });

  test("0 and −0 are two constants, NaN and infinities are others", () => {
    const values = [0, -0, NaN, Infinity, -Infinity, 0, NaN];
    const sum = values.map((value) => exp(mul(x(), full([2, 2], value))));
    expect(names(...sum).filter((name) => name === "fill")).toHaveLength(5);
  });

  test("equal outputs stay two values", () => {
    const a = x();
    expect(names(exp(a), exp(a))).toEqual(["exp", "identity"]);
    expect(names(mul(a, 1))).toEqual(["identity"]);
  });

  test("reductions of nothing are constants, and what they would read is left out", () => {
    const none = tensor(new Float32Array(0), { shape: [2, 0] });
    expect(names(sum(none, { axis: 1 }))).toEqual(["fill"]);
    expect(names(matmul(none, transpose(none)))).toEqual(["fill"]);
    const one = add(sum(exp(sigmoid(none))), 1);
    expect(names(mul(exp(x()), one))).toEqual(["exp"]);
  });

  test("steps with a neutral element or without effect are left out", () => {
    const a = x();
    const y = div(mul(1, sub(mul(a, 1), 0)), 1);
    expect(names(exp(stopGradient(reshape(y, [2, 2]))))).toEqual(["exp"]);
  });

  test("what is one value everywhere becomes a constant", async () => {
    const ones = mul(full([2, 2], 3), neg(full([2, 2], 2)));
    const y = matmul(x(), add(ones, 1));
    expect(names(y).filter((name) => !["reshape", "broadcastTo"].includes(name))).toEqual([
      "fill",
      "matmul",
    ]);
    expect(await y.toArray()).toEqual([
      [-15, -15],
      [-35, -35],
    ]);
  });

  test("values of sums and of positions are no constants", async () => {
    const y = sum(full([2, 3], 2), { axis: 1 });
    expect(names(y)).toContain("sum");
    expect(await y.toArray()).toEqual([6, 6]);
  });
});
