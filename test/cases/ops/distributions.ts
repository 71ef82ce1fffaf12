import { GradusError, type Tensor } from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";
import { like, x } from "../../support/op-calls.ts";
import type { Golden, Input, Make, OpCases, Reject } from "../../support/op-case.ts";

/** A step's number. */
const COUNTER: Input = { shape: [], dtype: "u32", low: 0, high: 2 ** 32 };

/** What an independent program of Threefry draws with key [1, 0] at step 3: words without their low bytes. */
const U = [
  0.4575139880180359, 0.05916959047317505, 0.14912855625152588, 0.38826680183410645,
  0.4697345495223999,
];

const at3 = (t: Make) => t(3, "u32");
const positive = (...shape: number[]): Input => ({ shape, low: 0.3, high: 4 });

/** The step's and the key's rules, which all draws at a step have. */
function stepRejects(name: string, run: (step: Tensor, options: object) => unknown): Reject[] {
  return [
    { run: (t) => run(t(1), { seed: 1 }), says: `${name}: step has dtype FLOAT; expected u32` },
    {
      run: (t) => run(t([1], "u32"), { seed: 1 }),
      says: `${name}: step has shape [1]; expected a scalar`,
    },
    {
      run: (t) => run(t(1, "u32"), {}),
      says: `${name}: no seed and no key; expected one of them`,
      error: GradusError,
    },
    {
      run: (t) => run(t(1, "u32"), { seed: -1 }),
      says: `${name}: seed -1; expected an integer from 0 to 2^53 - 1`,
      error: GradusError,
    },
  ];
}

/** The same draw twice: by the sequence begun anew, or by one seed. */
function again(draw: (t: Make) => Tensor): Golden {
  return {
    run: (t) => {
      ops.setSeed(4);
      const first = draw(t);
      ops.setSeed(4);
      return ops.equal(first, draw(t));
    },
    is: [1, 1, 1],
    by: "the same numbers again",
  };
}

const RATE = "expected a finite number above 0";
const NO_GRADIENT = "random numbers";

