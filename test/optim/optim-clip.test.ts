import { beforeAll, expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  compile,
  type Device,
  evaluate,
  GradusError,
  Parameter,
  sub,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { type Clip, clipByGlobalNorm, clipByValue, SGD } from "../../src/optim/index.ts";
import { expectClose } from "../support/close.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { kernelsOf } from "../support/plan-kernels.ts";
import { uniform } from "../support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

/** Clips vectors by their common norm and reads everything. */
async function clipped(vectors: readonly (readonly number[])[], maxNorm: number) {
  const { gradients, norm } = clipByGlobalNorm(
    vectors.map((values) => tensor(values)),
    maxNorm,
  );
  const values = await Promise.all(gradients.map(async (g) => [...(await g.data())]));
  return { values, norm: await norm.item() };
}

test("clipByValue limits elements and passes NaN", async () => {
  const limited = clipByValue(
    [
      tensor([
        [-3, -1],
        [0.5, 9],
      ]),
      tensor(Number.POSITIVE_INFINITY),
    ],
    1,
  );
  expect(await limited[0].toArray()).toEqual([
    [-1, -1],
    [0.5, 1],
  ]);
  expect(await limited[1].item()).toBe(1);
  const [passed] = clipByValue([tensor([Number.NaN, Number.NEGATIVE_INFINITY])], 2);
  expect([...(await passed.data())]).toEqual([Number.NaN, -2]);
});

test("gradients without elements count for nothing by any norm", async () => {
  for (const [norm, of] of [
    [1, 7],
    [2, 5],
    [Number.POSITIVE_INFINITY, 4],
  ]) {
    const some = clipByGlobalNorm([zeros([0, 3]), tensor([3, -4])], 1, { norm });
    expect(await some.norm.item()).toBe(of);
    expect(some.gradients[0].shape).toEqual([0, 3]);
    expectClose(await some.gradients[1].data(), [3 / of, -4 / of]);
    const none = clipByGlobalNorm([zeros([0])], 1, { norm });
    expect(await none.norm.item()).toBe(0);
    expect((await none.gradients[0].data()).length).toBe(0);
  }
});

test("clipByGlobalNorm shortens all gradients by one factor", async () => {
  const { values, norm } = await clipped([[3, 0], [-4], [12, 0, 0]], 6.5);
  expect(norm).toBeCloseTo(13, 5);
  expectClose(values.flat(), [1.5, 0, -2, 6, 0, 0]);
});

test.each([
  [1, 19, 9.5],
  [Number.POSITIVE_INFINITY, 12, 6],
])("clipByGlobalNorm measures by the norm of p = %d", async (norm, length, maxNorm) => {
  const given = [tensor([3, 0]), tensor([-4]), tensor([12, 0, 0])];
  const clippedBy = clipByGlobalNorm(given, maxNorm, { norm });
  expect(await clippedBy.norm.item()).toBe(length);
  const values = await Promise.all(clippedBy.gradients.map(async (g) => [...(await g.data())]));
  expect(values.flat()).toEqual([1.5, 0, -2, 6, 0, 0]);
  const spoiled = clipByGlobalNorm([tensor([Number.NaN, 5])], 1, { norm });
  expect(await spoiled.norm.item()).toBeNaN();
  expect([...(await spoiled.gradients[0].data())]).toEqual([Number.NaN, 5]);
});

test("clipByGlobalNorm leaves short gradients as they are, to the bit", async () => {
  const whole = await clipped([[3], [0, -4]], 5);
  expect(whole).toEqual({ values: [[3], [0, -4]], norm: 5 });
  for (const maxNorm of [0.6, 1e30]) {
    const { values, norm } = await clipped([[0.3], [0.1, -0.4]], maxNorm);
    expect(norm).toBeCloseTo(Math.hypot(0.3, 0.1, 0.4), 6);
    expect(values).toEqual([[0.3], [0.1, -0.4]].map((vector) => vector.map(Math.fround)));
  }
});

test("clipByGlobalNorm keeps the gradients' dtype", async () => {
  if (!device.dtypes.has("f64")) return;
  const g = tensor([1 + 1e-12, 0], { dtype: "f64" });
  const { gradients, norm } = clipByGlobalNorm([g], 0.5);
  expect([norm.dtype, gradients[0].dtype]).toEqual(["f64", "f64"]);
  expect(await norm.item()).toBe(1 + 1e-12);
});

test("clipByGlobalNorm keeps zeros, and norms of empty gradients are 0", async () => {
  expect(await clipped([[0, 0], [0]], 1)).toEqual({ values: [[0, 0], [0]], norm: 0 });
  expect(await clipped([[], [0]], 1)).toEqual({ values: [[], [0]], norm: 0 });
});

test.each([1e-33, 1e-30, 1e-23, 1e-15, 1e-12, 1e15, 1e19, 3e19, 1e25, 1e37])(
  "clipByGlobalNorm is right for gradients near %d, whose squares f32 may not hold",
  async (scale) => {
    const { values, norm } = await clipped([[3 * scale], [4 * scale, 0]], scale / 1e3);
    expect(norm / scale).toBeCloseTo(5, 5);
    expectClose(
      values.flat().map((g) => (g / scale) * 1e3),
      [0.6, 0.8, 0],
    );
  },
);

test.each([Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN])(
  "clipByGlobalNorm leaves gradients with a %d as they are and says so by the norm",
  async (bad) => {
    const { values, norm } = await clipped(
      [
        [300, 0],
        [bad, 1],
      ],
      1,
    );
    expect(Number.isFinite(norm)).toBe(false);
    expect(values).toEqual([
      [300, 0],
      [bad, 1],
    ]);
  },
);

test.each([
  [1e38, 0, 0],
  [1e38, 1e38, 2e38],
  [1e38, 1e-37, 1],
  [1e20, 1e-20, 3],
  [1.8e19, -1.8e19, 0],
  [1, 1e-37, 0],
  [1e-20, 1e-30, 1e-37],
  [3e-13, 4e-13, 0],
  [2 ** -40, 1e-19, 0],
  [2e-38, 2e-38, 0],
  [0, 0, 0],
])("clipByGlobalNorm of %d, %d and %d is that of float64", async (...numbers) => {
  const given = numbers.map(Math.fround);
  const wanted = Math.hypot(...given);
  const isNear = (x: number, y: number) => Math.abs(x - y) <= 1e-6 * Math.abs(y) + 1.2e-38;
  for (const maxNorm of [1, 1e-20, 1e37]) {
    const { values, norm } = await clipped([given.slice(0, 2), given.slice(2)], maxNorm);
    const factor = wanted > maxNorm ? maxNorm / wanted : 1;
    const far = values.flat().filter((value, i) => !isNear(value, given[i] * factor));
    expect([isNear(norm, wanted), far]).toEqual([true, []]);
  }
});

test.runIf(!inBrowser)("clipByGlobalNorm takes few dispatches on a GPU", async () => {
  const [g, w] = [0, 1].map(() => [[300, 100], [100], [100, 10], [10]].map((s) => zeros(s)));
  evaluate(...g, ...w);
  const { gradients } = clipByGlobalNorm(g, 1);
  const { program } = trace(
    gradients.map((own, i) => sub(w[i], own).node),
    "test",
  );
  const count = async (kind: "direct" | "workgroup") =>
    (await kernelsOf(simplify(program), kind)).length;
  expect([await count("direct"), await count("workgroup")]).toEqual([6, 5]);
});

test("clipByGlobalNorm sums long gradients of any shape", async () => {
  const a = uniform(20_000, 1);
  const b = uniform(37 * 11, 2);
  const expected = Math.hypot(...a, ...b);
  const { gradients, norm } = clipByGlobalNorm(
    [tensor(a, { shape: [20, 1000] }), tensor(b, { shape: [37, 11] })],
    1,
  );
  expect(Math.abs((await norm.item()) / expected - 1)).toBeLessThanOrEqual(1e-6);
  expect(gradients.map((g) => g.shape)).toEqual([
    [20, 1000],
    [37, 11],
  ]);
  expectClose(
    await gradients[1].data(),
    [...b].map((g) => g / expected),
    7,
  );
});

test("optimizers clip by value and then by norm", async () => {
  const move = async (options: { clip?: Clip }) => {
    using p = new Parameter(tensor([0, 0]), { name: "p" });
    using q = new Parameter(tensor([0]), { name: "q" });
    using optimizer = new SGD([p, q], { learningRate: 1, ...options });
    optimizer.apply([tensor([-30, 0.3]), tensor([40])]);
    return [...(await p.data()), ...(await q.data())];
  };
  expectClose(await move({}), [30, -0.3, -40]);
  expectClose(await move({ clip: (g) => clipByValue(g, 4) }), [4, -0.3, -4]);
  const long = Math.hypot(30, 0.3, 40);
  expectClose(await move({ clip: (g) => clipByGlobalNorm(g, 5).gradients }), [
    150 / long,
    -1.5 / long,
    -200 / long,
  ]);
  const norm = Math.hypot(4, 0.3, 4);
  expectClose(await move({ clip: (g) => clipByGlobalNorm(clipByValue(g, 4), 1).gradients }), [
    4 / norm,
    -0.3 / norm,
    -4 / norm,
  ]);
});

test("clipping runs inside the step's plan", async () => {
  using p = new Parameter(tensor([1, 2]), { name: "p" });
  using optimizer = new SGD([p], {
    learningRate: 0.1,
    clip: (g) => clipByGlobalNorm(clipByValue(g, 3), 1).gradients,
  });
  const step = compile((g: Tensor) => optimizer.apply([g]));
  using g = tensor([3, 4]);
  for (let i = 0; i < 3; i++) await step(g);
  const mark = device.counters.now;
  await step(g);
  const { dispatches: _, submits: __, ...made } = device.counters.since(mark);
  expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
});

test("a clip that loses gradients is told", () => {
  using p = new Parameter(tensor([1, 2]), { name: "p" });
  using optimizer = new SGD([p], { learningRate: 0.1, clip: () => [] });
  expect(() => optimizer.apply([tensor([3, 4])])).toThrow(
    "SGD: 0 gradients; expected 1, one for each parameter",
  );
});

test("wrong limits are rejected", () => {
  const g = tensor([1]);
  const rejected: [() => unknown, string][] = [
    [() => clipByValue([g], 0), "clipByValue: limit 0; expected a finite number above 0"],
    [
      () => clipByGlobalNorm([g], Number.NaN),
      "clipByGlobalNorm: maxNorm NaN; expected a finite number above 0",
    ],
    [() => clipByGlobalNorm([], 1), "clipByGlobalNorm: no gradients; expected at least one"],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});
