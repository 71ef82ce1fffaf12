import { afterAll, beforeAll, describe, expect } from "vitest";
import {
  add,
  broadcastTo,
  cumSum,
  type Device,
  div,
  dot,
  evaluate,
  init,
  logSumExp,
  mean,
  mul,
  norm,
  relu,
  reshape,
  slice,
  std,
  sum,
  type Tensor,
  tensor,
  variance,
} from "../../src/index.ts";
import { acceptanceTest } from "../support/acceptance.ts";
import { inBrowser } from "../support/device.ts";
import { uniform } from "../support/reference.ts";

const [ROWS, COLUMNS] = [10_000, 6400];
/** How many numbers are added. */
const COUNT = ROWS * COLUMNS;

/** Numbers near 1000 as float32 has them, each of which stands in every row. */
const numbers = uniform(COLUMNS, 5, 999, 1001);

const total = (f: (x: number) => number) => numbers.reduce((all, x) => all + f(x), 0);
const center = total((x) => x) / COLUMNS;
const spread = total((x) => (x - center) ** 2) / COLUMNS;

/** What is computed of all numbers at once, and what it is. */
const cases: readonly [name: string, of: (x: Tensor) => Tensor, value: number][] = [
  ["sum", (x) => sum(x), ROWS * total((x) => x)],
  ["mean", (x) => mean(x), center],
  ["variance", (x) => variance(x), spread],
  ["std", (x) => std(x), Math.sqrt(spread)],
  ["norm", (x) => norm(x), Math.sqrt(ROWS * total((x) => x * x))],
  ["dot", (x) => dot(x, x), ROWS * total((x) => x * x)],
  ["logSumExp", (x) => logSumExp(x), 1000 + Math.log(ROWS * total((x) => Math.exp(x - 1000)))],
  ["cumSum", (x) => slice(cumSum(x), [{ start: -1 }]), ROWS * total((x) => x)],
  [
    "sum of the larger half",
    (x) => sum(relu(add(x, -1000))),
    ROWS * total((x) => Math.max(0, x - 1000)),
  ],
];

const kinds = inBrowser
  ? (["direct", "workgroup"] as const).map((kernels) => ({ device: "webgpu" as const, kernels }))
  : (["compiled", "plain"] as const).map((engine) => ({ device: "cpu" as const, engine }));

for (const options of kinds) {
  const title = "engine" in options ? `${options.engine} CPU` : `${options.kernels} kernels`;
  describe(`much, ${title}`, () => {
    let device: Device;
    let x: Tensor;
    beforeAll(async () => {
      ({ device } = await init({ ...options, isolated: true }));
      const row = tensor(numbers, { device });
      x = reshape(broadcastTo(row, [ROWS, COLUMNS]), [COUNT]);
    });
    afterAll(() => device?.dispose());

    for (const [name, of, value] of cases) {
      acceptanceTest(
        `${name} of 6.4e7 numbers near 1000 is within 1e-6`,
        async () => {
          const [y] = await of(x).data();
          expect(Math.abs(y / value - 1)).toBeLessThan(1e-6);
        },
        300_000,
      );
    }

    acceptanceTest(
      "1e8 elements are computed and stored",
      async () => {
        const row = tensor(uniform(10_000, 6, 0, 1), { device });
        const all = reshape(broadcastTo(row, [10_000, 10_000]), [1e8]);
        const y = div(mul(all, 3), 2);
        evaluate(y);
        const [first] = await slice(row, [{ end: 1 }]).data();
        const ends = await slice(y, [{ start: 1e8 - 10_000, end: 1e8 - 9_999 }]).data();
        expect(ends[0]).toBeCloseTo(1.5 * first, 5);
        const exact = 1.5 * 10_000 * uniform(10_000, 6, 0, 1).reduce((all, x) => all + x, 0);
        expect(Math.abs((await sum(y).item()) / exact - 1)).toBeLessThan(1e-6);
        y.dispose();
      },
      300_000,
    );
  });
}