export const distributionCases = {
  bernoulliAt: {
    calls: [
      { inputs: [COUNTER], run: (step) => ops.bernoulliAt(step, [37], { seed: 4, p: 0.3 }) },
      {
        inputs: [COUNTER, { shape: [5], low: 0, high: 1 }],
        run: (step, p) => ops.bernoulliAt(step, [3, 5], { seed: 4, p: ops.cast(p, "f32") }),
      },
      { inputs: [COUNTER], run: (step) => ops.bernoulliAt(step, [0, 3], { key: [1, 2] }) },
    ],
    golden: [
      {
        run: (t) => ops.bernoulliAt(at3(t), [5], { seed: 1, p: 0.4 }),
        is: U.map((u) => (u < 0.4 ? 1 : 0)),
        by: "an independent program of Threefry, u < p",
      },
    ],
    rejects: [
      ...stepRejects("bernoulliAt", (step, options) => ops.bernoulliAt(step, [2], options)),
      ...[-0.1, 1.5, Number.NaN].map((p) => ({
        run: (t: Make) => ops.bernoulliAt(t(1, "u32"), [2], { seed: 1, p }),
        says: `bernoulliAt: p ${p}; expected a number from 0 to 1`,
        error: GradusError,
      })),
      {
        run: (t) => ops.bernoulliAt(t(1, "u32"), [2], { seed: 1, p: t([0, 1, 1], "f32") }),
        says:
          "bernoulliAt: shapes [3] and [2] do not broadcast (3 vs 2); expected equal sizes or 1 on " +
          "each axis, counted from the last",
      },
      {
        run: (t) => ops.bernoulliAt(t(1, "u32"), [2], { seed: 1, p: t([[0], [1]], "f32") }),
        says: "bernoulliAt: p has shape [2, 1]; expected one that broadcasts to [2]",
      },
      {
        run: (t) => ops.bernoulliAt(t(1, "u32"), [2], { seed: 1, p: t([0, 1], "i32") }),
        says: "bernoulliAt: p has dtype i32; expected f32",
      },
    ],
    gradient: NO_GRADIENT,
  },
  randomBernoulli: {
    calls: [
      {
        inputs: [x(9)],
        run: (a) => ops.where(ops.randomBernoulli([9], { seed: 3, device: a.device }), a, 0),
      },
    ],
    golden: [
      again(() => ops.randomBernoulli([3])),
      { run: () => ops.randomBernoulli([2], { p: 1, seed: 2 }), is: [1, 1], by: "certainty" },
      { run: () => ops.randomBernoulli([2], { p: 0, seed: 2 }), is: [0, 0], by: "certainty" },
    ],
    rejects: [
      {
        run: () => ops.randomBernoulli([2], { p: 2 }),
        says: "randomBernoulli: p 2; expected a number from 0 to 1",
        error: GradusError,
      },
      {
        run: () => ops.randomBernoulli([-1]),
        says: "randomBernoulli: shape [-1]; expected an array of non-negative integers",
      },
    ],
    gradient: NO_GRADIENT,
  },
  integersAt: {
    calls: [
      { inputs: [COUNTER], run: (step) => ops.integersAt(step, [41], { high: 10, seed: 4 }) },
      {
        inputs: [COUNTER],
        run: (step) => ops.integersAt(step, [2, 5], { low: -(2 ** 31), high: 0, seed: 2 ** 40 }),
      },
      {
        inputs: [COUNTER],
        run: (step) =>
          ops.integersAt(step, [9], { low: 7, high: 2 ** 32, key: [1, 2], dtype: "u32" }),
      },
    ],
    golden: [
      {
        run: (t) => ops.integersAt(t(1, "u32"), [3], { high: 9, seed: 0 }),
        is: [2, 5, 5],
        by: "an independent program, ⌊w · 9 / 2⁶⁴⌋ in whole numbers",
      },
      {
        run: (t) => ops.integersAt(t(1, "u32"), [3], { low: -4, high: 5, seed: 0 }),
        is: [-2, 1, 1],
        by: "the same, less 4",
      },
    ],
    rejects: [
      ...stepRejects("integersAt", (step, options) =>
        ops.integersAt(step, [2], { ...options, high: 3 }),
      ),
      ...(
        [
          [3, 3, "i32"],
          [4, 3, "i32"],
          [0, 2 ** 31 + 1, "i32"],
          [-1, 2 ** 31, "i32"],
          [-1, 4, "u32"],
        ] as const
      ).map(([low, high, dtype]) => ({
        run: (t: Make) => ops.integersAt(t(1, "u32"), [2], { low, high, dtype, seed: 1 }),
        says:
          `integersAt: low ${low}, high ${high}; expected low < high, both of ${dtype}, at most ` +
          `${dtype === "i32" ? 2147483648 : 4294967295} apart`,
        error: GradusError,
      })),
      {
        run: (t) => ops.integersAt(t(1, "u32"), [2], { high: 1.5, seed: 1 }),
        says: "integersAt: high 1.5; expected an integer",
        error: GradusError,
      },
      {
        run: (t) => ops.integersAt(t(1, "u32"), [2], { high: 3, seed: 1, dtype: "f32" }),
        says: "integersAt: dtype f32; expected i32 or u32",
      },
    ],
    gradient: NO_GRADIENT,
  },
  randomIntegers: {
    calls: [
      { inputs: [x(9)], run: (a) => ops.add(a, ops.cast(ops.randomIntegers([9], { high: 5, seed: 3, device: a.device }), a.dtype)) }, // biome-ignore format: one call
    ],
    golden: [
      again(() => ops.randomIntegers([3], { high: 1000 })),
      {
        run: () => ops.randomIntegers([2], { low: 7, high: 8, seed: 2 }),
        is: [7, 7],
        by: "one number",
      },
    ],
    rejects: [
      {
        run: () => ops.randomIntegers([2], { high: 0 }),
        says: "randomIntegers: low 0, high 0; expected low < high, both of i32, at most 2147483648 apart",
        error: GradusError,
      },
    ],
    gradient: NO_GRADIENT,
  },
  exponentialAt: {
    calls: [
      { inputs: [COUNTER], run: (step) => ops.exponentialAt(step, [37], { seed: 4 }), scale: 20 },
      {
        inputs: [COUNTER, positive(5)],
        run: (step, rate) => ops.exponentialAt(step, [3, 5], { seed: 4, rate, dtype: rate.dtype }),
        scale: 50,
      },
    ],
    golden: [
      {
        run: (t) => ops.exponentialAt(at3(t), [5], { seed: 1, rate: 2, dtype: t([]).dtype }),
        is: U.map((u) => -Math.log1p(-u) / 2),
        by: "an independent program of Threefry, −ln(1 − u)/λ",
      },
    ],
    rejects: [
      ...stepRejects("exponentialAt", (step, options) => ops.exponentialAt(step, [2], options)),
      ...[0, -1, Number.POSITIVE_INFINITY].map((rate) => ({
        run: (t: Make) => ops.exponentialAt(t(1, "u32"), [2], { seed: 1, rate }),
        says: `exponentialAt: rate ${rate}; ${RATE}`,
        error: GradusError,
      })),
    ],
    gradient: true,
  },
  randomExponential: {
    calls: [
      {
        inputs: [positive(9)],
        run: (rate) => ops.randomExponential([9], { rate, seed: 3, ...like(rate) }),
        scale: 50,
      },
    ],
    golden: [again(() => ops.randomExponential([3]))],
    rejects: [
      {
        run: () => ops.randomExponential([2], { rate: 0 }),
        says: `randomExponential: rate 0; ${RATE}`,
        error: GradusError,
      },
    ],
    gradient: true,
  },
  truncatedNormalAt: {
    calls: [
      {
        inputs: [COUNTER],
        run: (step) => ops.truncatedNormalAt(step, [37], { seed: 4 }),
        scale: 5,
      },
      {
        inputs: [COUNTER],
        run: (step) =>
          ops.truncatedNormalAt(step, [41], { seed: 4, mean: 1, std: 2, low: 2, high: 4.5 }),
        scale: 9,
      },
    ],
    golden: [
      {
        run: (t) =>
          ops.normalCdf(ops.truncatedNormalAt(at3(t), [5], { seed: 1, dtype: t([]).dtype })),
        is: U.map((u) => 0.0227501319481792 + u * 0.9544997361036416),
        by: "an independent program of Threefry, Φ(−2) + u (Φ(2) − Φ(−2))",
      },
      {
        run: (t) => {
          const options = { seed: 1, mean: 1, low: 2, high: 4, dtype: t([]).dtype };
          return ops.normalCdf(ops.sub(1, ops.truncatedNormalAt(at3(t), [5], options)));
        },
        is: U.map((u) => 0.0013498980316300933 + u * 0.15730535589982697),
        by: "the same from above, Φ(−3) + u (Φ(−1) − Φ(−3))",
      },
    ],
    rejects: [
      ...stepRejects("truncatedNormalAt", (step, options) =>
        ops.truncatedNormalAt(step, [2], options),
      ),
      ...[
        { std: 0, low: 0, high: 1 },
        { std: 1, low: 1, high: 1 },
      ].map(({ std, low, high }) => ({
        run: (t: Make) => ops.truncatedNormalAt(t(1, "u32"), [2], { seed: 1, std, low, high }),
        says: `truncatedNormalAt: std ${std}, low ${low}, high ${high}; expected std above 0, low < high`,
        error: GradusError,
      })),
      {
        run: (t) => ops.truncatedNormalAt(t(1, "u32"), [2], { seed: 1, mean: Number.NaN }),
        says: "truncatedNormalAt: mean NaN; expected a finite number",
        error: GradusError,
      },
    ],
    gradient: NO_GRADIENT,
  },
  randomTruncatedNormal: {
    calls: [
      {
        inputs: [x(9)],
        run: (a) => ops.add(a, ops.randomTruncatedNormal([9], { seed: 3, ...like(a) })),
      },
    ],
    golden: [again(() => ops.randomTruncatedNormal([3]))],
    rejects: [
      {
        run: () => ops.randomTruncatedNormal([2], { std: -1 }),
        says: "randomTruncatedNormal: std -1, low 2, high -2; expected std above 0, low < high",
        error: GradusError,
      },
    ],
    gradient: NO_GRADIENT,
  },
  gammaAt: {
    calls: [
      {
        inputs: [COUNTER, positive(3, 5)],
        run: (step, concentration) => {
          const { dtype } = concentration;
          return ops.gammaAt(step, [3, 5], { seed: 4, concentration, rate: 2, dtype });
        },
        scale: 40,
      },
    ],
    golden: [
      {
        run: (t) => {
          const options = { seed: 1, concentration: 2.5, dtype: t([]).dtype };
          const one = ops.gammaAt(at3(t), [2], options);
          return ops.sub(one, ops.mul(ops.gammaAt(at3(t), [2], { ...options, rate: 4 }), 4));
        },
        is: [0, 0],
        by: "a rate divides",
      },
    ],
    rejects: [
      ...stepRejects("gammaAt", (step, options) => ops.gammaAt(step, [2], options)),
      {
        run: (t) => ops.gammaAt(t(1, "u32"), [2], { seed: 1, concentration: 0 }),
        says: `gammaAt: concentration 0; ${RATE}`,
        error: GradusError,
      },
      {
        run: (t) => ops.gammaAt(t(1, "u32"), [2], { seed: 1, rate: -1 }),
        says: `gammaAt: rate -1; ${RATE}`,
        error: GradusError,
      },
    ],
    gradient: "of the rate alone, in a test of its own",
  },
  randomGamma: {
    calls: [
      {
        inputs: [positive(9)],
        run: (a) => ops.mul(a, ops.randomGamma([9], { concentration: 2, seed: 3, ...like(a) })),
        scale: 20,
      },
    ],
    golden: [again(() => ops.randomGamma([3], { concentration: 0.7 }))],
    rejects: [
      {
        run: () => ops.randomGamma([2], { concentration: -1 }),
        says: `randomGamma: concentration -1; ${RATE}`,
        error: GradusError,
      },
    ],
    gradient: NO_GRADIENT,
  },
  categoricalAt: {
    calls: [
      {
        inputs: [COUNTER, { shape: [7, 5], low: -2, high: 2 }],
        run: (step, logits) => ops.categoricalAt(step, logits, { seed: 4 }),
      },
      {
        inputs: [COUNTER, { shape: [2, 3, 4], low: -2, high: 2 }],
        run: (step, logits) => ops.categoricalAt(step, logits, { samples: 3, seed: 4 }),
      },
      {
        inputs: [COUNTER, { shape: [3, 6], low: -2, high: 2 }],
        run: (step, logits) =>
          ops.categoricalAt(step, logits, { samples: 4, replacement: false, key: [1, 2] }),
      },
    ],
    golden: [
      {
        run: (t) => ops.categoricalAt(at3(t), t([0, 2, 1, 0.1, 0]), { seed: 1 }),
        is: largest(U.map((u, i) => [0, 2, 1, 0.1, 0][i] - Math.log(-Math.log(u)))),
        by: "an independent program of Threefry, logits − ln(−ln u)",
      },
      {
        run: (t) => {
          const logits = t([Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY]);
          return ops.categoricalAt(at3(t), logits, { samples: 4, seed: 1 });
        },
        is: [1, 1, 1, 1],
        by: "the only class",
      },
      {
        run: (t) => {
          const options = { samples: 3, replacement: false, seed: 1 };
          return ops.sort(ops.categoricalAt(at3(t), t([0, 9, 0]), options)).values;
        },
        is: [0, 1, 2],
        by: "each class once",
      },
    ],
    rejects: [
      ...stepRejects("categoricalAt", (step, options) =>
        ops.categoricalAt(step, ops.zeros([2]), options),
      ),
      {
        run: (t) => ops.categoricalAt(t(1, "u32"), t(1), { seed: 1 }),
        says: "categoricalAt: logits of shape []; expected [..., classes]",
      },
      {
        run: (t) => ops.categoricalAt(t(1, "u32"), t([]), { seed: 1 }),
        says: "categoricalAt: logits of shape [0]; expected [..., classes]",
      },
      {
        run: (t) => ops.categoricalAt(t(1, "u32"), t([1], "i32"), { seed: 1 }),
        says: "categoricalAt: dtype i32; expected f32, f64",
      },
      {
        run: (t) => ops.categoricalAt(t(1, "u32"), t([1, 2]), { seed: 1, samples: 0 }),
        says: "categoricalAt: samples 0; expected an integer from 1",
      },
      {
        run: (t) =>
          ops.categoricalAt(t(1, "u32"), t([1, 2]), { seed: 1, samples: 3, replacement: false }),
        says: "categoricalAt: 3 samples of 2 classes without replacement; expected at most 2",
      },
    ],
    gradient: NO_GRADIENT,
  },
  randomCategorical: {
    calls: [
      {
        inputs: [{ shape: [7, 5], low: -2, high: 2 }],
        run: (logits) => ops.randomCategorical(logits, { seed: 4 }),
      },
    ],
    golden: [again((t) => ops.randomCategorical(t([0, 1, 2]), { samples: 3 }))],
    rejects: [
      {
        run: (t) => ops.randomCategorical(t(1)),
        says: "randomCategorical: logits of shape []; expected [..., classes]",
      },
    ],
    gradient: NO_GRADIENT,
  },
  permutationAt: {
    calls: [
      { inputs: [COUNTER], run: (step) => ops.permutationAt(step, 23, { seed: 4 }) },
      {
        inputs: [COUNTER, x(6, 2)],
        run: (step, a) => ops.gather(a, ops.permutationAt(step, 6, { key: [1, 2] })),
        scale: 3,
      },
    ],
    golden: [
      {
        run: (t) => ops.sort(ops.permutationAt(at3(t), 5, { seed: 1 })).values,
        is: [0, 1, 2, 3, 4],
        by: "each number once",
      },
      {
        run: (t) => {
          const batch = ops.batchIndices(t(2, "u32"), { size: 6, batchSize: 6, seed: 1 });
          return ops.equal(ops.permutationAt(t(2, "u32"), 6, { seed: 1 }), batch);
        },
        is: [1, 1, 1, 1, 1, 1],
        by: "an epoch's order",
      },
      { run: (t) => ops.permutationAt(at3(t), 0, { seed: 1 }), is: [], by: "nothing" },
    ],
    rejects: [
      ...stepRejects("permutationAt", (step, options) => ops.permutationAt(step, 2, options)),
      ...[-1, 1.5, 2 ** 32].map((n) => ({
        run: (t: Make) => ops.permutationAt(t(1, "u32"), n, { seed: 1 }),
        says: `permutationAt: n ${n}; expected an integer from 0 to 2^32 - 1`,
      })),
    ],
    gradient: NO_GRADIENT,
  },
} satisfies OpCases;

function largest(values: readonly number[]): number {
  return values.indexOf(Math.max(...values));
}
