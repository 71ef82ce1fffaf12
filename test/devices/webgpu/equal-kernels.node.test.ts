import { beforeAll, expect, test } from "vitest";
import type { KernelCode } from "../../../src/devices/webgpu/codegen.ts";
import { type Pattern, settle } from "../../../src/devices/webgpu/numbers.ts";
import type { EngineDevice } from "../../../src/engine/device.ts";
import { number } from "../../../src/forms/number.ts";
import { init, setDefaultDevice } from "../../../src/index.ts";
import { kernelsOf, stepProgram } from "../../support/plan-kernels.ts";
import {
  dropouts,
  gpt,
  perceptron,
  type Repeated,
  recurrent,
} from "../../support/repeated-graphs.ts";

let device: EngineDevice;
beforeAll(async () => {
  device = (await init({ device: "cpu", isolated: true })).device as EngineDevice;
  setDefaultDevice(device);
});

const binding = { key: 0, name: "buffer0", dtype: "f32", written: true } as const;

function kernel(code: string): KernelCode {
  return { label: "k", code, regions: [], bindings: [binding], workgroups: 1 };
}

/** The bits of a float32 number. */
const bitsOf = (x: number) => new Uint32Array(Float32Array.of(x).buffer)[0];

test("a kernel that is like no other has its numbers as literals", () => {
  const code = (start: number) => `a[${number(start)}] + b[${number(7)}] * ${number(-0.5, "f32")};`;
  const [one, other] = settle([kernel(code(3)), kernel("x")], new Map());
  expect(one).toMatchObject({ code: "a[3u] + b[7u] * (-0.5f);", numbers: [] });
  expect(other).toMatchObject({ code: "x", numbers: [] });
});

test("kernels that differ by numbers have one code, which reads those that differ", () => {
  const code = (start: number, by: number, shift: number) =>
    kernel(
      `a[${number(start)}] + ${number(7)} * ${number(by, "f32")} + ${number(shift, "i32")} + ` +
        `${number(start * 6)};`,
    );
  const settled = settle([code(3, 0.1, -4), code(5, -2.5, 4), code(3, 0.1, -4)], new Map());
  const [first] = settled;
  expect(first.code).toBe(
    "a[numbers[0][0]] + 7u * bitcast<f32>(numbers[0][1]) + bitcast<i32>(numbers[0][2]) + " +
      "numbers[0][3];\n@group(0) @binding(1) var<uniform> numbers: array<vec4u, 1>;\n",
  );
  for (const { code } of settled) expect(code).toBe(first.code);
  const all = [
    [3, bitsOf(0.1), 2 ** 32 - 4, 18],
    [5, bitsOf(-2.5), 4, 30],
    [3, bitsOf(0.1), 2 ** 32 - 4, 18],
  ];
  expect(settled.map(({ numbers }) => numbers)).toEqual(all);
});

test("a kernel shares the code of one that is there already, and reads more where more differs", () => {
  const code = (a: number, b: number) => kernel(`${number(a)} ${number(b)}`);
  const known = new Map<string, Pattern>();
  const [one] = settle([code(1, 2)], known);
  expect(one.code).toBe("1u 2u");
  known.set(one.pattern.text, one.pattern);
  const [two] = settle([code(1, 3)], known);
  expect(two).toMatchObject({ pattern: one.pattern, numbers: [3] });
  expect(two.code).toMatch(/^1u numbers\[0\]\[0\]\n/);
  const [three] = settle([code(1, 4)], known);
  expect(three).toMatchObject({ code: two.code, numbers: [4] });
  const [four] = settle([code(2, 4)], known);
  expect(four).toMatchObject({ numbers: [2, 4] });
});

test("floats are data only where a plan's own kernels differ by them: no bit depends on earlier plans", () => {
  const code = (start: number, by: number) => kernel(`${number(start)} * ${number(by, "f32")}`);
  const known = new Map<string, Pattern>();
  const [one] = settle([code(1, 0.5)], known);
  known.set(one.pattern.text, one.pattern);
  expect(settle([code(1, 0.75)], known)[0]).toMatchObject({ code: "1u * 0.75f", numbers: [] });
  expect(settle([code(3, 0.5)], known)[0]).toMatchObject({ pattern: one.pattern, numbers: [3] });
  const both = settle([code(1, 0.5), code(1, 0.75)], known);
  expect(both.map(({ numbers }) => numbers)).toEqual([[bitsOf(0.5)], [bitsOf(0.75)]]);
  expect(settle([code(4, 0.5)], known)[0]).toMatchObject({ pattern: one.pattern, numbers: [4] });
});

test("numbers by which code is chosen stay in it", () => {
  expect(number(0)).toBe("0u");
  expect(number(0, "f32")).toBe("0.0f");
  expect(number(-0, "f32")).toBe("bits_to_f32(0x80000000u)");
  expect(number(1e-50, "f32")).toBe("0.0f");
  expect(number(Number.NaN, "f32")).toBe("bits_to_f32(0x7fc00000u)");
  expect(number(Number.POSITIVE_INFINITY, "f32")).toBe("bits_to_f32(0x7f800000u)");
  expect(number(-2147483648, "i32")).toBe("(-2147483647i - 1i)");
  expect(number(1, "bool")).toBe("true");
  expect(number(10)).toBe("⟨10u⟩");
});

const NETS = {
  "time steps of a recurrent net": [recurrent, 4, 40],
  "time steps of a gated recurrent net": [(steps) => recurrent(steps, true), 4, 16],
  "layers with masks of their own": [dropouts, 5, 10],
  "equal layers": [perceptron, 4, 10],
  "blocks of a decoder": [(blocks) => gpt(blocks, { length: 8, size: 16 }), 2, 3],
} satisfies Record<string, [(count: number) => Repeated, number, number]>;

/** How many dispatches a step of a net takes, and how many pipelines. */
const counted = new Map<string, { dispatches: number; pipelines: number }>();

beforeAll(async () => {
  for (const [name, [make, ...counts]] of Object.entries(NETS)) {
    for (const count of counts) {
      const program = await stepProgram(device, make(count));
      for (const kind of ["direct", "workgroup"] as const) {
        const codes = (await kernelsOf(program, kind)).map(({ code }) => code);
        const found = { dispatches: codes.length, pipelines: new Set(codes).size };
        counted.set(`${count} ${name}, ${kind}`, found);
      }
    }
  }
}, 60_000);

test.each([
  // The net, the kind of kernels, pipelines of few and of many, dispatches of many.
  ["time steps of a recurrent net", "direct", 10, 10, 84],
  ["time steps of a recurrent net", "workgroup", 12, 12, 123],
  ["time steps of a gated recurrent net", "direct", 15, 19, 81],
  ["time steps of a gated recurrent net", "workgroup", 14, 14, 82],
  ["layers with masks of their own", "direct", 7, 7, 21],
  ["layers with masks of their own", "workgroup", 8, 9, 26],
  ["equal layers", "direct", 9, 9, 23],
  ["equal layers", "workgroup", 10, 10, 28],
  ["blocks of a decoder", "direct", 38, 38, 101],
  ["blocks of a decoder", "workgroup", 39, 39, 101],
] as const)("%s, %s: pipelines and dispatches", (name, kind, few, many, dispatches) => {
  const [a, b] = NETS[name].slice(1).map((count) => counted.get(`${count} ${name}, ${kind}`));
  expect(a?.pipelines).toBeLessThanOrEqual(few);
  expect(b?.pipelines).toBeLessThanOrEqual(many);
  expect(b?.dispatches).toBeLessThanOrEqual(dispatches);
});
