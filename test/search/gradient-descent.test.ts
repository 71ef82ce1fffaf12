import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  add,
  type Device,
  evaluate,
  exp,
  mul,
  Parameter,
  sin,
  slice,
  square,
  sub,
  sum,
  Tensor,
  tensor,
} from "../../src/index.ts";
import {
  type GradientDescentOptions,
  gradientDescent,
  numericalGradient,
} from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const bowl = (x: Tensor) => sum(square(x));

describe("gradientDescent", () => {
  test("goes down a bowl by the factor 1 − 2 · learningRate in each step", async () => {
    using start = tensor([-3, 4]);
    const { x, steps, history } = await gradientDescent(bowl, start, {
      learningRate: 0.1,
      steps: 20,
      history: true,
    });
    expect(steps).toBe(20);
    expect(history).toHaveLength(20);
    for (const [i, { x: point, value }] of history.entries()) {
      expectClose(point, [-3 * 0.8 ** i, 4 * 0.8 ** i]);
      expect(value).toBeCloseTo(25 * 0.64 ** i, 4);
    }
    expectClose(await x.data(), [-3 * 0.8 ** 20, 4 * 0.8 ** 20]);
    expect([...(await start.data())]).toEqual([-3, 4]);
    x.dispose();
  });

  test("leaves nothing behind where the function throws", async () => {
    using start = tensor([1, 2]);
    evaluate(start);
    const before = held(device);
    const fails = () => {
      throw new Error("no value");
    };
    const going = gradientDescent(fails, start, { learningRate: 1, steps: 3, history: true });
    await expect(going).rejects.toThrow("no value");
    expect(held(device)).toBe(before);
  });

  test("leaves nothing behind where a value cannot be read", async () => {
    using start = tensor([1, 2]);
    evaluate(start);
    const before = held(device);
    const read = vi.spyOn(Tensor.prototype, "item");
    read.mockResolvedValueOnce(1).mockRejectedValueOnce(new Error("cannot be read"));
    const options = { learningRate: 0.1, steps: 9, tolerance: 0.1, history: true };
    await expect(gradientDescent(bowl, start, options)).rejects.toThrow("cannot be read");
    expect(read).toHaveBeenCalledTimes(2);
    read.mockRestore();
    expect(held(device)).toBe(before);
  });

  test("leaves nothing behind but x", async () => {
    using start = tensor([1, 2]);
    evaluate(start);
    const before = held(device);
    const options = { learningRate: 0.1, steps: 3, tolerance: 0.1, history: true };
    const { x } = await gradientDescent(bowl, start, options);
    expect(held(device)).toBe(before + 1);
    x.dispose();
    expect(held(device)).toBe(before);
  });

  test("ends where the gradient is within the tolerance, before the step", async () => {
    const options = { learningRate: 0.25, steps: 50, tolerance: 1, history: true };
    const { x, steps, history } = await gradientDescent(bowl, tensor([8]), options);
    // |∇f| = 2 |x| with x = 8, 4, 2, 1, ½
    expect(steps).toBe(4);
    expect(history.map((place) => place.x[0])).toEqual([8, 4, 2, 1, 0.5]);
    expect([...(await x.data())]).toEqual([0.5]);
  });

  test("finds the minimum of a narrow valley", async () => {
    // Rosenbrock's function, least at (1, 1)
    const valley = (p: Tensor) => {
      const [a, b] = [0, 1].map((i) => slice(p, [{ start: i, end: i + 1 }]));
      return sum(add(square(sub(1, a)), mul(square(sub(b, square(a))), 100)));
    };
    const { x, history } = await gradientDescent(valley, tensor([-0.5, 0.5]), {
      learningRate: 0.001,
      steps: 10_000,
    });
    expectClose(await x.data(), [1, 1], 1);
    expect(history).toEqual([]);
  });

  test.each<[string, GradientDescentOptions]>([
    ["learningRate -1; expected a finite number from 0", { learningRate: -1, steps: 1 }],
    ["steps 0.5; expected an integer from 1", { learningRate: 1, steps: 0.5 }],
    [
      "tolerance NaN; expected a finite number from 0",
      { learningRate: 1, steps: 1, tolerance: Number.NaN },
    ],
  ])("rejects %s", async (message, options) => {
    await expect(gradientDescent(bowl, tensor([1]), options)).rejects.toThrow(
      `gradientDescent: ${message}`,
    );
  });

  test("speaks of what the function gives", async () => {
    using start = tensor([1, 2]);
    const options = { learningRate: 0.1, steps: 1 };
    await expect(gradientDescent(square, start, options)).rejects.toThrow(
      "gradientDescent: f's result has shape [2]; expected a scalar. Reduce it, say with sum",
    );
    await expect(gradientDescent(() => 3 as never, start, options)).rejects.toThrow(
      "gradientDescent: input 0 is 3; expected a tensor",
    );
  });

  test("rejects whole numbers", async () => {
    const run = gradientDescent(bowl, tensor([1], { dtype: "i32" }), { learningRate: 1, steps: 1 });
    await expect(run).rejects.toThrow("gradientDescent: x0 has dtype i32; expected f32 or f64");
  });
});

