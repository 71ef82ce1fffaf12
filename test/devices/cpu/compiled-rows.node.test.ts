import { beforeAll, expect, test } from "vitest";
import { randomBits } from "../../../src/core/random.ts";
import { isCompiled } from "../../../src/devices/cpu/compiled/codes.ts";
import { trace } from "../../../src/engine/program.ts";
import {
  argmax,
  argmin,
  cast,
  type Device,
  evaluate,
  grad,
  logSoftmax,
  logSumExp,
  max,
  mean,
  min,
  moments,
  mul,
  neg,
  reshape,
  softmax,
  sum,
  type Tensor,
  tensor,
  windows,
} from "../../../src/index.ts";
import { cpuEngines } from "../../support/cpu-engines.ts";

let compiled: Device;
let plain: Device;
beforeAll(async () => {
  ({ compiled, plain } = await cpuEngines());
});

const SIZES = [1, 4, 7, 17, 33];
const LENGTHS = [1, 3, 4, 6, 9, 65];

/** Everything that is made of rows, and what of it is made of whole numbers. */
function allOf(x: Tensor, axis: number): Record<string, Tensor> {
  const whole = cast(x, "i32");
  const { mean: center, variance } = moments(x, { axis });
  return {
    sum: sum(x, { axis }),
    mean: mean(x, { axis }),
    max: max(x, { axis }),
    min: min(x, { axis }),
    argmax: argmax(x, { axis }),
    argmin: argmin(x, { axis }),
    "sum of i32": sum(whole, { axis }),
    "argmax of i32": argmax(whole, { axis }),
    softmax: softmax(x, { axis }),
    logSoftmax: logSoftmax(x, { axis }),
    logSumExp: logSumExp(x, { axis }),
    "mean of moments": center,
    variance,
  };
}

/** Numbers of which some are equal, and some rows have a NaN or an infinity. */
function drawn(size: number, seed: number, isSpecial: boolean): Float32Array {
  const words = randomBits([seed, 9], size);
  return Float32Array.from(words, (word) => {
    if (isSpecial && word % 23 === 0) return [Number.NaN, -Infinity, -0, 0][word % 4];
    return ((word >>> 8) % 41) / 4 - 5;
  });
}

function isNear(found: number, want: number): boolean {
  if (found === want || Object.is(found, want)) return true;
  return Math.abs(found - want) <= 1e-6 * Math.abs(want) + 1e-6;
}

test.each([
  ["side by side", 1],
  ["one above the other", 0],
] as const)("rows of elements %s give what the plain forms do, at all sizes", async (_, axis) => {
  for (const rows of SIZES) {
    for (const length of LENGTHS) {
      const shape = axis === 1 ? [rows, length] : [length, rows];
      const values = drawn(rows * length, rows * 100 + length, (rows + length) % 3 === 0);
      const of = (device: Device, dtype: "f32" | "f64") => {
        return allOf(tensor(values, { shape, device, dtype }), axis);
      };
      const [found, want] = [of(compiled, "f32"), of(plain, "f64")];
      evaluate(...Object.values(found));
      evaluate(...Object.values(want));
      for (const [name, y] of Object.entries(found)) {
        const [ys, zs] = [await y.data(), await want[name].data()];
        const wrong = zs.findIndex((z, i) => !isNear(ys[i], z));
        const about = `${name} of [${shape}], element ${wrong}`;
        if (wrong >= 0) expect(ys[wrong], about).toBe(zs[wrong]);
      }
    }
  }
});

test("long rows are summed up as they are in float64", async () => {
  const length = 200_000;
  const values = drawn(2 * length, 4, false).map((x) => x + 1000);
  for (const axis of [0, 1]) {
    const shape = axis === 1 ? [2, length] : [length, 2];
    const run = (device: Device, dtype: "f32" | "f64") => {
      const x = tensor(values, { shape, device, dtype });
      const { mean: center, variance } = moments(x, { axis });
      return [sum(x, { axis }), center, variance, argmax(x, { axis })];
    };
    const want = run(plain, "f64");
    for (const [i, y] of run(compiled, "f32").entries()) {
      const zs = await want[i].data();
      for (const [k, found] of (await y.data()).entries()) {
        expect(Math.abs(found - zs[k])).toBeLessThanOrEqual(2e-7 * Math.abs(zs[k]));
      }
    }
  }
});

test.each([60, 63, 64, 65, 79, 80, 85])(
  "the largest and the smallest of %i are found wherever they are",
  async (length) => {
    for (const [peak, others] of [
      [7, 3],
      [Number.NaN, 3],
      [Infinity, -Infinity],
      [-1, -2],
    ]) {
      const values = new Float32Array(length * length).fill(others);
      for (let i = 0; i < length; i++) values[i * (length + 1)] = peak;
      const x = tensor(values, { shape: [length, length], device: compiled });
      const same = new Float32Array(length).fill(peak);
      const found = [max(x, { axis: 1 }), neg(min(neg(x), { axis: 1 })), max(x, { axis: 0 })];
      for (const y of found) expect(await y.data()).toEqual(same);
      if (!Number.isFinite(peak)) continue;
      const whole = max(cast(x, "i32"), { axis: 1 });
      expect(await whole.data()).toEqual(new Int32Array(same));
    }
  },
);

test("all of them have code", () => {
  const x = tensor(drawn(12, 1, false), { shape: [3, 4], device: compiled });
  for (const [name, y] of Object.entries(allOf(x, 1))) {
    const { program } = trace([y.node], "test");
    const steps = program.steps.filter(({ op }) => op !== null);
    expect(
      steps.filter((step) => !isCompiled(program, step)),
      name,
    ).toEqual([]);
  }
});

test.each([
  [[2, 6, 6, 16], 2, 2],
  [[1, 9, 7, 5], 3, 1],
  [
    [3, 8, 9, 1],
    [2, 3],
    [1, 2],
  ],
  [[2, 3, 10, 4], [1, 4], 3],
])(
  "rows that are windows of %j, %j wide, %j apart, and their gradients",
  async (shape, size, stride) => {
    for (const isSpecial of [false, true]) {
      const values = drawn(
        shape.reduce((a, b) => a * b),
        11,
        isSpecial,
      );
      const found = await Promise.all(
        [plain, compiled, compiled].map(async (device) => {
          const x = tensor(values, { shape, dtype: device === plain ? "f64" : "f32", device });
          const view = windows(x, size, { axis: [1, 2], stride });
          const axis = [-2, -1];
          const all = [
            max(view, { axis }),
            sum(view, { axis }),
            softmax(mean(view, { axis }), { axis: 1 }),
          ];
          const kept = view.shape.slice(0, 4).reduce((a, b) => a * b);
          const numbers = reshape(view, [kept, view.size / kept]);
          const extremes = [argmax(numbers, { axis: 1 }), logSumExp(numbers, { axis: 1 })];
          const weighted = all.slice(0, 2).map((y) => sum(mul(y, y)));
          const gradients = isSpecial ? [] : weighted.map((y) => grad(y, [x])[0]);
          const wanted = [...all, ...extremes, ...gradients];
          evaluate(...wanted);
          return Promise.all(wanted.map((y) => y.data()));
        }),
      );
      const [wanted, own, again] = found;
      expect(again).toEqual(own);
      wanted.forEach((want, i) => {
        const wrong = Array.from(want, (value, j) => [value, own[i][j]]).filter(
          ([a, b]) => !isNear(b, a),
        );
        expect(wrong.slice(0, 3), `${i} ${isSpecial}`).toEqual([]);
      });
    }
  },
);
