import { beforeAll, describe, expect, test } from "vitest";
import { randomBits } from "../../../src/core/random.ts";
import { isCompiled } from "../../../src/devices/cpu/compiled/codes.ts";
import { trace } from "../../../src/engine/program.ts";
import {
  cast,
  type Device,
  evaluate,
  gather,
  grad,
  mul,
  permute,
  scatter,
  slice,
  sort,
  sum,
  type Tensor,
  tensor,
  topK,
} from "../../../src/index.ts";
import { cpuEngines } from "../../support/cpu-engines.ts";

let compiled: Device;
let plain: Device;
beforeAll(async () => {
  ({ compiled, plain } = await cpuEngines());
});

const seed = Math.floor(Math.random() * 2 ** 31);

/** Numbers of which many are equal; one of four is special. */
function drawn(size: number, salt = 0): Float32Array {
  const specials = [Number.NaN, Infinity, -Infinity, -0, 0, 1e-40, -1e-40, 3e38];
  return Float32Array.from(randomBits([seed, salt], size), (word) =>
    word % 4 === 0 ? specials[(word >>> 4) % 8] : (((word >>> 8) % 41) - 20) / 4,
  );
}

/** What `of` makes on each device, which must have code for all of it and give the same bits twice. */
async function both(of: (device: Device) => readonly Tensor[]): Promise<ArrayLike<number>[][]> {
  const found: ArrayLike<number>[][] = [];
  for (const device of [plain, compiled, compiled]) {
    const tensors = of(device);
    if (device === compiled) {
      const { program } = trace(
        tensors.map(({ node }) => node),
        "test",
      );
      for (const step of program.steps) {
        if (step.op) expect(isCompiled(program, step), step.op.name).toBe(true);
      }
    }
    evaluate(...tensors);
    found.push(await Promise.all(tensors.map((x) => x.data())));
  }
  expect(found[2]).toEqual(found[1]);
  return found;
}

const SIZES: [rows: number, length: number, dtype: "f32" | "i32" | "u32"][] = [
  [1, 1, "f32"],
  [3, 2, "u32"],
  [2, 7, "f32"],
  [5, 31, "i32"],
  [2, 33, "u32"],
  [2, 1030, "f32"],
  [1, 300, "i32"],
];

describe.each(SIZES)("rows of [%i, %i], %s", (rows, length, dtype) => {
  test("in order, and the first of them", async () => {
    const values = drawn(rows * length);
    const [wanted, found] = await both((device) => {
      const given = tensor(values, { shape: [rows, length], device });
      const x = dtype === "f32" ? given : cast(given, dtype);
      const flipped = slice(permute(x, [1, 0]), [{ step: -1 }]);
      const all = [false, true].flatMap((descending) => [
        sort(x, { descending }),
        sort(x.reshape([length, rows]), { axis: 0, descending }),
        sort(flipped, { axis: 0, descending }),
      ]);
      const some = [1, Math.ceil(length / 2), Math.min(length, 40)].flatMap((k) => [
        topK(x, k),
        topK(x, k, { largest: false }),
      ]);
      return [...all, ...some].flatMap((one) => [one.values, one.indices]);
    });
    expect(found).toEqual(wanted);
  });

  if (dtype !== "f32") return; // whole numbers have no gradients
  test("and their gradients", async () => {
    const values = drawn(rows * length, 1).map((x) => (Number.isFinite(x) ? x : 1));
    const [wanted, found] = await both((device) => {
      const x = tensor(values, { shape: [rows, length], device });
      return [sort(x), topK(x, Math.ceil(length / 3))].map(({ values: y }) => {
        const weights = tensor(drawn(y.size, 2), { shape: y.shape, device });
        return grad(sum(mul(y, weights)), [x])[0];
      });
    });
    expect(found).toEqual(wanted);
  });
});

test.each([
  [1, 1, 1],
  [5, 3, 4],
  [3, 40, 7],
  [700, 9, 3],
  [2, 3000, 1],
  [6, 9, 1],
  [71, 300, 1],
  [9, 30, 66],
])("rows of %i are added to by %i indices, %i columns wide", async (rows, count, columns) => {
  const words = randomBits([seed, 5], count);
  const index = Int32Array.from(words, (word) => (word % (rows + 4)) - 3); // some are none
  const specials = drawn(count * columns, 6);
  const numbers = Float32Array.from(randomBits([seed, 7], count * columns), (x) => x / 2 ** 31);
  const [wanted, found] = await both((device) =>
    [specials, numbers].map((values) => {
      const x = tensor(new Float32Array(rows * columns), { shape: [rows, columns], device });
      const y = gather(x, tensor(index, { device }));
      const weights = tensor(values, { shape: [count, columns], device });
      return grad(sum(mul(y, weights)), [x])[0];
    }),
  );
  // Both add in float64, in the same order.
  expect(found).toEqual(wanted);
});

test("of several values for one place the last stays, also beside places that are none", async () => {
  const index = Int32Array.from(randomBits([seed, 8], 60), (word) => (word % 25) - 2);
  const [wanted, found] = await both((device) => {
    const x = tensor(drawn(60, 9), { shape: [3, 20], device });
    const values = tensor(drawn(60, 10), { shape: [3, 20], device });
    const places = tensor(index, { shape: [3, 20], device });
    const y = scatter(x, places, values, { axis: 1 });
    return [y, scatter(cast(x, "i32"), places, cast(values, "i32"), { axis: 1 })];
  });
  expect(found).toEqual(wanted);
});
