import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Counters } from "../../../src/core/counters.ts";
import { allocate, type NumericArray } from "../../../src/core/dtype.ts";
import { sizeOf } from "../../../src/core/shape.ts";
import { type ArrayStorage, Arrays, storageOf } from "../../../src/devices/cpu/arrays.ts";
import { CpuPlan } from "../../../src/devices/cpu/plan.ts";
import { hasLoops } from "../../../src/engine/loop.ts";
import { type Program, trace } from "../../../src/engine/program.ts";
import {
  assignAll,
  broadcastTo,
  cast,
  compile,
  type Device,
  evaluate,
  grad,
  init,
  matmul,
  mul,
  Parameter,
  randomNormal,
  reshape,
  sigmoid,
  slice,
  softmax,
  square,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../../src/index.ts";
import { tables } from "../../cases/tables.ts";
import { opByOp } from "../../support/op-by-op.ts";
import { type Call, draw, floats, place } from "../../support/op-case.ts";
import { randomGraph } from "../../support/random-graph.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu" })).device;
});

interface Subject {
  program: Program;
  /** Made when it is asked for first. */
  readonly plan: CpuPlan;
  arrays: Arrays;
  counters: Counters;
  /** New arrays for the sources, in the program's order: those of `inputs` first given. */
  bring(...inputs: [Tensor, ArrayLike<number>][]): ArrayStorage[];
}

/** A plan that gives some tensors and replaces others by values. */
function subject(wanted: Tensor[], updates: [Tensor, Tensor][] = []): Subject {
  const roots = [...wanted, ...updates.flatMap(([, value]) => value), ...updates.map(([x]) => x)];
  const traced = trace(
    roots.map((x) => x.node),
    "test",
  );
  const { outputs } = traced.program;
  const program: Program = {
    ...traced.program,
    outputs: outputs.slice(0, wanted.length),
    updates: updates.map((_, i) => ({
      source: outputs[wanted.length + updates.length + i],
      value: outputs[wanted.length + i],
    })),
  };
  const counters = new Counters();
  const arrays = new Arrays(counters);
  const bring: Subject["bring"] = (...inputs) =>
    traced.sources.map((node) => {
      const given = inputs.find(([x]) => x.node === node);
      const data = allocate(node.dtype, sizeOf(node.shape));
      data.set(given ? given[1] : (node.host as NumericArray));
      return storageOf(data);
    });
  let plan: CpuPlan | null = null;
  return {
    program,
    get plan() {
      plan ??= new CpuPlan(program, arrays);
      return plan;
    },
    arrays,
    counters,
    bring,
  };
}

const run = (plan: CpuPlan, sources: ArrayStorage[]) =>
  plan.run(sources).map((storage) => (storage as ArrayStorage).data);

const values = (data: NumericArray[]) => data.map((x) => [...x]);

test("one plan serves different sources, and leaves earlier results alone", () => {
  const x = tensor([1, 2]);
  const y = x.mul(2).add(1);
  const { plan, bring } = subject([y]);
  const first = run(plan, bring([x, [1, 2]]));
  const second = run(plan, bring([x, [5, 6]]));
  expect(values([...first, ...second])).toEqual([
    [3, 5],
    [11, 13],
  ]);
});

test("views of sources read the array that each run brings", () => {
  const x = tensor([[1, 2, 3], [4, 5, 6]]); // biome-ignore format: a matrix
  const y = reshape(transpose(slice(x, [{}, { start: 1 }])), [4]).add(0);
  const { plan, bring } = subject([y]);
  expect(values(run(plan, bring()))).toEqual([[2, 5, 3, 6]]);
  expect(values(run(plan, bring([x, [6, 5, 4, 3, 2, 1]])))).toEqual([[5, 2, 4, 1]]);
});

test("outputs are arrays of their own, also of views, sources and the same step twice", () => {
  const x = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
  const y = x.mul(10);
  const { plan, bring } = subject([transpose(x), y, y, transpose(y), reshape(y, [4])]);
  const sources = bring();
  const first = run(plan, sources);
  const arrays = [...first, ...sources.map(({ data }) => data)].map(({ buffer }) => buffer);
  expect(new Set(arrays).size).toBe(6);
  for (const data of first) data.fill(-1);
  expect(values(run(plan, sources))).toEqual([
    [1, 3, 2, 4],
    [10, 20, 30, 40],
    [10, 20, 30, 40],
    [10, 30, 20, 40],
    [10, 20, 30, 40],
  ]);
});

