import { beforeAll, describe, expect, test } from "vitest";
import { programOf } from "../../../bench/growth/index.ts";
import { writeShared } from "../../../src/devices/webgpu/sharing.ts";
import type { WrittenProgram } from "../../../src/devices/webgpu/write.ts";
import type { EngineDevice } from "../../../src/engine/device.ts";
import type { PlanOptions } from "../../../src/engine/plan.ts";
import type { Program } from "../../../src/engine/program.ts";
import { simplify } from "../../../src/engine/simplify.ts";
import { total } from "../../../src/engine/stats.ts";
import type { Traits } from "../../../src/forms/traits.ts";
import {
  add,
  customOp,
  init,
  matmul,
  mul,
  Parameter,
  setDefaultDevice,
  sum,
  type Tensor,
  tanh,
  transpose,
  zeros,
} from "../../../src/index.ts";
import { byRule, traitsOf } from "../../../src/kernels/choose.ts";
import { TRAITS } from "../../support/plan-kernels.ts";
import { SMALL_RUNS } from "../../support/small-nets.ts";

let device: EngineDevice;
beforeAll(async () => {
  device = (await init({ device: "cpu", isolated: true })).device as EngineDevice;
  setDefaultDevice(device);
});

const GPU: Traits = { ...TRAITS.workgroup, phases: true };

interface Compiled {
  readonly program: Program;
  readonly options: PlanOptions;
}

function written({ program, options }: Compiled, traits = GPU, bindings = 8): WrittenProgram {
  const limits = {
    maxStorageBuffersPerShaderStage: bindings,
    maxComputeWorkgroupStorageSize: 16_384,
    maxStorageBufferBindingSize: 2 ** 27,
    maxBufferSize: 2 ** 28,
  } as GPUSupportedLimits;
  return writeShared(program, { device: { limits }, traits, choose: byRule(traits) }, options);
}

/** What a run compiles. */
async function compiled(make: () => { prepare(): Promise<unknown> }): Promise<Compiled> {
  const { session } = device;
  const { compile } = session;
  const all: Compiled[] = [];
  session.compile = (program, options) => {
    all.push({ program, options });
    return compile.call(session, program, options);
  };
  await make().prepare();
  session.compile = compile;
  return all[all.length - 1];
}

/** Assigns parameters what is made of them. */
function updating(pairs: readonly (readonly [Parameter, Tensor])[]): Compiled {
  const program = programOf(() => {
    for (const [p, value] of pairs) p.assign(value);
    return [];
  });
  return { program: simplify(program), options: { repeated: true } };
}

const barriers = ({ codes }: WrittenProgram) =>
  codes.map(({ code }) => code.match(/storageBarrier\(\)/g)?.length ?? 0);

