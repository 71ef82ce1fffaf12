import { beforeAll, describe, expect, test } from "vitest";
import {
  add,
  type Device,
  DTypeError,
  grad,
  hessian,
  jacobian,
  matmul,
  mul,
  ShapeError,
  slice,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const of = (...values: number[]) => tensor(values, { device });
const part = (x: Tensor, i: number) => sum(slice(x, [{ start: i, end: i + 1 }]));

/** Rosenbrock's function. */
function rosenbrock(v: Tensor): Tensor {
  const [x, y] = [part(v, 0), part(v, 1)];
  return add(mul(square(sub(y, square(x))), 100), square(sub(1, x)));
}

test("a jacobian has y's axes, then the target's", async () => {
  const a = tensor([[1, 2]], { device });
  const b = of(3);
  const [da, db] = jacobian(mul(a, b), [a, b]);
  expect(await da.toArray()).toEqual([[[[3, 0]], [[0, 3]]]]);
  expect(await db.toArray()).toEqual([[[1], [2]]]);
  const x = of(0, 0, 0);
  const p = await jacobian(softmax(x), [x])[0].data();
  const expected = [2, -1, -1, -1, 2, -1, -1, -1, 2]; // p (δ − p)
  for (const [i, value] of p.entries()) expect(value).toBeCloseTo(expected[i] / 9, 6);
});

test("that of a product of matrices is made of the matrices", async () => {
  const w = tensor([[1, 2, 3], [4, 5, 6]], { device }); // biome-ignore format: a matrix
  const x = of(7, 8, 9);
  expect(await jacobian(matmul(w, x), [x])[0].toArray()).toEqual(await w.toArray());
});

test("a hessian is that of the formula, and zeros of what is linear", async () => {
  const v = of(1, 2);
  // 1200 x² − 400 y + 2, −400 x, 200
  const expected = [
    [402, -400],
    [-400, 200],
  ];
  expect(await hessian(rosenbrock(v), v).toArray()).toEqual(expected);
  const zeros = [
    [0, 0],
    [0, 0],
  ];
  expect(await hessian(sum(mul(v, 3)), v).toArray()).toEqual(zeros);
});

test("both can be differentiated again", async () => {
  const v = of(1, 2);
  const [third] = grad(sum(hessian(rosenbrock(v), v)), [v]);
  expect(await third.toArray()).toEqual([2400 - 800, -400]);
  const [slope] = grad(sum(square(jacobian(square(v), [v])[0])), [v]);
  expect(await slope.toArray()).toEqual([8, 16]);
});

test("of nothing there is nothing", async () => {
  const x = tensor([], { device });
  expect(jacobian(square(x), [x])[0].shape).toEqual([0, 0]);
});

describe("what cannot be differentiated is refused", () => {
  test("by name", () => {
    const x = of(1, 2);
    const n = tensor([1], { dtype: "i32", device });
    expect(() => hessian(x, x)).toThrow(
      new ShapeError("hessian: y has shape [2]; expected a scalar. Reduce it, say with sum"),
    );
    expect(() => jacobian(n, [n])).toThrow(
      new DTypeError("jacobian: y has dtype i32; expected f32 or f64"),
    );
    expect(() => jacobian(x, x as never)).toThrow("jacobian: targets a Tensor; expected an array");
    expect(() => jacobian(of(1), [x])).toThrow("jacobian: y does not depend on target 0");
  });
});
