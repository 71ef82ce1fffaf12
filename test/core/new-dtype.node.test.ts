import { afterAll, beforeAll, describe, expect, test, vi } from "vitest";
import type { DType, ElementType } from "../../src/core/dtype.ts";

/** A dtype that Gradus lacks, whose elements are computed in f32 and lie in buffers as f16. */
const bf16 = "bf16" as DType;

let row: ElementType;

// All is loaded anew, behind a table that has this row, so that other tests have theirs.
beforeAll(async () => {
  vi.resetModules();
  const { DTYPE_NAMES, DTYPES } = await import("../../src/core/dtype.ts");
  row = {
    ...DTYPES.f32, // its typed array too: engines of today have none of 16 bits
    convert: (value) => Math.round(value * 1024) / 1024,
    epsilon: 2 ** -10,
    digits: 3,
    word: "f16",
    wordBytes: 2,
  };
  Object.assign(DTYPES, { [bf16]: row });
  (DTYPE_NAMES as DType[]).push(bf16);
  const { testDevice } = await import("../support/device.ts");
  await testDevice();
});

afterAll(() => {
  vi.resetModules();
});

describe("all that a new dtype takes is a row in the table", () => {
  test("to be made, cast, computed with, differentiated and shown", async () => {
    const { cast, grad, max, mean, relu, sum, square, tensor } = await import("../../src/index.ts");
    const x = tensor([-1, 2.00001, 3], { dtype: bf16 });
    const y = mean(square(relu(x)));
    const [g] = grad(y, [x]);
    expect([y.dtype, g.dtype, sum(x).dtype]).toEqual([bf16, bf16, bf16]);
    expect([...(await g.data())].map(row.convert)).toEqual([0, 4 / 3, 2].map(row.convert));
    expect(await max(cast(x, "i32")).item()).toBe(3);
    expect(await cast(tensor([1.00001]), bf16).item()).toBeCloseTo(1);
  });

  test("to be trained with, and named by messages and files", async () => {
    const { gather, Parameter, sum, square, tensor } = await import("../../src/index.ts");
    const { SGD } = await import("../../src/optim/index.ts");
    const { saveSafetensors } = await import("../../src/io/index.ts");
    const w = new Parameter(tensor([1, 2], { dtype: bf16 }));
    new SGD([w], { learningRate: 0.25 }).step(sum(square(w)));
    expect(await w.toArray()).toEqual([0.5, 1]);
    const n = tensor([1], { dtype: "i32" });
    expect(() => new SGD([new Parameter(n)], { learningRate: 1 })).toThrow(
      "has dtype i32; expected f32, f64 or bf16",
    );
    expect(() => gather(w, w)).toThrow("indices have dtype bf16; expected i32 or u32");
    // The stand-in for its typed array is no array of 16 bits, which the writer of files notices.
    await expect(saveSafetensors(new Map([["w", w]]))).rejects.toThrow("BF16");
  });

  test("to be read, accumulated in f32 and stored by kernels", async () => {
    const { add, argmax, matmul, relu, softmax, sum, tensor } = await import("../../src/index.ts");
    const { generate } = await import("../../src/devices/webgpu/codegen.ts");
    const { jobsOf } = await import("../../src/devices/webgpu/jobs.ts");
    const { trace } = await import("../../src/engine/program.ts");
    const { scheduleOf } = await import("../../src/engine/schedule.ts");
    const { simplify } = await import("../../src/engine/simplify.ts");
    const { byRule } = await import("../../src/kernels/choose.ts");
    type Tensor = ReturnType<typeof tensor>;
    const codeOf = (y: Tensor, workgroupMemory: boolean) => {
      const schedule = scheduleOf(simplify(trace([y.node], "test").program), 8);
      const traits = { workgroupMemory, threads: 64, quads: false };
      return generate(schedule, jobsOf(schedule, byRule(traits))).code;
    };
    const x = tensor(new Float32Array(64), { dtype: bf16, shape: [8, 8] });
    for (const tiles of [false, true]) {
      const product = codeOf(relu(add(matmul(x, x), x)), tiles);
      expect(product).toContain("array<vec4<f16>>");
      expect(product).toContain("alias Acc = f32;");
      expect(product).toMatch(/fn load_a4\([^)]*\) -> vec4<f32>/);
      expect(product).toMatch(/= buffer\d\[.*\];\n {2}return .*vec4<f32>\(t\d\)/);
      expect(product).toMatch(/\[t\d+ >> 2u\] = vec4<f16>\((?:t\d+|f16\(t\d+\))/);
      for (const y of [sum(x, { axis: 1 }), softmax(x), argmax(x, { axis: 1 })]) {
        const code = codeOf(y, tiles);
        expect(code).toContain("alias Acc = f32;");
        const load = code.slice(code.indexOf("fn load_x"), code.indexOf("fn store_y"));
        expect(load).toMatch(/^fn load_x\([^)]*\) -> f32 /);
        expect(load).toMatch(/f32\(\w+\)|f32\(buffer0\[/);
      }
    }
  });
});
