import { beforeAll, expect, test } from "vitest";
import { randomBits } from "../../../src/core/random.ts";
import { isCompiled } from "../../../src/devices/cpu/compiled/codes.ts";
import { trace } from "../../../src/engine/program.ts";
import {
  add,
  argmax,
  argmin,
  cast,
  compile,
  concat,
  cumLogSumExp,
  cumMax,
  cumMin,
  cumProd,
  cumSum,
  type Device,
  evaluate,
  explain,
  flatten,
  grad,
  greater,
  mul,
  neg,
  permute,
  repeatInterleave,
  reshape,
  searchSorted,
  slice,
  sub,
  sum,
  type Tensor,
  tensor,
  tile,
  transpose,
  tril,
} from "../../../src/index.ts";
import { cpuEngines } from "../../support/cpu-engines.ts";

let compiled: Device;
let plain: Device;
beforeAll(async () => {
  ({ compiled, plain } = await cpuEngines());
});

const SIZES = [1, 5, 18];
const LENGTHS = [1, 3, 4, 6, 17];

/** Numbers whose sums and products are exact; where asked for, with what is special. */
function drawn(size: number, salt: number, isSpecial: boolean, numbers: readonly number[]) {
  const specials = [Number.NaN, Infinity, -Infinity, -0, 0];
  return Float32Array.from(randomBits([7, salt], size), (word) =>
    isSpecial && word % 13 === 0
      ? specials[(word >>> 4) % specials.length]
      : numbers[(word >>> 8) % numbers.length],
  );
}

const POWERS = [1, -1, 2, -2, 0.5, -0.5, 1, -1];
const QUARTERS = [-3, -1.25, -0.5, -0, 0.25, 1, 2.5, 7];

/** The bits of what `of` makes on both devices, which must have code for all of it. */
async function both(of: (device: Device) => readonly Tensor[]): Promise<ArrayLike<number>[][]> {
  const found = [plain, compiled].map(async (device) => {
    const tensors = of(device);
    const { program } = trace(
      tensors.map(({ node }) => node),
      "test",
    );
    for (const step of program.steps) {
      if (step.op && device === compiled)
        expect(isCompiled(program, step), step.op.name).toBe(true);
    }
    evaluate(...tensors);
    return Promise.all(tensors.map((x) => x.data()));
  });
  return Promise.all(found);
}

test.each([
  ["side by side", 1],
  ["one above the other", 0],
] as const)("totals of rows of elements %s are those of the plain forms", async (_, axis) => {
  for (const rows of SIZES) {
    for (const length of LENGTHS) {
      const shape = axis === 1 ? [rows, length] : [length, rows];
      const isSpecial = (rows + length) % 2 === 0;
      const [wanted, found] = await both((device) => {
        const x = tensor(drawn(rows * length, length, isSpecial, QUARTERS), { shape, device });
        const y = tensor(drawn(rows * length, length, isSpecial, POWERS), { shape, device });
        const whole = cast(y, "i32");
        return [{}, { reverse: true }, { exclusive: true }].flatMap((options) => [
          cumSum(x, { axis, ...options }),
          cumMax(x, { axis, ...options }),
          cumMin(x, { axis, ...options }),
          cumProd(y, { axis, ...options }),
          cumSum(whole, { axis, ...options }),
          cumProd(whole, { axis, ...options }),
        ]);
      });
      expect(found, `[${shape}]`).toEqual(wanted);
    }
  }
});

test.each([
  [1, 9],
  [5, 4],
  [21, 30],
])("gradients of totals of %i rows of %i", async (rows, length) => {
  const [wanted, found] = await both((device) => {
    const x = tensor(drawn(rows * length, 1, false, POWERS), { shape: [rows, length], device });
    const weights = tensor(drawn(rows * length, 2, false, POWERS), { shape: x.shape, device });
    return [cumProd, cumMax, cumSum].map((f) => grad(sum(mul(f(x), weights)), [x])[0]);
  });
  expect(found).toEqual(wanted);
});

test.each([1, 0])(
  "what is small does not vanish beside a long sum of exponentials",
  async (axis) => {
    const n = 100_000;
    const shape = axis === 1 ? [2, n] : [n, 2];
    const x = tensor(new Float32Array(2 * n), { shape, device: compiled });
    const y = await cumLogSumExp(x, { axis }).data();
    for (const i of [0, 1, 5000, n - 2, n - 1]) {
      const want = Math.log(i + 1);
      expect(Math.abs(y[axis === 1 ? i : 2 * i] - want)).toBeLessThanOrEqual(1e-6 * want);
    }
  },
);

