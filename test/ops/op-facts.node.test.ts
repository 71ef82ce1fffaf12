import { expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { flopsOf } from "../../src/engine/stats.ts";
import { defineOp, type OpDefinition } from "../../src/graph/op.ts";
import { apply, type Tensor } from "../../src/graph/tensor.ts";
import { cast, compile, explain, full, grad, init, mul, sum, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

/** y = 2x: an op whose form is asked for its kind, and for nothing else. */
const formless: OpDefinition<Record<string, never>> = defineOp<Record<string, never>>({
  name: "formless",
  scalar: () => (x) => 2 * x,
  cost: 3,
  linear: true,
  form: new Proxy({ kind: "pointwise" } as never, {
    get: (form, key) => {
      if (key !== "kind") throw new Error(`its form was asked for ${String(key)}`);
      return form[key];
    },
  }),
  vjp: (g) => [double(g)],
});

function double(x: Tensor): Tensor {
  return apply(formless, [x], {});
}

test("what holds on every device is known without an op's kernels", async () => {
  const { device } = await init({ device: "cpu", engine: "plain", isolated: true });
  const x = tensor([1, -2], { device });
  expect(await double(x).toArray()).toEqual([2, -4]);
  const [dx] = grad(sum(double(mul(x, x))), [x]);
  expect(await dx.toArray()).toEqual([4, -8]);
  const step = compile((z: Tensor) => sum(double(z)));
  expect(await (await step(x)).item()).toBe(-2);
  expect(await explain(step.plans[0])).toContain("formless");
  expect(await step.profile(x)).toHaveProperty("kernels.length", 2);
});

test("gradients go through casts between floats, and no other", async () => {
  const device = await testDevice();
  const x = tensor([1.5, 2], { device });
  const w = tensor(Float64Array.of(3, 0.1), { device });
  const [dx] = grad(sum(mul(cast(x, "f64"), w)), [x]);
  expect([dx.dtype, await dx.toArray()]).toEqual(["f32", [3, Math.fround(0.1)]]);
  for (const whole of ["i32", "bool"] as const) {
    const [none] = grad(sum(cast(cast(x, whole), "f32")), [x]);
    expect(await none.toArray()).toEqual([0, 0]);
  }
});

test("constants are folded and arithmetic counted without an op's kernels", async () => {
  const x = full([5], 3, { device: await testDevice() });
  const { program } = trace([double(x).node], "test");
  expect(flopsOf(program, program.steps.length - 1)).toBe(15);
  const { steps } = simplify(program);
  expect(steps.map(({ op, attributes }) => [op?.name, attributes.value])).toEqual([["fill", 6]]);
});