test("updates swap, transpose and add up states, all from the old values", () => {
  const a = tensor([[1, 2], [3, 4]]); // biome-ignore format: a matrix
  const b = tensor([[5, 6], [7, 8]]); // biome-ignore format: a matrix
  const c = tensor([[0, 0], [0, 1]]); // biome-ignore format: a matrix
  const total = a.add(b);
  const { plan, bring } = subject(
    [total, a],
    [
      [a, b],
      [b, transpose(a)],
      [c, total],
    ],
  );
  const sources = bring();
  expect(values(run(plan, sources))).toEqual([
    [6, 8, 10, 12],
    [1, 2, 3, 4],
  ]);
  const states = sources.map(({ data }) => [...data]);
  expect(states).toContainEqual([5, 6, 7, 8]);
  expect(states).toContainEqual([1, 3, 2, 4]);
  expect(states).toContainEqual([6, 8, 10, 12]);
  expect(values(run(plan, sources))).toEqual([
    [6, 9, 9, 12],
    [5, 6, 7, 8],
  ]);
});

test("a run makes the outputs' arrays and no other, and frees none", () => {
  const w = tensor(new Float32Array(12).fill(0.5), { shape: [3, 4] });
  const x = tensor(new Float32Array(15).fill(0.1), { shape: [5, 3] });
  const y = sigmoid(matmul(x, w));
  const { plan, bring, arrays, counters } = subject([sum(y)], [[w, w.mul(0.5)]]);
  const sources = bring();
  run(plan, sources);
  const mark = counters.now;
  const { buffers, bytes } = arrays.usage;
  for (let i = 0; i < 100; i++) run(plan, sources);
  expect(counters.since(mark).buffers).toBe(100);
  expect(arrays.usage).toEqual({ buffers: buffers + 100, bytes: bytes + 400 });
  plan.dispose();
  expect(arrays.usage.buffers).toBe(101); // the outputs, which nobody freed
  expect(run(plan, sources)[0].length).toBe(1);
});

test("an array that lives no longer is given again, as long as such have 16 MiB", () => {
  const arrays = new Arrays(new Counters());
  const [a, b] = [arrays.make("f32", 3), arrays.make("i32", 3)];
  for (const data of [a, b]) arrays.drop(data);
  expect(arrays.usage).toEqual({ buffers: 0, bytes: 0 });
  const others = [arrays.make("f32", 4), arrays.make("i32", 3), arrays.make("f32", 3)];
  expect(others.map((data) => [a, b].indexOf(data))).toEqual([-1, 1, 0]);
  expect(arrays.make("f32", 3)).not.toBe(a);
  expect(arrays.usage).toEqual({ buffers: 4, bytes: 52 });
  const large = () => Array.from({ length: 4 }, () => arrays.make("u8", 2 ** 22));
  const kept = large();
  for (const data of kept) arrays.drop(data);
  const places = () => large().map((data) => kept.indexOf(data));
  expect(places()).toEqual([3, 2, 1, 0]);
  for (const data of kept) arrays.drop(data);
  arrays.drop(others[0]); // is too much
  expect(places()).toEqual([-1, -1, -1, -1]);
});

test("what was read stays as it is when its array is given again", async () => {
  const { device: plain } = await init({ device: "cpu", engine: "plain", isolated: true });
  const x = tensor([1, 2, 3], { device: plain });
  const y = mul(x, 2);
  const read = await y.data();
  y.dispose();
  expect(await mul(x, 5).data()).toEqual(Float32Array.of(5, 10, 15));
  expect(read).toEqual(Float32Array.of(2, 4, 6));
  plain.dispose();
});

test("2,000 assignments leave memory where it was, and make as many arrays each", () => {
  const w = new Parameter(randomNormal([8, 4], { seed: 1 }), { name: "w" });
  const x = randomNormal([16, 8], { seed: 2 });
  const step = () => {
    const loss = sum(square(sigmoid(matmul(x, w))));
    assignAll([[w, w.sub(grad(loss, [w])[0].mul(0.01))]], [loss]);
    loss.dispose();
  };
  step();
  const memory = device.memory();
  const mark = device.counters.now;
  for (let i = 0; i < 2000; i++) step();
  expect({ ...device.memory(), reclaimed: memory.reclaimed }).toEqual(memory);
  expect(device.counters.since(mark).buffers).toBe(4000); // w and the loss
  w.dispose();
  x.dispose();
});

