import { beforeAll, expect, test } from "vitest";
import { lower } from "../../src/engine/lower.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import { grad, type Tensor, tensor } from "../../src/index.ts";
import * as ops from "../../src/ops/index.ts";
import { testDevice } from "../support/device.ts";
import { TRAITS } from "../support/plan-kernels.ts";

let x: Tensor; // [64, 128]
let b: Tensor; // [128]
beforeAll(async () => {
  await testDevice();
  x = tensor(new Float32Array(64 * 128).fill(0.5), { shape: [64, 128] });
  b = tensor(new Float32Array(128).fill(2));
});

/** How many kernels compute a tensor on a GPU. */
function kernels(y: Tensor): number {
  const { program } = trace([y.node], "test");
  return scheduleOf(lower(simplify(program), TRAITS.workgroup), 8).groups.length;
}

const row = { axis: 1 };
const { relu6, hardTanh, hardSigmoid, hardSwish, softsign, mish, selu, celu } = ops;
const { tanhShrink, softShrink, hardShrink, fract, nanToNum, glu, swiglu } = ops;
/** Functions of x that are made of other ops, each with its gradient in one kernel. */
const elementwise: Record<string, (a: Tensor) => Tensor> = {
  ...{ relu6, hardTanh, hardSigmoid, hardSwish, softsign, mish, selu, celu },
  ...{ tanhShrink, softShrink, hardShrink, fract, nanToNum, glu, swiglu },
  prelu: (a) => ops.prelu(a, b),
  threshold: (a) => ops.threshold(a, 0.1, 3),
  lerp: (a) => ops.lerp(a, b, 0.3),
  remainder: (a) => ops.remainder(a, b),
  nanSum: (a) => ops.nanSum(a, row),
  "norm, 1": (a) => ops.norm(a, { ...row, order: 1 }),
};

test.each(Object.entries(elementwise))("%s and its gradient are one kernel each", (_, f) => {
  expect(kernels(f(x))).toBe(1);
  expect(kernels(grad(ops.sum(f(x)), [x])[0])).toBe(1);
});

test.each([
  ["nanMean", (a: Tensor) => ops.nanMean(a, row)],
  ["std", (a: Tensor) => ops.std(a, row)],
  ["prod", (a: Tensor) => ops.prod(a, row)],
  ["any", (a: Tensor) => ops.any(a, row)],
  ["all", (a: Tensor) => ops.all(a, row)],
  ["countNonZero", (a: Tensor) => ops.countNonZero(a, row)],
  ["norm, ∞", (a: Tensor) => ops.norm(a, { ...row, order: Number.POSITIVE_INFINITY })],
  ["argmax, last", (a: Tensor) => ops.argmax(a, { ...row, ties: "last" })],
])("%s is one kernel", (_, f) => {
  expect(kernels(f(x))).toBe(1);
});

test("norms are two, which find a scale first, and medians sort", () => {
  expect(kernels(ops.norm(x, row))).toBe(2);
  expect(kernels(ops.norm(x, { ...row, order: 3 }))).toBe(2);
  expect(kernels(ops.median(x, row))).toBe(2);
});

test("the gradient of a product takes kernels by the logarithm of its length", () => {
  const slope = (n: number) => {
    const a = ops.slice(x, [{}, { end: n }]);
    return kernels(grad(ops.sum(ops.prod(a, row)), [a])[0]);
  };
  expect([2, 16, 128].map(slope)).toEqual([1, 2, 7]);
});