describe("numericalGradient", () => {
  test("is near the derivative in the device's floats", async () => {
    const f = (x: Tensor) => sum(add(exp(x), sin(mul(x, 2))));
    using x = tensor([
      [0.2, -0.4],
      [1, 0],
    ]);
    using g = await numericalGradient(f, x, { epsilon: 1e-2 });
    expect(g.shape).toEqual([2, 2]);
    expectClose(
      await g.data(),
      [0.2, -0.4, 1, 0].map((v) => Math.exp(v) + 2 * Math.cos(2 * v)),
      2,
    );
  });

  test("of several tensors gives one gradient for each", async () => {
    const [a, b] = await numericalGradient(
      (p, q) => sum(mul(square(p), q)),
      [tensor([1, 2]), tensor(3)],
      { epsilon: 0.5 }, // exact for a square
    );
    expectClose(await a.data(), [6, 12]);
    expect(b.shape).toEqual([]);
    expect(await b.item()).toBeCloseTo(5);
  });

  test("of parameters that are read elsewhere leaves them as they were", async () => {
    using p = new Parameter(tensor([1, 2]), { name: "p" });
    using c = tensor([3, 4]);
    const before = device.memory().bytes;
    const [g] = await numericalGradient(() => sum(mul(square(p), c)), [p], { epsilon: 0.5 });
    expectClose(await g.data(), [6, 16]);
    g.dispose();
    expect(p.version).toBe(0);
    expect([...(await p.data())]).toEqual([1, 2]);
    expect(device.memory().bytes).toBeLessThanOrEqual(before + 2 * 64); // the two that were uploaded
  });

  test("of parameters comes out of a function that throws without a change", async () => {
    using p = new Parameter(tensor([1, 2]), { name: "p" });
    const fails = () => {
      throw new Error("no");
    };
    await expect(numericalGradient(fails, [p])).rejects.toThrow("no");
    expect([...(await p.data())]).toEqual([1, 2]);
    await expect(numericalGradient(() => square(p), p)).rejects.toThrow(
      "numericalGradient: f gives shape [2]; expected a scalar",
    );
    expect([...(await p.data())]).toEqual([1, 2]);
  });

  test("rejects whole numbers and other distances", async () => {
    await expect(numericalGradient(bowl, tensor([1], { dtype: "i32" }))).rejects.toThrow(
      "numericalGradient: x has dtype i32; expected f32 or f64",
    );
    await expect(numericalGradient(bowl, tensor([1]), { epsilon: 0 })).rejects.toThrow(
      "numericalGradient: epsilon 0; expected a finite number above 0",
    );
  });
});