describe.each(["plain", "compiled"] as const)("plans of single evaluations, %s", (engine) => {
  let own: Device;
  beforeAll(async () => {
    own = (await init({ device: "cpu", engine, isolated: true })).device;
  });
  afterAll(() => {
    own.dispose();
    expect(own.memory()).toMatchObject({ buffers: 0, bytes: 0 });
  });

  test("keep no more than 64 MiB together", () => {
    for (let i = 1; i <= 6; i++) {
      const x = tensor(new Float32Array(i * 2 ** 20), { shape: [i, 2 ** 20], device: own });
      const y = sum(softmax(x.mul(i)));
      evaluate(y);
      for (const z of [x, y]) z.dispose();
      expect(own.memory().bytes).toBeLessThanOrEqual(64 * 2 ** 20);
    }
  });

  test("keep their buffers as long as these have 64 MiB, and run again without making any", () => {
    const x = tensor(new Float32Array(2 ** 20), { device: own });
    const powers = [0, 1, 2, 3, 4];
    const shapes = powers.flatMap((i) => [
      [2 ** i, 2 ** (20 - i)],
      ...powers.slice(i).map((k) => [2 ** i, 2 ** (k - i), 2 ** (20 - k)]),
    ]);
    const run = (k: number) => {
      const y = sum(softmax(reshape(x, shapes[k]))); // 4 MiB, in a buffer of the plan
      evaluate(y);
      y.dispose();
    };
    for (let k = 0; k < 20; k++) run(k);
    expect(own.memory().bytes).toBe((64 + 4) * 2 ** 20);
    const mark = own.counters.now;
    for (let k = 0; k < 48; k++) run(4 + (k % 16));
    expect(own.counters.since(mark).buffers).toBe(48); // the sums
    run(0);
    expect(own.counters.since(mark).buffers).toBe(50);
    expect(own.memory().bytes).toBe((64 + 4) * 2 ** 20);
    x.dispose();
  });
});

test("bytes that a plan reads and writes go by the dtypes", async () => {
  const f = compile((x: Tensor, y: Tensor) => cast(mul(x, y), "i32"));
  const wide = randomNormal([6], { seed: 1, dtype: "f64" });
  const { kernels } = await (await f.prepare(wide, wide)).stats();
  expect(kernels.map(({ bytes }) => bytes)).toEqual([3 * 8 * 6, (8 + 4) * 6]);
});

const seed = Math.floor(Math.random() * 1e6);

test(`arrays that share a buffer never meet in random graphs (seed ${seed})`, () => {
  for (let graph = 0; graph < 40; graph++) {
    const nodes = randomGraph(seed + graph, device, "f64");
    const at = (i: number) => nodes[3 + (((seed + graph) * 7 + i * 11) % 24)];
    const updates: [Tensor, Tensor][] = [
      [nodes[0], at(0)],
      [nodes[1], nodes[graph % 3]],
    ];
    const { plan, program, bring } = subject([at(1), nodes[26], at(2), at(1)], updates);
    const sources = bring();
    for (let time = 0; time < 3; time++) {
      const expected = opByOp(
        program,
        sources.map(({ data }) => data.slice()),
      );
      const actual = run(plan, sources);
      expect(actual).toEqual(program.outputs.map((i) => expected[i]));
      for (const { source, value } of program.updates) {
        expect(sources[program.sources.indexOf(source)].data).toEqual(expected[value]);
      }
    }
  }
});

/** A result in a shared buffer, with its gradients: seen twice, it is no array that a run gives away. */
function twice(call: Call, inputs: Tensor[], isSmooth: boolean): Tensor[] {
  const y = call.run(...inputs);
  const targets = isSmooth && y.dtype === "f32" ? floats(call, inputs) : [];
  const gradients = targets.length > 0 ? grad(sum(mul(y, y)), targets) : [];
  return [y, ...gradients].map((x) => broadcastTo(x, [2, ...x.shape]));
}

describe("every op writes all of an array that held something else", () => {
  const other = (call: Call) => draw(call, seed + 1);
  for (const [name, { calls, gradient }] of tables) {
    test(`${name} (seed ${seed})`, () => {
      for (const call of calls) {
        const inputs = place(call, draw(call, seed), device, "f32");
        const made = subject(twice(call, inputs, gradient === true));
        if (hasLoops(made.program)) continue; // several plans, of ops that have rows of their own
        const { plan, program, bring } = made;
        run(plan, bring(...inputs.map((x, i): [Tensor, Float64Array] => [x, other(call)[i]])));
        const sources = bring();
        const expected = opByOp(
          program,
          sources.map(({ data }) => data),
        );
        run(plan, sources).forEach((data, i) => {
          const wanted = expected[program.outputs[i]];
          expect(data.findIndex((value, j) => !Object.is(value, wanted[j]))).toBe(-1);
          expect(data.length).toBe(wanted.length);
        });
      }
    });
  }
});
