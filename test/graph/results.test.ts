import { beforeAll, describe, expect, test } from "vitest";
import { jointly } from "../../src/graph/jointly.ts";
import { type Attributes, defineOp } from "../../src/graph/op.ts";
import { applyAll } from "../../src/graph/tensor.ts";
import {
  add,
  compile,
  type Device,
  debug,
  div,
  evaluate,
  grad,
  moments,
  mul,
  Parameter,
  sqrt,
  sub,
  sum,
  type Tensor,
  tensor,
  variance,
} from "../../src/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** The cotangents that were given, by whether they are there. */
const given: boolean[][] = [];

/** y = a + b, z = a − b, computed element by element. */
const bothOp = defineOp<Attributes>({
  name: "both",
  infer: ([a]) => [a, a],
  linear: true,
  cpuAll: (results, [a, b]) =>
    results.forEach((y, k) => {
      y?.data.forEach((_, i) => {
        y.data[i] = k === 0 ? a.data[i] + b.data[i] : a.data[i] - b.data[i];
      });
    }),
  form: {
    kind: "pointwise",
    element: ({ at, load, result, scalars }) =>
      scalars("f32").call(result === 0 ? "+" : "-", load(0, at), load(1, at)),
  },
  vjp: null,
  vjpAll: jointly((gs) => {
    given.push(gs.map((g) => g !== null));
    const terms = (sign: number) => gs.flatMap((g, k) => (g ? mul(g, k === 0 ? 1 : sign) : []));
    return [1, -1].map((sign) => terms(sign).reduce((a, b) => add(a, b)));
  }),
});
const both = (a: Tensor, b: Tensor) => applyAll(bothOp, [a, b], {});
const rows = () =>
  tensor([
    [1, 2, 6],
    [4, 4, 4],
  ]); // means 3 and 4, variances 14/3 and 0

const near = (values: readonly number[]) => values.map((value) => expect.closeTo(value, 5));

describe("an op with several results", () => {
  test("gives each on its own, in any order", async () => {
    const { mean, variance } = moments(rows(), { axis: 1 });
    expect(await variance.toArray()).toEqual(near([14 / 3, 0]));
    expect(await mean.toArray()).toEqual([3, 4]);
    const [y, z] = both(tensor([5, 7]), tensor([1, 2]));
    expect(await z.toArray()).toEqual([4, 5]);
    expect(await y.toArray()).toEqual([6, 9]);
  });

  test("computes those that are wanted together once, and the others not at all", async () => {
    const all = compile((x: Tensor) => moments(x, { axis: 1 }));
    const one = compile((x: Tensor) => variance(x, { axis: 1 }));
    const again = compile((x: Tensor) => {
      const twice = [moments(x, { axis: 1 }), moments(x, { axis: 1 })];
      return [twice[0].mean, twice[1].variance];
    });
    const x = rows();
    const plans = await Promise.all([all, one, again].map((fn) => fn.prepare(x)));
    const [a, b, c] = await Promise.all(plans.map((plan) => plan.stats()));
    for (const { kernels, flops } of [a, b, c]) {
      expect(kernels.map(({ groups }) => groups)).toEqual([[["moments"]]]);
      expect(flops).toBe(a.flops);
    }
    expect([a, b, c].map(({ bytes }) => bytes)).toEqual([40, 32, 40]);
    if (inBrowser) expect(a.kernels[0].bindings).toBe(3);
    if (inBrowser) expect(b.kernels[0].bindings).toBe(2);
    const [mean, spread] = await again(x);
    expect(await mean.toArray()).toEqual([3, 4]);
    expect(await spread.toArray()).toEqual(near([14 / 3, 0]));
  });

  test("takes what follows one of them into its kernel, and not what needs two", async () => {
    const normalize = compile((x: Tensor) => {
      const { mean, variance } = moments(x, { axis: 1, keepDims: true });
      return div(sub(x, mean), sqrt(add(variance, 1e-5)));
    });
    const follow = compile((x: Tensor) => {
      const { mean, variance } = moments(x, { axis: 1 });
      return [mul(mean, 2), sqrt(variance), add(mean, variance)];
    });
    const x = rows();
    const plans = [await normalize.prepare(x), await follow.prepare(x)];
    const stats = await Promise.all(plans.map((plan) => plan.stats()));
    if (inBrowser) expect(stats.map(({ dispatches }) => dispatches)).toEqual([2, 2]);
    expect((await (await normalize(x)).data())[2]).toBeCloseTo(3 / Math.sqrt(14 / 3), 4);
    const [twice, deviation, total] = await follow(x);
    expect(await twice.toArray()).toEqual([6, 8]);
    expect(await deviation.toArray()).toEqual(near([Math.sqrt(14 / 3), 0]));
    expect(await total.toArray()).toEqual(near([3 + 14 / 3, 4]));
  });

  test("hands all cotangents to its gradient at once, null where there is none", async () => {
    const [a, b] = [tensor([1, 2]), tensor([3, 5])];
    const [y, z] = both(a, b);
    given.length = 0;
    const [da, db] = grad(sum(add(mul(y, 2), mul(z, z))), [a, b]);
    expect(given).toEqual([[true, true]]);
    expect(await da.toArray()).toEqual([2 + 2 * (1 - 3), 2 + 2 * (2 - 5)]);
    expect(await db.toArray()).toEqual([2 - 2 * (1 - 3), 2 - 2 * (2 - 5)]);
    const [dz] = grad(sum(z), [b]);
    expect(given[1]).toEqual([false, true]);
    expect(await dz.toArray()).toEqual([-1, -1]);
    // With one of them as a target, nothing below it is asked.
    const [own] = grad(sum(mul(y, z)), [y]);
    expect(given).toHaveLength(2);
    expect(await own.toArray()).toEqual([-2, -3]);
  });

  test("has gradients of gradients, through results that nobody has asked for", async () => {
    const x = tensor([1, 2, 6]);
    const [dx] = grad(moments(x).variance, [x]); // 2 (x − mean) / 3, which needs the mean
    const [ddx] = grad(sum(mul(dx, tensor([1, 0, 0]))), [x]);
    expect(await dx.toArray()).toEqual(near([-4 / 3, -2 / 3, 2]));
    expect(await ddx.toArray()).toEqual(near([4 / 9, -2 / 9, -2 / 9]));
  });

  test("may be evaluated before its gradient where a parameter lies below", async () => {
    const w = new Parameter(tensor([1, 2, 6]));
    const { mean, variance } = moments(w);
    evaluate(mean, variance);
    const [dw] = grad(add(mean, variance), [w]);
    expect(await dw.toArray()).toEqual(near([1 / 3 - 4 / 3, 1 / 3 - 2 / 3, 1 / 3 + 2]));
  });

  test("frees each result by itself", async () => {
    const before = held(device);
    const x = rows();
    const { mean, variance } = moments(x, { axis: 1 });
    evaluate(mean, variance);
    expect(held(device)).toBe(before + 3);
    mean.dispose();
    x.dispose();
    expect(await variance.toArray()).toEqual(near([14 / 3, 0]));
    variance.dispose();
    expect(held(device)).toBe(before);
  });

  test("tells debug which op made a NaN", async () => {
    const broken = () => variance(div(tensor([1, 2]), 0));
    await expect(debug(() => broken())).rejects.toThrow(/infinity made by div/);
    const inside = () => moments(tensor([1e30, -1e30, 0])).variance;
    if (inBrowser) await expect(debug(inside)).rejects.toThrow(/infinity made by moments/);
  });
});
