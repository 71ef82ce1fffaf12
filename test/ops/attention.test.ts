import { beforeAll, describe, expect, test } from "vitest";
import { randomBits, uniformFromBits } from "../../src/core/random.ts";
import { type Shape, sizeOf } from "../../src/core/shape.ts";
import { lower } from "../../src/engine/lower.ts";
import { trace } from "../../src/engine/program.ts";
import { scheduleOf } from "../../src/engine/schedule.ts";
import { simplify } from "../../src/engine/simplify.ts";
import {
  type AttentionOptions,
  type Device,
  equal,
  grad,
  init,
  mul,
  scaledDotProductAttention,
  slice,
  square,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { attention } from "../support/attention.ts";
import { inBrowser, testDevice } from "../support/device.ts";
import { kernelsOf, TRAITS } from "../support/plan-kernels.ts";

let device: Device;
let plain: Device;
beforeAll(async () => {
  device = await testDevice();
  plain = (await init({ device: "cpu", engine: "plain", isolated: true })).device;
});

const drawn = (shape: Shape, size: number, salt: number) =>
  Float32Array.from(randomBits([7, salt], sizeOf(shape)), (word) => {
    return size * (2 * uniformFromBits(word) - 1);
  });

/** Matrices as nested numbers. */
const nested = (values: Float32Array, columns: number) =>
  Array.from({ length: values.length / columns }, (_, i) => [
    ...values.subarray(i * columns, (i + 1) * columns),
  ]);

describe("beside an independent program in float64", () => {
  test.each([
    ["ordinary numbers", 1, 2e-6],
    ["scores of ±10⁴", 60, 5e-3], // a score of 10⁴ is rounded by 5e-4
  ])("%s", async (_, size, bound) => {
    const [q, k, v] = [0, 1, 2].map((salt) => drawn([150, 8], salt < 2 ? size : 1, salt));
    const given = [q, k, v].map((data) => tensor(data, { shape: [150, 8], device }));
    const y = scaledDotProductAttention(given[0], given[1], given[2], { causal: true });
    const [a, b, c] = [q, k, v].map((values) => nested(values, 8));
    const expected = attention(a, b, c, {}, (i, j) => j <= i).flat();
    const found = await y.data();
    const worst = expected.reduce((most, x, i) => Math.max(most, Math.abs(x - found[i])), 0);
    expect(worst).toBeLessThan(bound);
  });
});

const RATE = { dropout: 0.3, seed: 9 };
const SHAPES: Record<string, readonly Shape[]> = {
  alike: [2, 2, 2].map((n) => [n, 5, 4]),
  grouped: [
    [4, 5, 4],
    [2, 7, 4],
    [2, 7, 3],
  ],
};
const ways: [string, keyof typeof SHAPES, AttentionOptions][] = [
  ["all", "alike", {}],
  ["causal, dropped", "alike", { causal: true, ...RATE }],
  ["grouped", "grouped", { groupedHeads: true, scale: 1.5, ...RATE }],
];

describe("gradients of gradients are those of the specification", () => {
  /** The gradient of a sum of squares of gradients, of which each input has a part. */
  function twice(on: Device, shapes: readonly Shape[], options: AttentionOptions, masked: boolean) {
    const dtype = on === plain ? "f64" : "f32";
    const make = (shape: Shape, salt: number) => {
      return tensor(drawn(shape, 1, salt), { shape, device: on, dtype });
    };
    const given = shapes.map(make);
    const mask = make([shapes[0][1], shapes[1][1]], 8);
    const own = masked ? { ...options, mask } : options;
    const all = masked ? [...given, mask] : given;
    const y = scaledDotProductAttention(given[0], given[1], given[2], own);
    const first = grad(sum(square(y)), all);
    const total = first.map((x) => sum(square(x))).reduce((a, b) => a.add(b));
    return grad(total, all);
  }

  test.each(ways)("%s", async (_, shapes, options) => {
    for (const masked of [false, true]) {
      const [found, expected] = [device, plain].map((on) => {
        return twice(on, SHAPES[shapes], options, masked);
      });
      for (const [i, x] of expected.entries()) {
        const [actual, wanted] = [await found[i].data(), await x.data()];
        const size = Math.max(...wanted.map(Math.abs));
        expect(size).toBeGreaterThan(1e-3);
        for (const [j, want] of wanted.entries()) {
          expect(Math.abs(actual[j] - want)).toBeLessThan(2e-5 * Math.max(1, size));
        }
      }
    }
  });
});

test.each([
  [17, 20, 30],
  [5, 32, 33],
])(
  "%s rows of %s and %s numbers, and their gradients, are those of the specification",
  async (length, depth, width) => {
    const run = (on: Device) => {
      const dtype = on === plain ? "f64" : "f32";
      const shapes = [depth, depth, width].map((n) => [length, n]);
      const given = shapes.map((shape, i) => {
        return tensor(drawn(shape, 1, i), { shape, device: on, dtype });
      });
      const y = scaledDotProductAttention(given[0], given[1], given[2], { causal: true });
      return [y, ...grad(sum(square(y)), given)];
    };
    const expected = run(plain);
    for (const [i, x] of run(device).entries()) {
      const wanted = await expected[i].data();
      for (const [j, found] of (await x.data()).entries()) {
        expect(Math.abs(found - wanted[j])).toBeLessThan(1e-5);
      }
    }
  },
);

test("a row that attends to nothing gives zeros, and has no gradient", async () => {
  const [q, k, v] = [0, 1, 2].map((i) => tensor(drawn([3, 4], 1, i), { shape: [3, 4], device }));
  const mask = equal(tensor([[0], [1], [0]], { device }), zeros([1, 3], { device }));
  const y = scaledDotProductAttention(q, k, v, { mask });
  const gradients = grad(sum(square(y)), [q, k, v]);
  const [row, dq] = [y, gradients[0]].map((x) => slice(x, [{ start: 1, end: 2 }]));
  expect(await row.toArray()).toEqual([[0, 0, 0, 0]]);
  expect(await dq.toArray()).toEqual([[0, 0, 0, 0]]);
  for (const x of gradients) expect((await x.data()).some((value) => value !== 0)).toBe(true);
  const dead = scaledDotProductAttention(q, k, v, {
    mask: equal(zeros([3, 3], { device }), 1),
  });
  for (const x of grad(sum(mul(dead, dead)), [q, k, v])) {
    expect((await x.data()).every((value) => value === 0)).toBe(true);
  }
});

describe.runIf(!inBrowser)("on a GPU", () => {
  const LENGTH = 512;

  /** Attention of 4 heads that share 2, and its gradients. */
  function programOf(options: AttentionOptions) {
    const [q, k, v, g] = [4, 2, 2, 4].map((heads) =>
      tensor(drawn([heads, LENGTH, 8], 1, heads), {
        shape: [heads, LENGTH, 8],
        device: plain,
      }),
    );
    const y = scaledDotProductAttention(q, k, v, { groupedHeads: true, ...options });
    const gradients = grad(sum(mul(y, g)), [q, k, v]);
    const programs = [[y], [y, ...gradients]].map((all: Tensor[]) => {
      return simplify(
        trace(
          all.map(({ node }) => node),
          "",
        ).program,
      );
    });
    return { forward: programs[0], both: programs[1] };
  }

  test.each([
    ["all", {}],
    ["causal", { causal: true }],
    ["dropped", RATE],
  ])(
    "%s takes a dispatch, and two for gradients, and memory that grows with the length",
    async (_, options) => {
      const { forward, both } = programOf(options);
      for (const kind of ["workgroup", "direct"] as const) {
        expect(await kernelsOf(forward, kind)).toHaveLength(1);
        expect(await kernelsOf(both, kind)).toHaveLength(3);
        const { stored, program } = scheduleOf(lower(both, TRAITS[kind]), 10);
        const sizes = [...stored].map((step) => sizeOf(program.steps[step].shape));
        expect(Math.max(...sizes)).toBeLessThanOrEqual(4 * LENGTH * 8);
      }
    },
  );
});
