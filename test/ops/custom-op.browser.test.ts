import { beforeAll, expect, test, vi } from "vitest";
import type { GpuDevice } from "../../src/devices/webgpu/gpu-device.ts";
import {
  add,
  customOp,
  evaluate,
  init,
  KernelError,
  mul,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { lambertW, laplacian } from "../support/custom-ops.ts";
import { testDevice } from "../support/device.ts";
import { PATIENT } from "../support/patient.ts";

beforeAll(async () => {
  await testDevice();
});

const pointwise = (wgsl: string, more = {}) =>
  customOp({ name: "wrong", inputs: ["x"], wgsl, cpu: (x) => x, ...more });
const kernel = (wgsl: string) =>
  customOp({ name: "wrong", inputs: ["x"], shape: (x) => x, wgsl, cpu: () => {} });

const rows: readonly [what: string, op: (x: Tensor) => Tensor, message: RegExp][] = [
  ["a function that is not there", pointwise("x / (1.0 +\n  foo(x))"), /^wrong: wrong.wgsl:2:3: error: unresolved call target 'foo'/],
  ["another file", pointwise("bar", { file: "kernels/bar.wgsl" }), /^wrong: kernels\/bar.wgsl:1:1: error: unresolved value 'bar'/],
  ["an open bracket", pointwise("x / (1.0 + abs(x)"), /^wrong: wrong.wgsl:1(:\d+)?: error: expected '\)'/],
  ["an expression of another type", pointwise("i32(x)"), /^wrong: wrong.wgsl:1: error: return statement type must match/],
  ["a function's line", pointwise("fn wrong(x: f32) -> f32 {\n  let y = 2;\n  return x + z;\n}"), /^wrong: wrong.wgsl:3:14: error: unresolved value 'z'/],
  ["a kernel's line", kernel("fn invocation(i: u32) {\n  let z = load_x(i);\n  store_y(i, z * bar);\n}"), /^wrong: wrong.wgsl:3:18: error: unresolved value 'bar'/],
  ["a kernel's index", kernel("\n\nfn invocation(i: u32) {\n  store_y(i, load_x(i, 0u));\n}"), /^wrong: wrong.wgsl:4:\d+: error: too many arguments in call to 'load_x'/],
]; // biome-ignore format: one line each

test.each(rows)(
  "a text that does not compile is refused by its line: %s",
  async (_, op, message) => {
    const error = await op(tensor([1, 2]))
      .data()
      .catch((e) => e);
    expect(error).toBeInstanceOf(KernelError);
    expect(error.message).toMatch(message);
  },
);

test("the line is the text's where others share the kernel", async () => {
  const x = tensor([1, 2]);
  const good = customOp({ name: "good", inputs: ["x"], wgsl: "x * 2.0", cpu: (x) => 2 * x });
  const bad = rows[4][1](mul(good(x), 3));
  evaluate(bad, add(x, 1));
  const error = await bad.data().catch((e) => e);
  expect(error.message).toMatch(/wrong.wgsl:3:14: error: unresolved value 'z'/);
});

test("a lost device computes again what ops of one's own had made", async () => {
  const lost = (await init({ device: "webgpu", isolated: true })).device as GpuDevice;
  await vi.waitFor(() => expect(lost.journal).not.toBeNull(), PATIENT);
  const values = Float32Array.from({ length: 12 }, (_, i) => i / 5);
  const x = tensor(values, { shape: [3, 4], device: lost });
  const made = () => laplacian(lambertW(x));
  const straight = await made().data();
  const y = made();
  evaluate(y);
  await lost.read(y.node, "data");
  lost.device.destroy();
  await lost.device.lost;
  await vi.waitFor(async () => expect(await y.data()).toEqual(straight), PATIENT);
  expect(await made().data()).toEqual(straight);
  lost.dispose();
});
