import { beforeAll, describe, expect, test } from "vitest";
import { programOf } from "../../../bench/growth/index.ts";
import { sizeOf } from "../../../src/core/shape.ts";
import type { PartText } from "../../../src/devices/webgpu/assemble.ts";
import { partsByCode, repeated } from "../../../src/devices/webgpu/repeats.ts";
import { writeShared } from "../../../src/devices/webgpu/sharing.ts";
import type { WrittenProgram } from "../../../src/devices/webgpu/write.ts";
import type { Program } from "../../../src/engine/program.ts";
import { simplify } from "../../../src/engine/simplify.ts";
import { total } from "../../../src/engine/stats.ts";
import { number } from "../../../src/forms/number.ts";
import {
  add,
  concat,
  matmul,
  mul,
  Parameter,
  sin,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../../src/index.ts";
import { byRule } from "../../../src/kernels/choose.ts";
import * as optim from "../../../src/optim/index.ts";
import { testDevice } from "../../support/device.ts";
import { TRAITS } from "../../support/plan-kernels.ts";

beforeAll(() => testDevice());

const SHAPES = [[3, 3], [7], [16, 16], [5, 20], [64], [1], [33, 3], [128, 8], [2, 3, 4], []];
const parametersOf = (count: number) =>
  Array.from({ length: count }, (_, i) => new Parameter(zeros(SHAPES[i % SHAPES.length])));

function planOf(program: Program, bindings: number, bytes = 2 ** 27): WrittenProgram {
  const traits = TRAITS.workgroup;
  const limits = {
    maxStorageBuffersPerShaderStage: bindings,
    maxComputeWorkgroupStorageSize: 16_384,
    maxStorageBufferBindingSize: bytes,
    maxBufferSize: 2 ** 28,
  } as GPUSupportedLimits;
  const hardware = { device: { limits }, traits, choose: byRule(traits) };
  const fixed = program.sources.map(() => true);
  return writeShared(simplify(program), hardware, { repeated: true, fixed });
}

const planOfUpdates = (
  pairs: () => (readonly [Parameter, Tensor])[],
  bindings = 8,
  bytes?: number,
) =>
  planOf(
    programOf(() => {
      for (const [p, value] of pairs()) p.assign(value);
      return [];
    }),
    bindings,
    bytes,
  );

describe("a step over many parameters of different sizes takes few dispatches", () => {
  const learningRate = 0.01;
  const { SGD, Adam, AdamW, NAdam, Adamax, Lion, Adagrad, Adadelta, RMSprop, LAMB } = optim;
  const rows: [string, (p: Parameter[]) => optim.Optimizer, number][] = [
    ["SGD", (p) => new SGD(p, { learningRate }), 1],
    ["momentum", (p) => new SGD(p, { learningRate, momentum: 0.9, nesterov: true }), 1],
    ["Adam", (p) => new Adam(p, { learningRate }), 3],
    ["AMSGrad", (p) => new Adam(p, { learningRate, amsgrad: true }), 3],
    ["AdamW", (p) => new AdamW(p, { learningRate }), 3],
    ["NAdam", (p) => new NAdam(p, { learningRate }), 3],
    ["Adamax", (p) => new Adamax(p, { learningRate }), 3],
    ["Lion", (p) => new Lion(p, { learningRate }), 1],
    ["Adagrad", (p) => new Adagrad(p, { learningRate }), 1],
    ["Adadelta", (p) => new Adadelta(p, { learningRate }), 1],
    ["RMSprop", (p) => new RMSprop(p, { learningRate }), 1],
    ["LAMB", (p) => new LAMB(p, { learningRate }), 6],
  ];
  test.each(rows)("%s", (_, make, most) => {
    const parameters = parametersOf(100);
    const optimizer = make(parameters);
    const program = programOf(() => {
      optimizer.apply(parameters.map((p) => sin(p)));
      return [];
    });
    for (const bindings of [8, 10]) {
      expect(planOf(program, bindings).codes.length).toBeLessThanOrEqual(most);
    }
  });

  test("1,000 of them with Adam", () => {
    const parameters = parametersOf(1000);
    const optimizer = new optim.Adam(parameters, { learningRate });
    const program = programOf(() => {
      optimizer.apply(parameters.map((p) => sin(p)));
      return [];
    });
    expect(planOf(program, 10).codes.length).toBeLessThanOrEqual(3);
  });
});

test("3,000 parts are joined by a few dispatches", () => {
  const program = programOf(() => {
    return [concat(Array.from({ length: 3000 }, (_, i) => tensor([i, 1])))];
  });
  expect(planOf(program, 10).codes.length).toBeLessThanOrEqual(8);
});

test("what one kernel may bind is shared by all of its states, or more buffers are used", () => {
  const states = parametersOf(40);
  const pairs = () => states.map((p) => [p, mul(p, 2)] as const);
  expect(planOfUpdates(pairs).shared?.groups).toHaveLength(1);
  const { shared, schedule } = planOfUpdates(pairs, 8, 2 ** 13);
  const { steps, sources } = schedule.program;
  const groups = shared?.groups ?? [];
  expect(groups.length).toBeGreaterThan(1);
  expect(groups.flat().toSorted((a, b) => a - b)).toEqual([...sources.keys()]);
  const bytes = (source: number) => 256 * Math.ceil(sizeOf(steps[sources[source]].shape) / 64);
  for (const group of groups) expect(total(group.map(bytes))).toBeLessThanOrEqual(2 ** 13);
});

test("few states, and large ones, have buffers of their own", () => {
  const few = parametersOf(8);
  expect(planOfUpdates(() => few.map((p) => [p, mul(p, 2)] as const)).shared?.groups).toEqual([]);
  const large = Array.from({ length: 9 }, () => new Parameter(zeros([2 ** 18 + 1])));
  expect(planOfUpdates(() => large.map((p) => [p, mul(p, 2)] as const)).shared?.groups).toEqual([]);
});

test("jobs that were taken to be equal and are not are cut to kernels of as many parts as may be", () => {
  const states = Array.from({ length: 30 }, (_, i) => new Parameter(zeros([3, i + 2])));
  const rows = Array.from({ length: 30 }, (_, i) => new Parameter(zeros([i + 2])));
  const { jobs, codes } = planOfUpdates(() => [
    ...states.map((p, i) => [p, add(p, rows[i])] as const),
    ...rows.map((p) => [p, mul(p, 2)] as const),
  ]);
  const outputs = jobs.flat().flatMap(({ group }) => group.outputs);
  expect(new Set(outputs).size).toBe(60);
  expect(outputs).toHaveLength(60);
  for (const { code } of codes) {
    expect(code.match(/fn main_\d+\(/g)?.length ?? 1).toBeLessThanOrEqual(12);
  }
});

test("values between kernels share a buffer where that saves dispatches", () => {
  const parameters = parametersOf(60);
  const { codes, sizes, values } = planOfUpdates(() => {
    const norms = parameters.map((p) => sum(sin(p)));
    return parameters.map((p, i) => [p, mul(p, norms[(i + 1) % 60])] as const);
  });
  expect(codes.length).toBeLessThanOrEqual(4);
  expect(values.length).toBeGreaterThan(50);
  expect(sizes).toEqual([256 * values.length]);
});

test("a buffer of which single elements are stored is no array of vectors", () => {
  const layers = Array.from({ length: 12 }, () => ({
    weight: new Parameter(zeros([8, 8])),
    bias: new Parameter(zeros([8])),
  }));
  const parameters = layers.flatMap(({ weight, bias }) => [weight, bias]);
  const learningRate = 0.1;
  const sgd = new optim.SGD(parameters, { learningRate });
  const { codes } = planOf(
    programOf(() => {
      const layer = (x: Tensor, { weight, bias }: (typeof layers)[0]) =>
        sin(add(matmul(x, weight), bias));
      sgd.step(sum(layers.reduce(layer, zeros([8, 8]))));
      return [];
    }),
    10,
  );
  const singles = codes.flatMap(({ code }) => {
    const [declarations, ...functions] = code.split(/^fn /m);
    const vectors = [...declarations.matchAll(/> (\w+): array<vec4/g)].map(([, name]) => name);
    const isCalled = (text: string) => code.split(`${/^\w+/.exec(text)}(`).length > 2;
    const stored = functions
      .filter(isCalled)
      .flatMap((text) => [...text.matchAll(/^ .*?(buffer\d+)\[[^;=]*& 3u\] = /gm)]);
    return stored.filter(([, name]) => vectors.includes(name));
  });
  expect(singles).toEqual([]);
  const all = codes.map(({ code }) => code).join("");
  expect(all).toMatch(/read_write> \w+: array<f32>/);
  expect(all).toMatch(/read_write> \w+: array<vec4<f32>>/);
});

describe("parts that are equal but for numbers", () => {
  const files = [{ name: "shaders/elementwise.wgsl", source: "fn main() { if (i < SIZE) {} }\n" }];
  const part = (start: number, by: number, size: number, workgroups = size): PartText => ({
    head: `const SIZE = ${size}u;\nx[${number(start)}] * ${number(by, "f32")} + ${number(7)};\n`,
    files,
    workgroups,
    threads: 64,
  });

  test("are one, with a table of those that differ, ordered by workgroups", () => {
    const parts = [part(3, 0.5, 2), part(4, 0.5, 1), part(5, 0.5, 2)];
    expect(partsByCode([...parts, { ...part(3, 0.5, 2), files: [] }])).toEqual([[0, 1, 2], [3]]);
    const one = repeated(parts);
    expect(one.head).toBe(
      "var<private> table_row: u32;\nx[numbers[table_row + 0u][0]] * ⟨0.5f⟩ + ⟨7u⟩;\n",
    );
    expect(one.files[0].source).toBe("fn main() { if (i < numbers[table_row + 0u][1]) {} }\n");
    expect(one.table).toEqual([
      ...["4u", "1u", "0u", "0u"],
      ...["3u", "2u", "0u", "0u"],
      ...["5u", "2u", "0u", "0u"],
    ]);
    expect(one.runs).toEqual([
      { rows: 1, share: 1 },
      { rows: 2, share: 2 },
    ]);
    expect(one.workgroups).toBe(5);
  });

  test("stay as they are where there is one, or where they are of one size", () => {
    expect(repeated([part(3, 0.5, 2)])).toMatchObject({ ...part(3, 0.5, 2), table: [] });
    const { head, files: own } = repeated([part(3, 0.5, 2), part(4, 0.5, 2)]);
    expect(head).toContain("const SIZE = 2u;");
    expect(own).toEqual(files);
  });

  test("of too many sizes get more workgroups, so that few kinds of shares are left", () => {
    const one = repeated(Array.from({ length: 40 }, (_, i) => part(i + 1, 0.5, i + 1)));
    expect(one.runs.map(({ share }) => share)).toEqual([1, 2, 4, 8, 16, 32, 64]);
    expect(one.runs.map(({ rows }) => rows)).toEqual([1, 1, 2, 4, 8, 16, 8]);
    const sizes = Array.from({ length: 40 }, (_, i) => Number.parseInt(one.table[4 * i + 1], 10));
    const shares = one.runs.flatMap(({ rows, share }) => new Array<number>(rows).fill(share));
    for (const [i, size] of sizes.entries()) expect(shares[i]).toBeGreaterThanOrEqual(size);
    expect(one.workgroups).toBe(total(shares));
  });
});
