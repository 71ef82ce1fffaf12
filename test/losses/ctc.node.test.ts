import { beforeAll, describe, expect, test } from "vitest";
import {
  type Device,
  GradusError,
  grad,
  gradCheck,
  init,
  logSoftmax,
  mul,
  randomNormal,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { type CTCOptions, ctc } from "../../src/losses/index.ts";
import TORCH from "../fixtures/ctc.json" with { type: "json" };

let cpu: Device;
beforeAll(async () => {
  cpu = (await init({ device: "cpu" })).device;
});

const whole = (values: readonly number[] | readonly number[][]) =>
  tensor(values as number[], { dtype: "i32", device: cpu });
const values = async (x: Tensor) => [...(await x.data())];

function expectNear(actual: readonly number[], wanted: readonly number[], epsilon = 1e-8): void {
  expect(actual.length).toBe(wanted.length);
  for (const [i, value] of wanted.entries()) {
    const error = actual[i] === value ? 0 : Math.abs(actual[i] - value);
    expect(error, `${i}: ${actual[i]}, expected ${value}`).toBeLessThan(
      epsilon * (1 + Math.abs(value)),
    );
  }
}

/** 2 sin(0.37 i + i² / 50) for i = 0, 1, … */
function waves(shape: readonly number[], dtype: "f32" | "f64" = "f64"): Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  const wave = Float64Array.from({ length: size }, (_, i) => 2 * Math.sin(0.37 * i + (i * i) / 50));
  return tensor(wave, { shape, dtype, device: cpu });
}

interface Expected {
  readonly shape: number[];
  readonly targets: number[][];
  readonly inputLengths: number[];
  readonly targetLengths: number[];
  readonly options: CTCOptions & { zero_infinity?: boolean };
  readonly loss: number[];
  readonly slope: number[];
}

test.each(Object.entries(TORCH as unknown as Record<string, Expected>))(
  "%s: loss and slope by logits are PyTorch's",
  async (_, one) => {
    const { zero_infinity: zeroInfinity, ...options } = one.options;
    for (const [dtype, epsilon] of [
      ["f64", 1e-8],
      ["f32", 1e-5],
    ] as const) {
      const logits = waves(one.shape, dtype);
      const lengths = [one.inputLengths, one.targetLengths].map(whole);
      const loss = ctc(logSoftmax(logits), whole(one.targets), lengths[0], lengths[1], {
        ...options,
        ...(zeroInfinity !== undefined && { zeroInfinity }),
      });
      const weights = Array.from({ length: loss.size }, (_, i) => i + 1);
      const weighted = sum(mul(loss, tensor(loss.rank > 0 ? weights : 1, { dtype })));
      const [slope] = grad(weighted, [logits]);
      expectNear(await values(loss), one.loss, epsilon);
      expectNear(await values(slope), one.slope, epsilon);
    }
  },
);

/** All paths of so many turns. */
function pathsOf(time: number, classes: number): number[][] {
  if (time === 0) return [[]];
  return pathsOf(time - 1, classes).flatMap((path) => {
    return Array.from({ length: classes }, (_, c) => [...path, c]);
  });
}

/** A path without repeats, then without blanks. */
function labelsOf(path: readonly number[], blank: number): number[] {
  return path.filter((c, t) => c !== blank && c !== path[t - 1]);
}

describe("of all paths, counted one by one", () => {
  const [time, classes] = [5, 3];
  const rows: [string, number[], number, number][] = [
    ["two labels", [1, 2], 5, 0],
    ["one label twice", [2, 2], 5, 0],
    ["a label twice and another", [1, 1, 2], 4, 0],
    ["a short time", [2, 1], 3, 0],
    ["no label", [], 4, 0],
    ["another blank", [0, 2, 0], 5, 1],
    ["as many labels as turns", [1, 2, 1, 2], 4, 0],
  ];
  test.each(rows)("%s", async (_, labels, length, blank) => {
    const drawn = logSoftmax(randomNormal([1, time, classes], { seed: 5, dtype: "f64" }));
    const logProbs = tensor(await drawn.data(), { shape: drawn.shape, dtype: "f64" });
    const p = (await values(logProbs)).map(Math.exp);
    const paths = pathsOf(length, classes).filter(
      (path) => labelsOf(path, blank).join() === labels.join(),
    );
    const probabilityOf = (path: readonly number[]) =>
      path.reduce((all, c, t) => all * p[t * classes + c], 1);
    const total = paths.reduce((all, path) => all + probabilityOf(path), 0);
    // ∂(−ln Σ P) / ∂ ln p[t, c] = −Σ of P of the paths through c at t / Σ P
    const slope = new Array(time * classes).fill(0);
    for (const path of paths) {
      for (const [t, c] of path.entries()) slope[t * classes + c] -= probabilityOf(path) / total;
    }
    const padded = [...labels, ...new Array(4 - labels.length).fill(9)];
    const loss = ctc(logProbs, whole([padded]), whole([length]), whole([labels.length]), {
      blank,
      reduction: "sum",
    });
    const [found] = grad(loss, [logProbs]);
    expect(await loss.item()).toBeCloseTo(-Math.log(total), 10);
    expectNear(await values(found), slope);
  });
});

