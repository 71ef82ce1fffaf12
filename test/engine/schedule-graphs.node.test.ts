import { beforeAll, describe, expect, test } from "vitest";
import { findProducts } from "../../src/devices/webgpu/product-rows.ts";
import { isPointwise } from "../../src/engine/fusion.ts";
import { stepsOf } from "../../src/engine/group-ops.ts";
import { lower } from "../../src/engine/lower.ts";
import { type Program, readsOf, resultsOf, trace } from "../../src/engine/program.ts";
import { type KernelSchedule, scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import type { KernelForm } from "../../src/forms/kernel.ts";
import { traceFunction } from "../../src/graph/tracing.ts";
import {
  add,
  cast,
  type Device,
  exp,
  logSoftmax,
  logSumExp,
  matmul,
  mul,
  reshape,
  type State,
  slice,
  softmax,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { writeAt } from "../../src/ops/write-at.ts";
import { testDevice } from "../support/device.ts";
import { families } from "../support/kernel-families.ts";
import { randomFlagsAndBytes, randomGraph } from "../support/random-graph.ts";
import { randomProgram } from "../support/random-program.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const sorted = (values: Iterable<number>) => [...new Set(values)].sort((a, b) => a - b);
const traits = { workgroupMemory: true, threads: 64, quads: false };

const sizeAt = ({ steps }: Program, i: number) => steps[i].shape.reduce((a, b) => a * b, 1);

/** How many different calls of ops steps are results of. */
function callsOf({ steps }: Program, some: readonly number[]): number {
  const calls = some.map((step) => {
    const { op, attributes, inputs } = steps[step];
    return JSON.stringify([op?.name, attributes, inputs]);
  });
  return new Set(calls).size;
}

/** What a group reads, found anew: what is stored and not its own, below what it stores. */
function groupReads(
  { program, stored, scattered }: KernelSchedule,
  outputs: readonly number[],
): number[] {
  const found = new Set<number>();
  const open = [...outputs];
  const seen = new Set<number>();
  for (let i = open.pop(); i !== undefined; i = open.pop()) {
    if (seen.has(i)) continue;
    seen.add(i);
    const isOwn = outputs.includes(i);
    if (!isOwn && stored.has(i)) found.add(i);
    else open.push(...program.steps[i].inputs.slice(isOwn && scattered.has(i) ? 1 : 0));
  }
  return sorted(found);
}

/** The kernels that compute a call, and where these join it to others, what for. */
function kinOf(program: Program, i: number, count: number): string {
  const { attributes, inputs, op } = program.steps[i];
  const { family } = (op as { form: KernelForm<unknown> }).form;
  const kin = Object.values(families).findIndex((tried) => tried.family === family);
  if (count > 1) expect(family.joins).toBeDefined();
  const rows = program.steps[inputs[0]];
  const own = family.joins === "input" ? inputs : [rows.shape, rows.dtype, attributes];
  return `${kin} ${JSON.stringify(own)}`;
}

/** Checks all that a device counts on in a schedule. */
function checkSchedule(schedule: KernelSchedule, limit: number): void {
  const { program, groups, reads, after, stored, homes } = schedule;
  const isSource = (i: number) => program.steps[i].op === null;
  const outputs = groups.flatMap((group) => group.outputs);
  expect(outputs).toHaveLength(new Set(outputs).size);
  expect(sorted(outputs)).toEqual(sorted(stored).filter((i) => !isSource(i)));
  for (const result of resultsOf(program)) expect(stored.has(result)).toBe(true);
  const writer = new Map(groups.flatMap((group, i) => group.outputs.map((step) => [step, i])));
  for (const [i, { anchors, outputs, product }] of groups.entries()) {
    expect(outputs.length).toBeGreaterThan(0);
    expect(outputs).toEqual(sorted(outputs));
    expect(sorted(reads[i])).toEqual(groupReads(schedule, outputs));
    const producers = reads[i].filter((step) => !isSource(step)).map((step) => writer.get(step));
    for (const producer of producers) expect(after[i]).toContain(producer);
    for (const before of after[i]) expect(before).toBeLessThan(i);
    expect(after[i]).toHaveLength(new Set(after[i]).size);
    const bound = new Set([...reads[i], ...outputs.map((step) => homes.get(step) ?? step)]);
    expect(bound.size).toBeLessThanOrEqual(limit);
    const kernels = stepsOf(schedule, groups[i]).filter(
      (step) => !isPointwise(program.steps[step]),
    );
    const calls = anchors.filter((_, k) => {
      const before = anchors.slice(0, k);
      return callsOf(program, anchors.slice(0, k + 1)) > callsOf(program, before);
    });
    const made = product === undefined ? calls : [product, ...calls];
    expect(sorted(kernels)).toEqual(made); // the others are results of theirs
    expect(new Set(calls.map((step) => kinOf(program, step, calls.length))).size).toBeLessThan(2);
    const isBytes = outputs.some((step) => program.steps[step].dtype === "u8");
    if (isBytes) expect(outputs).toHaveLength(1);
    // A softmax and the logarithm of its sum are results of one call.
    const sizes = (anchors.length > 0 ? anchors : outputs.slice(0, 1)).map((step) =>
      sizeAt(program, step),
    );
    if (!outputs.some((step) => schedule.scattered.has(step))) {
      for (const step of outputs) expect(sizes).toContain(sizeAt(program, step));
    }
  }
  for (const [value, source] of homes) {
    const place = writer.get(value) as number;
    expect(program.steps[value].dtype).toBe(program.steps[source].dtype);
    expect(sizeAt(program, value)).toBe(sizeAt(program, source));
    // What was written there before has been read by now, and is no result.
    for (const before of stored) {
      const isBefore = (writer.get(before) ?? place) < place;
      if (!isBefore || (homes.get(before) ?? before) !== source) continue;
      expect(resultsOf(program).has(before)).toBe(false);
      const readers = reads.flatMap((read, i) => (read.includes(before) ? [i] : []));
      for (const reader of readers) expect(reader).toBeLessThanOrEqual(place);
    }
    for (const [i, read] of reads.entries()) {
      if (i !== place && read.includes(source)) expect(i).toBeLessThan(place);
    }
  }
}

describe("every schedule of random graphs", () => {
  // Kernels, and the values that they read and write, of all graphs: fewer are better.
  test.each([
    [4, [315, 547, 329]],
    [5, [297, 525, 313]],
    [6, [288, 516, 310]],
    [8, [285, 513, 310]],
    [10, [285, 513, 310]],
  ])("keeps to %d buffers a kernel, and to its order", (limit, counts) => {
    const totals = [0, 0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const values = randomGraph(7000 + seed, device, "f64");
      const wanted = values.filter((_, i) => i % 7 === 6 || i === values.length - 1);
      const { program } = trace(
        wanted.map(({ node }) => node),
        "test",
      );
      const schedule = scheduleOf(simplify(program), limit);
      checkSchedule(schedule, limit);
      totals[0] += schedule.groups.length;
      totals[1] += schedule.reads.flat().length;
      totals[2] += schedule.groups.flatMap(({ outputs }) => outputs).length;
    }
    expect(totals).toEqual(counts);
  });

  test("with several results keeps to the same", () => {
    const several = [0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const values = randomGraph(6000 + seed, device, "f64", true);
      const wanted = values.filter((_, i) => i % 7 === 6 || i === values.length - 1);
      const { program } = trace(
        wanted.map(({ node }) => node),
        "test",
      );
      for (const limit of [5, 8]) {
        const lowered = lower(simplify(program), traits);
        const { groups, ...schedule } = scheduleOf(lowered, limit);
        checkSchedule({ groups, ...schedule }, limit);
        several[0] += groups.filter(({ anchors }) => anchors.length > 1).length;
        const calls = groups.flatMap(({ anchors }) => anchors.slice(0, 1));
        several[1] += calls.length - callsOf(lowered, calls);
      }
    }
    expect(several[0]).toBeGreaterThan(60);
    expect(several[1]).toBe(0); // no call is computed by two kernels
  });

  test("with rows that are made where they are used keeps to the same", () => {
    let [made, apart] = [0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const values = randomGraph(5000 + seed, device, "f64", true);
      const wanted = values.flatMap((x, i) => {
        if (i % 5 < 4) return i % 7 === 6 ? [x] : [];
        const logits = add(matmul(x, values[i - 3]), values[i - 1]);
        const own = [softmax(logits), logSumExp(logits, { axis: 1 }), mul(logSoftmax(logits), x)];
        return i % 3 === 0 ? [...own, logits] : own.slice(0, 1 + (i % 2));
      });
      const { program } = trace(
        wanted.map(({ node }) => node),
        "test",
      );
      const lowered = lower(simplify(program), traits);
      for (const limit of [5, 8]) {
        const options = { findProduct: findProducts(traits) };
        const schedule = scheduleOf(lowered, limit, options);
        checkSchedule(schedule, limit);
        made += schedule.groups.filter(({ product }) => product !== undefined).length;
        apart += scheduleOf(lowered, limit).groups.length - schedule.groups.length;
      }
    }
    expect(made).toBeGreaterThan(60);
    expect(apart).toBe(made); // a kernel less for each
  });

  test("stores bytes by kernels of their own", () => {
    const totals = [0, 0, 0];
    for (let seed = 0; seed < 10; seed++) {
      const bytes = tensor(
        Uint8Array.from({ length: 12 }, (_, i) => i + seed),
        { device },
      );
      const flags = randomFlagsAndBytes(9000 + seed, device, "f64");
      const rows = slice(reshape(bytes, [3, 4]), [{ start: seed % 3 }]);
      const wanted = [...flags, rows, transpose(rows), exp(cast(rows, "f32")), cast(rows, "f32")];
      const { program } = trace(
        wanted.map(({ node }) => node),
        "test",
      );
      const schedule = scheduleOf(simplify(program), 8);
      checkSchedule(schedule, 8);
      totals[0] += schedule.groups.length;
      totals[1] += schedule.reads.flat().length;
      totals[2] += schedule.after.flat().length;
    }
    expect(totals).toEqual([70, 100, 30]);
  });

  test("writes a state's memory when all that read it have", () => {
    const totals = [0, 0, 0];
    for (let seed = 0; seed < 30; seed++) {
      const values = randomGraph(8000 + seed, device, "f64");
      const states = [values[0], values[1]];
      const last = values.length - 1;
      const replacements = states.map(({ node }, k) => {
        return { original: node, value: sub(values[last - k], mul(states[1 - k], 0.5)).node };
      });
      const { program } = trace([values[last - 2].node], "test", { replacements });
      const schedule = scheduleOf(simplify(program), 8);
      checkSchedule(schedule, 8);
      totals[0] += schedule.groups.length;
      totals[1] += schedule.reads.flat().length;
      totals[2] += schedule.after.flat().length;
    }
    expect(totals).toEqual([374, 710, 522]);
  });
});

/** Random programs, which assign states and read them before and after. */
test.each([4, 8, 10])("programs keep to %d buffers a kernel, updates in place or not", (limit) => {
  for (let seed = 0; seed < 80; seed++) {
    const random = randomProgram(seed, device, "f64");
    const { result, assignments } = traceFunction<State, Tensor[]>(() => {
      return random.body(...random.inputs(0));
    }, "compiled");
    const { program } = trace(
      result.map(({ node }) => node),
      "test",
      { replacements: assignments },
    );
    checkSchedule(scheduleOf(simplify(program), limit), limit);
  }
});

const small = () => tensor([1, 2, 3, 4], { shape: [2, 2], device });

test("states that take each other's values are copied once", () => {
  const [a, b] = [small(), small()];
  const swapped = [
    { original: a.node, value: exp(b).node },
    { original: b.node, value: add(a, 1).node },
  ];
  const { program } = trace([], "test", { replacements: swapped });
  const schedule = scheduleOf(simplify(program), 8);
  checkSchedule(schedule, 8);
  expect(schedule.groups.map(({ outputs }) => schedule.program.steps[outputs[0]].op?.name)).toEqual(
    ["add", "exp", "identity"],
  );
});

test("a product is written to the state whose new value it is", () => {
  const [w, x] = [small(), small()];
  const replacements = [{ original: w.node, value: matmul(x, x).node }];
  const { program } = trace([], "test", { replacements });
  const schedule = scheduleOf(simplify(program), 8);
  checkSchedule(schedule, 8);
  expect(schedule.groups).toHaveLength(1);
  expect(schedule.homes.size).toBe(1);
  expect(schedule.scattered.size).toBe(0);
});

test("an element of a state is written in place, behind what reads the state", () => {
  for (const isRead of [false, true]) {
    const ring = tensor([0, 0, 0, 0], { device });
    const value = writeAt(ring, tensor(2, { dtype: "u32", device }), exp(tensor(1, { device })));
    const wanted = isRead ? [mul(ring, 2).node] : [];
    const replacements = [{ original: ring.node, value: value.node }];
    const { program } = trace(wanted, "test", { replacements });
    const schedule = scheduleOf(simplify(program), 8);
    checkSchedule(schedule, 8);
    expect(schedule.scattered.size).toBe(1);
    expect(schedule.groups.map((group) => schedule.domain(group))).toEqual(
      isRead ? [[4], []] : [[]],
    );
  }
});

test("what is written to an element is computed by the kernel that writes it, its place is not", () => {
  const ring = tensor([0, 0, 0, 0], { device });
  const total = sum(exp(tensor([1, 2, 3], { device })));
  const place = sum(tensor([1, 1], { dtype: "u32", device }));
  for (const [value, count] of [
    [writeAt(ring, tensor(2, { dtype: "u32", device }), mul(total, 2)), 1],
    [writeAt(ring, place, exp(tensor(1, { device }))), 2],
    [writeAt(ring, place, mul(total, 2)), 2],
  ] as const) {
    const replacements = [{ original: ring.node, value: value.node }];
    const { program } = trace([], "test", { replacements });
    const schedule = scheduleOf(simplify(program), 8);
    checkSchedule(schedule, 8);
    expect(schedule.scattered.size).toBe(1);
    expect(schedule.groups).toHaveLength(count);
  }
});

test("a source is read if a step, an output or another state needs its values", () => {
  const [a, b, c, d] = [small(), small(), small(), small()];
  const { program, sources } = trace([c.node], "test", {
    replacements: [
      { original: a.node, value: exp(b).node },
      { original: c.node, value: d.node },
    ],
  });
  const reads = readsOf(program);
  expect([a, b, c, d].map((x) => reads[sources.indexOf(x.node)])).toEqual([
    false,
    true,
    true,
    true,
  ]);
});
