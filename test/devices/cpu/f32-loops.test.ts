import { beforeAll, describe, expect, test } from "vitest";
import { sizeOf } from "../../../src/core/shape.ts";
import { f32Loops } from "../../../src/devices/cpu/f32-loops.ts";
import {
  broadcastTo,
  type Device,
  init,
  slice,
  type Tensor,
  tensor,
  transpose,
} from "../../../src/index.ts";
import * as ops from "../../../src/ops/index.ts";

let device: Device;
beforeAll(async () => {
  device = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

type Name = keyof typeof f32Loops;
const names = Object.keys(f32Loops) as Name[];

const { NaN: nan, POSITIVE_INFINITY: inf } = Number;
const SPECIAL = [0, -0, 1, -1, 0.5, -2.5, 89, -89, 120, -120, 1e4, 1e-45, 3e38, inf, -inf, nan];

/** A view of a shape whose values come round again and again. */
type View = (values: readonly number[], dtype: "f32" | "f64") => Tensor;

const whole =
  (...shape: number[]): View =>
  (values, dtype) => {
    const data = Float64Array.from({ length: sizeOf(shape) }, (_, i) => values[i % values.length]);
    return tensor(data, { shape, dtype, device });
  };

const mapped =
  (view: View, f: (x: Tensor) => Tensor): View =>
  (values, dtype) =>
    f(view(values, dtype));

/** Calls the op that a loop belongs to on two views; a condition comes from the first. */
function call(name: Name, a: Tensor, b: Tensor): Tensor {
  if (name === "where") return ops.where(ops.greater(a, 0), a, b);
  const op = ops[name] as (...x: Tensor[]) => Tensor;
  return op.length === 1 ? op(a) : op(a, b);
}

/** Expects float32 to give what float64, which has no loops of its own, gives when it is rounded. */
async function expectRounded(name: Name, a: View, b: View, shift = 0): Promise<void> {
  const values = SPECIAL.map(Math.fround);
  const turned = [...values.slice(shift), ...values.slice(0, shift)];
  const [f32, f64] = await Promise.all(
    (["f32", "f64"] as const).map((t) => call(name, a(values, t), b(turned, t)).data()),
  );
  const wrong = f64.findIndex((value, i) => !Object.is(f32[i], Math.fround(value)));
  expect({ wrong, f32: f32[wrong], f64: f64[wrong] }).toEqual({ wrong: -1 });
  expect(f32.length).toBe(f64.length);
}

const side = [90, 70];
const reversedAxes = mapped(whole(70, 90), (x) => transpose(x));
const inner = mapped(whole(95, 90), (x) => slice(x, [{ start: 1, end: 91 }, { end: 70 }]));
const column = mapped(whole(90, 1), (x) => broadcastTo(x, side));
const row = mapped(whole(70), (x) => broadcastTo(x, side));
const long = mapped(whole(3, 1), (x) => broadcastTo(x, [3, 5000]));
const threeLoops = mapped(whole(2, 1, 3), (x) => broadcastTo(x, [2, 4, 3]));

describe.each(names)("%s in float32", (name) => {
  test("gives special values what float64 gives", async () => {
    for (let shift = 0; shift < SPECIAL.length; shift++) {
      await expectRounded(name, whole(16), whole(16), shift);
    }
  });

  test.each([0, 1, 2047, 2048, 2049, 5000])("%i elements", async (n) => {
    await expectRounded(name, whole(n), whole(n), 3);
    await expectRounded(
      name,
      whole(n),
      mapped(whole(1), (x) => broadcastTo(x, [n])),
      3,
    );
  });

  test("views", async () => {
    for (const view of [reversedAxes, inner, column, row]) {
      await expectRounded(name, view, whole(...side), 5);
      await expectRounded(name, whole(...side), view, 7);
      await expectRounded(name, view, view, 1);
    }
    await expectRounded(name, long, whole(3, 5000), 2);
    await expectRounded(name, whole(2, 4, 3), threeLoops, 2);
  });
});