describe("a step of a small net is one dispatch of one workgroup", () => {
  const apart: Record<string, number> = {
    "XOR 2-4-1, SGD": 5,
    "XOR 2-4-1, Adam": 5,
    "iris 4-8-3, momentum": 6,
    "iris 4-8-3, Adam, all 150": 6,
    "iris 4-8-3, Adam, shuffled batches of 16": 8,
    "two spirals 2-16-16-2, Adam": 8,
    "two spirals 2-16-16-2, Adam, shuffled batches of 64": 10,
    "20 individuals for XOR, 2-4-1": 7,
  };
  test.each(Object.entries(SMALL_RUNS))("%s", async (title, make) => {
    const own = await compiled(make);
    const { codes, jobs, values, sizes } = written(own);
    expect(codes.map(({ workgroups }) => workgroups)).toEqual([1]);
    expect(written(own, TRAITS.workgroup).codes).toHaveLength(apart[title]);
    // As many parts as dispatches, and values between them, would have.
    const [{ code, bindings }] = codes;
    expect(code.match(/\bfn main_\d+\(/g)?.length).toBeLessThanOrEqual(jobs[0].length);
    expect(bindings.length).toBeLessThanOrEqual(8);
    const last = Math.max(...values.map((value) => value.last));
    expect(last).toBeLessThanOrEqual(barriers({ codes } as WrittenProgram)[0]);
    expect(total(sizes)).toBeLessThan(total(values.map(({ bytes }) => 256 + bytes)));
  });
});

describe("one workgroup does", () => {
  const xor = () => compiled(SMALL_RUNS["XOR 2-4-1, Adam"]);

  test("as many dispatches as bind what a kernel may bind", async () => {
    const all = barriers(written(await xor(), GPU, 4));
    expect(all.length).toBeGreaterThan(1);
    expect(all.length).toBeLessThan(5);
    expect(Math.max(...all)).toBeGreaterThan(0);
  });

  test("nothing where a dispatch costs no more than a barrier, or what runs once", async () => {
    const { program, options } = await xor();
    for (const traits of Object.values(TRAITS)) {
      expect(total(barriers(written({ program, options }, traits)))).toBe(0);
    }
    const once = { program, options: { ...options, repeated: false } };
    expect(total(barriers(written(once)))).toBe(0);
  });

  test("what it has invocations for: 128 in the compatibility mode", async () => {
    const { codes } = written(await xor(), { ...GPU, invocations: 128 });
    expect(codes).toHaveLength(1);
    expect(codes[0].code).toContain("@workgroup_size(128)");
    expect(written(await xor()).codes[0].code).toContain("@workgroup_size(256)");
  });

  test.each([
    ["256 rows of 8", 256, 8, 8, true],
    ["so many rows that it would take too many turns", 2048, 8, 8, false],
    ["sums of 512 products", 8, 512, 8, true],
    ["sums that are too long for one invocation", 8, 516, 8, false],
    ["values that are too large", 4, 4, 2 ** 13, false],
  ])("%s: %i × %i × %i, %s", (_, m, k, n, isJoined) => {
    const [a, b, c] = [
      [m, k],
      [k, n],
      [m, n],
    ].map((shape) => new Parameter(zeros(shape)));
    const ab = tanh(matmul(a, b));
    const own = updating([
      [c, add(c, ab)],
      [a, add(a, matmul(ab, transpose(b)))],
    ]);
    const { codes } = written(own);
    expect(total(barriers({ codes } as WrittenProgram))).toBe(Number(isJoined));
    // What is not joined has the kernels that it has elsewhere.
    if (!isJoined) expect(codes).toEqual(written(own, TRAITS.workgroup).codes);
  });

  test("no kernel with barriers of its own", () => {
    const halves = customOp({
      name: "halves",
      inputs: ["x"],
      shape: (x) => x,
      wgsl: `
        fn group(k: u32, local: u32) {
          storageBarrier();
          if (local == 0u) { store_y(k, 0.5 * load_x(k)); }
        }`,
      cpu: ([x], y) => {
        for (let i = 0; i < y.data.length; i++) y.data[i] = x.data[i] / 2;
      },
      grid: ([n]) => n,
    });
    const p = new Parameter(zeros([8]));
    const plain = updating([[p, mul(p, sum(mul(p, p)))]]);
    expect(barriers(written(plain))).toEqual([1]);
    const own = updating([[p, mul(p, sum(halves(p)))]]);
    expect(written(own).codes.length).toBeGreaterThan(1);
    expect(total(barriers(written(own)))).toBe(1); // its own
  });
});

test("GPUs have phases, and adapters that a CPU emulates only where they are forced", () => {
  const limits = { maxComputeInvocationsPerWorkgroup: 256 };
  const gpu = { features: new Set<string>(), limits } as unknown as GPUDevice;
  const traits = (software: boolean, forced?: string) =>
    traitsOf({ name: "", software, direct: software }, gpu, forced).phases;
  expect([traits(false), traits(true)]).toEqual([true, false]);
  expect([traits(true, "workgroup"), traits(false, "direct")]).toEqual([true, false]);
});
