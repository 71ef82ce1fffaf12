import { beforeAll, expect, test } from "vitest";
import {
  add,
  argmax,
  customGrad,
  DisposedError,
  DTypeError,
  evaluate,
  GradusError,
  gather,
  grad,
  gradCheck,
  hessian,
  init,
  jacobian,
  matmul,
  mul,
  Parameter,
  ShapeError,
  sigmoid,
  square,
  sum,
  type Tensor,
  tensor,
  valueAndGrad,
} from "../../src/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

test("the gradient of Σ x² is 2x", async () => {
  const x = tensor([1, -2, 3]);
  const [dx] = grad(sum(square(x)), [x]);
  expect(await dx.toArray()).toEqual([2, -4, 6]);
});

test("ways that meet are added", async () => {
  const x = tensor([2, 5]);
  const y = mul(x, 3);
  const [dx] = grad(sum(add(mul(x, y), y)), [x]); // 3x² + 3x
  expect(await dx.toArray()).toEqual([15, 33]);
});

test("gradients differentiate again: x³ gives 3x², 6x, 6", async () => {
  const x = tensor([2]);
  const first = grad(sum(mul(x, square(x))), [x])[0];
  const second = grad(sum(first), [x])[0];
  const third = grad(sum(second), [x])[0];
  expect([await first.item(), await second.item(), await third.item()]).toEqual([12, 12, 6]);
});

test("a target may be an intermediate value, or y itself", async () => {
  const x = tensor([3]);
  const h = square(x);
  const y = sum(mul(h, 2));
  const [dh, dx, dy] = grad(y, [h, x, y]);
  expect([await dh.item(), await dx.item(), await dy.item()]).toEqual([2, 12, 1]);
});

test("valueAndGrad gives both, one gradient for each argument", async () => {
  const f = valueAndGrad((a, b) => sum(matmul(a, b)));
  const { value, grads } = f(tensor([[1, 2]]), tensor([[3], [4]]));
  expect(await value.item()).toBe(11);
  expect(await grads[0].toArray()).toEqual([[3, 4]]);
  expect(await grads[1].toArray()).toEqual([[1], [2]]);
});

test("a row gathered twice gets both cotangents", async () => {
  const x = tensor([[1], [2], [3]]);
  const y = gather(x, tensor([0, 2, 0], { dtype: "i32" }));
  const [dx] = grad(sum(mul(y, tensor([[1], [10], [100]]))), [x]);
  expect(await dx.toArray()).toEqual([[101], [0], [10]]);
});

test("what no target leads to is not walked", async () => {
  const [x, c] = [tensor([2]), tensor([5])];
  let walked = 0;
  const f = customGrad(
    (v) => square(v),
    (g) => {
      walked++;
      return [g];
    },
  );
  const y = sum(mul(x, f(c)));
  expect(await grad(y, [x])[0].item()).toBe(25);
  expect(walked).toBe(0);
  grad(y, [c]);
  expect(walked).toBe(1);
});

test("what cannot be differentiated says why", () => {
  const x = tensor([1, 2]);
  expect(() => grad(square(x), [x])).toThrow(
    new ShapeError("grad: y has shape [2]; expected a scalar. Reduce it, say with sum"),
  );
  expect(() => grad(argmax(x), [x])).toThrow(
    new DTypeError("grad: y has dtype i32; expected f32 or f64"),
  );
  expect(() => grad(sum(square(x)), [x, argmax(x)])).toThrow(
    new DTypeError("grad: target 1 has dtype i32; expected f32 or f64"),
  );
  expect(() => grad(sum(square(x)), [argmax(x), x])).toThrow(
    new DTypeError("grad: target 0 has dtype i32; expected f32 or f64"),
  );
  expect(() => grad(sum(square(x)), [tensor([1, 2])])).toThrow(
    new GradusError(
      "grad: y does not depend on target 0 of shape [2]; expected targets that it was computed " +
        "from. A graph without a Parameter is dropped once evaluated: take gradients first",
    ),
  );
  const h = square(x);
  x.dispose();
  expect(() => grad(sum(h), [h])).toThrow(
    new DisposedError(
      "grad: y depends on a tensor that was disposed; evaluate it before disposing",
    ),
  );
});