test("what no path fits is infinite, or nothing, and has no gradient", async () => {
  const logits = waves([2, 3, 3]);
  const given = [
    whole([
      [1, 1],
      [1, 2],
    ]),
    whole([2, 3]),
    whole([2, 2]),
  ] as const;
  const run = (options: CTCOptions) =>
    ctc(logSoftmax(logits), ...given, { reduction: "none", ...options });
  const [infinite, finite] = await values(run({}));
  expect([infinite, Number.isFinite(finite)]).toEqual([Number.POSITIVE_INFINITY, true]);
  expect(await values(run({ zeroInfinity: true }))).toEqual([0, finite]);
  const slope = await values(grad(sum(run({})), [logits])[0]);
  expect(slope.slice(0, 9)).toEqual(new Array(9).fill(0));
  expect(slope.slice(9).some((value) => value !== 0)).toBe(true);
});

test.each(["plain", "compiled"] as const)(
  "lengths that cannot be are errors: %s",
  async (engine) => {
    const { device } = await init({ device: "cpu", engine, isolated: true });
    const given = (all: number[] | number[][]) => tensor(all as number[], { dtype: "i32", device });
    const labels = given([
      [1, 2],
      [1, 2],
    ]);
    const lossOf = (inputs: number[], targets: number[]) => {
      const logits = randomNormal([2, 4, 3], { seed: 1, device });
      return ctc(logSoftmax(logits), labels, given(inputs), given(targets)).item();
    };
    const faults: [number[], number[], string][] = [
      [[4, 9], [2, 2], "ctc: inputLengths: 9 of example 1; expected 0 to 4"],
      [[-1, 4], [2, 2], "ctc: inputLengths: -1 of example 0; expected 0 to 4"],
      [[4, 4], [3, 2], "ctc: targetLengths: 3 of example 0; expected 0 to 2"],
      [[4, 4], [1, -1], "ctc: targetLengths: -1 of example 1; expected 0 to 2"],
    ];
    for (const [inputs, targets, message] of faults) {
      await expect(lossOf(inputs, targets)).rejects.toThrow(new GradusError(message));
    }
    expect(await lossOf([4, 0], [2, 0])).toBeGreaterThan(0);
    device.dispose();
  },
);

test("probabilities of 0 count as such, and long series of small ones do not vanish", async () => {
  const logProbs = tensor(
    [
      [
        [Math.log(0.5), Math.log(0.5), Number.NEGATIVE_INFINITY],
        [Number.NEGATIVE_INFINITY, 0, Number.NEGATIVE_INFINITY],
      ],
    ],
    { dtype: "f64" },
  );
  const loss = (labels: number[]) =>
    ctc(logProbs, whole([labels]), whole([2]), whole([labels.length]), { reduction: "sum" });
  expect(await loss([1]).item()).toBeCloseTo(0, 12); // both paths: _1 and 11
  expect(await loss([2]).item()).toBe(Number.POSITIVE_INFINITY);
  expectNear(await values(grad(loss([1]), [logProbs])[0]), [-0.5, -0.5, 0, 0, -1, 0]);
  const long = tensor(new Float32Array(400 * 3).fill(-120), { shape: [1, 400, 3] });
  const given = [whole([[1, 2]]), whole([400]), whole([2])] as const;
  const value = await ctc(long, ...given, { reduction: "sum" }).item();
  // ln of the number of paths: those of 400 turns through 5 states, of which 2 labels are passed
  const paths = [1, 1, 0, 0, 0];
  for (let t = 1; t < 400; t++) {
    for (const s of [4, 3, 2, 1]) paths[s] += paths[s - 1] + (s === 3 ? paths[1] : 0);
  }
  expect(value / (400 * 120 - Math.log(paths[3] + paths[4]))).toBeCloseTo(1, 5);
});

test.each([100, 1e4])("logits of %d give in f32 what they give in f64", async (std) => {
  const given = [
    whole([
      [1, 2],
      [2, 2],
    ]),
    whole([6, 4]),
    whole([2, 2]),
  ] as const;
  const of = async (dtype: "f32" | "f64") => {
    const logits = randomNormal([2, 6, 3], { seed: 3, std, dtype });
    const loss = ctc(logSoftmax(logits), ...given);
    const [slope] = grad(loss, [logits]);
    return [...(await values(slope)), (await values(loss))[0] / std];
  };
  const found = await of("f32");
  expect(found.every(Number.isFinite)).toBe(true);
  expectNear(found, await of("f64"), std === 100 ? 1e-4 : 1e-2);
});

test("gradients are those of differences, of second order too", async () => {
  const given = [
    whole([
      [1, 2, 1],
      [2, 2, 0],
    ]),
    whole([6, 5]),
    whole([3, 2]),
  ] as const;
  const logits = randomNormal([2, 6, 3], { seed: 3, dtype: "f64" });
  const loss = (x: Tensor) => ctc(logSoftmax(x), ...given);
  await gradCheck(loss, [logits]);
  await gradCheck((x) => sum(mul(grad(loss(x), [x])[0], waves([2, 6, 3]))), [logits]);
});