test.each([
  [1, 1, 5],
  [3, 7, 1],
  [1, 64, 70],
  [4, 33, 16],
  [2, 1000, 19],
])("%i rows of %i are searched for %i values", async (rows, length, count) => {
  for (const isSpecial of [false, true]) {
    // What is not sorted too.
    const x = drawn(rows * length, 3, isSpecial, QUARTERS);
    const [wanted, found] = await both((device) => {
      const own = tensor(x, { shape: [rows, length], device });
      const sorted = tensor(
        x.map((_, i) => (i % length) - 3),
        { shape: [rows, length], device },
      );
      const v = tensor(drawn(rows * count, 4, isSpecial, QUARTERS), {
        shape: [rows, count],
        device,
      });
      return (["left", "right"] as const).flatMap((side) => [
        searchSorted(own, v, { side }),
        searchSorted(sorted, v, { side }),
        searchSorted(cast(sorted, "i32"), cast(v, "i32"), { side }),
      ]);
    });
    expect(found).toEqual(wanted);
  }
});

test.each([60, 64, 77, 96])(
  "the first and the last of the best of %i, wherever",
  async (length) => {
    for (const [best, others] of [
      [7, 3],
      [Number.NaN, 3],
      [0, -0],
    ]) {
      const values = new Float32Array(length * length).fill(others);
      for (let i = 0; i < length; i++) {
        for (const j of [i, (i * 7) % length]) values[i * length + j] = best;
      }
      const [wanted, found] = await both((device) => {
        const x = tensor(values, { shape: [length, length], device });
        const down = mul(x, -1);
        return (["first", "last"] as const).flatMap((ties) => [
          argmax(x, { axis: 1, ties }),
          argmin(down, { axis: 1, ties }),
          argmax(x, { axis: 0, ties }),
        ]);
      });
      expect(found).toEqual(wanted);
    }
  },
);

const MOVES: Record<string, (x: Tensor) => Tensor> = {
  "joined one above the other": (x) => concat([x, x], { axis: 0 }),
  "joined and flattened": (x) => flatten(concat([x, x], { axis: 0 })),
  transposed: (x) => flatten(transpose(x)),
  "repeated as a whole": (x) => tile(flatten(x), [3]),
  "repeated one by one": (x) => repeatInterleave(flatten(x), 20),
  "below a diagonal": (x) => tril(x),
};

test.each(Object.entries(MOVES))("%s without a division for each element", async (_, move) => {
  const values = drawn(40 * 24, 5, true, QUARTERS);
  const [wanted, found] = await both((device) => [
    move(tensor(values, { shape: [40, 24], device })),
  ]);
  expect(found).toEqual(wanted);
  const step = compile(move);
  const y = await step(tensor(values, { shape: [40, 24], device: compiled }));
  await y.data();
  const code = `${await explain(step.plans[0], { code: true })}`;
  expect(code).toContain("v128.store");
  expect(code).not.toContain("div");
});

test.each([
  [16, 4],
  [37, 22],
  [20, 5],
  [3, 50],
  [50, 3],
  [35, 67],
])("%i rows of %i across what is read, beside what lies along", async (rows, columns) => {
  const values = drawn(rows * columns, 6, true, QUARTERS);
  const [wanted, found] = await both((device) => {
    const x = tensor(values, { shape: [rows, columns], device });
    const other = tensor(values, { shape: [columns, rows], device });
    const bytes = tensor(Uint8Array.from(values.keys()), { shape: [rows, columns], device });
    const deep = reshape(x, [rows, 1, columns]);
    return [
      transpose(x),
      add(mul(transpose(x), 2), other),
      sub(transpose(slice(x, [{ step: -1 }, { step: -1 }])), other),
      greater(transpose(x), slice(other, [{}, { end: 1 }])),
      cast(transpose(bytes), "f32"),
      permute(concat([deep, mul(deep, 2), neg(deep)], { axis: 1 }), [2, 0, 1]),
      permute(concat([deep, mul(deep, 2)], { axis: 1 }), [2, 1, 0]),
    ];
  });
  expect(found).toEqual(wanted);
});

test("four by four elements are read across by four loads", async () => {
  const step = compile((x: Tensor) => transpose(x).mul(2));
  await step(tensor(new Float32Array(32 * 32), { shape: [32, 32], device: compiled }));
  const code = `${await explain(step.plans[0], { code: true })}`;
  expect(code.match(/v128\.load /g)).toHaveLength(4);
  expect(code.match(/v128\.store /g)).toHaveLength(4);
  expect(code).not.toContain("load32_lane");
});