test("a graph without a parameter is dropped once evaluated, and says so", () => {
  const x = tensor([1, 2]);
  const y = sum(square(x));
  evaluate(y);
  expect(() => grad(y, [x])).toThrow(/A graph without a Parameter is dropped once evaluated/);
});

test("errors carry the name of what was called", async () => {
  const { device } = await init({ device: "cpu", isolated: true });
  const x = tensor([1, 2], { dtype: "f64", device });
  const whole = tensor([1, 2], { dtype: "i32", device });
  const y = sum(square(x));
  const notScalar = "has shape [2]; expected a scalar. Reduce it, say with sum";
  const noFloat = "has dtype i32; expected f32 or f64";
  const calls: [() => unknown, string][] = [
    [() => valueAndGrad((a) => square(a))(x), `valueAndGrad: fn's result ${notScalar}`],
    [() => valueAndGrad((a, _: Tensor) => sum(a))(x, whole), `valueAndGrad: target 1 ${noFloat}`],
    [
      () => valueAndGrad((_: Tensor) => 3 as never)(x),
      "valueAndGrad: input 0 is 3; expected a tensor",
    ],
    [
      () => valueAndGrad((_: Tensor) => y)(3 as never),
      "valueAndGrad: input 0 is 3; expected a tensor",
    ],
    [() => jacobian(y, [x, whole]), `jacobian: target 1 ${noFloat}`],
    [() => jacobian(whole, [x]), `jacobian: y ${noFloat}`],
    [() => hessian(y, whole), `hessian: x ${noFloat}`],
    [() => hessian(square(x), x), `hessian: y ${notScalar}`],
    [() => gradCheck((a) => square(a), [x]), `gradCheck: fn's result ${notScalar}`],
    [() => gradCheck(() => 3 as never, [x]), "gradCheck: input 0 is 3; expected a tensor"],
    [() => gradCheck(() => sum(x), [x.mul(2)]), "gradCheck: fn's result does not depend on"],
    [() => new SGD([new Parameter(x)], { learningRate: 1 }).step(square(x)), "SGD: loss has shape"],
  ];
  for (const [call, says] of calls) await expect((async () => call())()).rejects.toThrow(says);
});

test("gradCheck accepts right gradients and names the input of a wrong one", async () => {
  const { device } = await init({ device: "cpu", isolated: true });
  const x = tensor([0.3, -0.7], { dtype: "f64", device });
  const [{ error }] = await gradCheck((a) => sum(sigmoid(a)), [x]);
  expect(error).toBeLessThan(1e-8);
  let call = 0;
  const wrong = gradCheck((a) => sum(a.mul(++call)), [x]);
  await expect(wrong).rejects.toThrow(/^gradCheck: input 0 has slope .* by the graph and/);
  await expect(gradCheck((a) => sum(a), [tensor([1], { device })])).rejects.toThrow(
    "gradCheck: an input has dtype f32; expected f64 on the cpu device",
  );
});

test("what is no tensor is refused by name", () => {
  const wrong = 3 as unknown as ReturnType<typeof tensor>;
  expect(() => sigmoid(wrong)).toThrow(
    new GradusError("sigmoid: input 0 is 3; expected a tensor. Use tensor(value)"),
  );
});

test("customGrad takes more arguments than a kernel may read buffers", async () => {
  const args = Array.from({ length: 40 }, (_, i) => tensor([i]));
  const f = customGrad(
    (...x) => mul(x[0], x[39]),
    (g, _, ...x) => x.map((v) => mul(g, v)),
  );
  const y = f(...args);
  const gradients = grad(sum(y), args);
  expect(await y.item()).toBe(0);
  expect(await gradients[7].item()).toBe(7);
});
