import { beforeAll, describe, expect, test } from "vitest";
import { randomBits } from "../../src/core/random.ts";
import { type Shape, sizeOf, stridesOf } from "../../src/core/shape.ts";
import { trace } from "../../src/engine/program.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  batchNorm,
  grad,
  groupNorm,
  instanceNorm,
  layerNorm,
  mul,
  rmsNorm,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { kernelsOf } from "../support/plan-kernels.ts";

beforeAll(() => testDevice());

/** The elements that are normalised together, by the place of each. */
type Rows = (at: readonly number[]) => string;

interface Norm {
  readonly shape: Shape;
  readonly rows: Rows;
  readonly run: (x: Tensor) => Tensor;
  readonly isCentered: boolean;
}

const norms: Record<string, Norm> = {
  layerNorm: {
    shape: [6, 40],
    rows: ([i]) => `${i}`,
    run: (x) => layerNorm(x, 40),
    isCentered: true,
  },
  rmsNorm: {
    shape: [6, 40],
    rows: ([i]) => `${i}`,
    run: (x) => rmsNorm(x, 40),
    isCentered: false,
  },
  groupNorm: {
    shape: [3, 4, 5, 5],
    rows: ([n, c]) => `${n} ${c >> 1}`,
    run: (x) => groupNorm(x, 2),
    isCentered: true,
  },
  instanceNorm: {
    shape: [3, 4, 5, 5],
    rows: ([n, c]) => `${n} ${c}`,
    run: (x) => instanceNorm(x),
    isCentered: true,
  },
  batchNorm: {
    shape: [9, 4, 3, 3],
    rows: ([, c]) => `${c}`,
    run: (x) => batchNorm(x),
    isCentered: true,
  },
};

/** Values of a mean and a deviation, as floats have them. */
const drawn = (shape: Shape, mean: number, deviation: number, salt: number) =>
  Float32Array.from(
    randomBits([5, salt], sizeOf(shape)),
    (word) => mean + deviation * Math.sqrt(12) * (word / 2 ** 32 - 0.5),
  );

/** y and dx for a cotangent g, from the definitions, in float64: dx_i = Σ_j g_j ∂y_j/∂x_i. */
function byLoops({ shape, rows, isCentered }: Norm, x: ArrayLike<number>, g: ArrayLike<number>) {
  const strides = stridesOf(shape);
  const groups = new Map<string, number[]>();
  for (let i = 0; i < x.length; i++) {
    const key = rows(shape.map((n, axis) => Math.floor(i / strides[axis]) % n));
    groups.set(key, [...(groups.get(key) ?? []), i]);
  }
  const [y, dx] = [new Float64Array(x.length), new Float64Array(x.length)];
  for (const own of groups.values()) {
    const n = own.length;
    const mean = isCentered ? own.reduce((total, i) => total + x[i], 0) / n : 0;
    const square = own.reduce((total, i) => total + (x[i] - mean) ** 2, 0) / n;
    const scale = 1 / Math.sqrt(square + (isCentered ? 1e-5 : 2 ** -23));
    for (const i of own) y[i] = (x[i] - mean) * scale;
    for (const i of own) {
      for (const j of own) {
        const slope = Number(i === j) - (isCentered ? 1 / n : 0) - (y[i] * y[j]) / n;
        dx[i] += g[j] * slope * scale;
      }
    }
  }
  return { y, dx };
}

describe.each(Object.entries(norms))("%s", (_, norm) => {
  test.each([
    ["of ordinary numbers", 0.3, 2, 5e-6],
    ["of mean 1000 and variance 1e-3", 1000, Math.sqrt(1e-3), 2e-5],
    ["of mean -3e4 and variance 1", -3e4, 1, 2e-5],
    ["of small numbers", 0, 1e-2, 5e-6],
  ])("%s is near float64, and so is its gradient", async (_, mean, deviation, bound) => {
    const x = drawn(norm.shape, mean, deviation, 1);
    const g = drawn(norm.shape, 0, 1, 2);
    const want = byLoops(norm, x, g);
    const [a, cotangent] = [x, g].map((data) => tensor(data, { shape: norm.shape }));
    const y = norm.run(a);
    const [dx] = grad(sum(mul(y, cotangent)), [a]);
    const scale = Math.max(...want.dx.map(Math.abs));
    const found = [await y.data(), await dx.data()];
    const worst = [want.y, want.dx].map((all, k) =>
      all.reduce((most, value, i) => Math.max(most, Math.abs(found[k][i] - value)), 0),
    );
    expect(worst[0]).toBeLessThan(bound);
    expect(worst[1]).toBeLessThan(4 * bound * scale);
  });
});

describe.runIf(!inBrowser)("on a GPU", () => {
  /** Dispatches of values, and with gradients: of workgroups, and by direct loads, which cut long rows. */
  const rows: [string, Shape, (x: Tensor, w: Tensor, b: Tensor) => Tensor, number[]][] = [
    ["layerNorm", [256, 64], (x, weight, bias) => layerNorm(x, 64, { weight, bias }), [1, 3, 1, 3]],
    ["rmsNorm", [256, 64], (x, weight, bias) => rmsNorm(x, 64, { weight }).add(bias), [2, 3, 2, 3]],
    [
      "groupNorm",
      [8, 64, 8, 8],
      (x, weight, bias) => groupNorm(x, 4, { weight, bias }),
      [1, 3, 4, 6],
    ],
    ["batchNorm", [8, 64, 8, 8], (x, weight, bias) => batchNorm(x, { weight, bias }), [2, 3, 2, 4]],
  ];

  test.each(rows)(
    "%s takes few dispatches, and few more with its gradients",
    async (_, shape, run, most) => {
      const [x, w, b] = [zeros(shape), zeros([64]), zeros([64])];
      const y = run(x, w, b);
      const gradients = grad(sum(mul(y, zeros(shape))), [x, w, b]);
      const counts: number[] = [];
      for (const kind of ["workgroup", "mobile"] as const) {
        for (const wanted of [[y], [y, ...gradients]]) {
          const nodes = wanted.map(({ node }) => node);
          const { program } = trace(nodes, "test");
          counts.push((await kernelsOf(simplify(program), kind)).length);
        }
      }
      expect(counts).toEqual(most);
    },
  );
});
