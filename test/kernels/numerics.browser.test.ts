import { beforeAll, describe, expect, test } from "vitest";
import elementwiseSource from "../../shaders/elementwise.wgsl?raw";
import bits from "../../shaders/lib/bits.wgsl?raw";
import builtIns from "../../shaders/lib/built-ins.wgsl?raw";
import expLog from "../../shaders/lib/exp-log.wgsl?raw";
import nearZero from "../../shaders/lib/near-zero.wgsl?raw";
import pow from "../../shaders/lib/pow.wgsl?raw";
import threefry from "../../shaders/lib/threefry.wgsl?raw";
import trig from "../../shaders/lib/trig.wgsl?raw";
import { expectWithin } from "../support/close.ts";
import { bindings, foldGrid, openDevice, prelude, runKernel } from "../support/raw-kernel.ts";
import { generator, uniform } from "../support/reference.ts";

let device: GPUDevice;
beforeAll(async () => {
  device = await openDevice();
});

async function evaluate(call: string, ...inputs: Float32Array[]): Promise<Float32Array> {
  const size = inputs[0].length;
  const names = inputs.map((_, i) => [`x${i}`, "f32"] as const);
  const y = await runKernel(device, {
    prelude: `${prelude({ SIZE: size, WORKGROUP: 64 })}${bindings("f32", ...names)}
fn write_y(i: u32) { y[i] = ${call}; }
${bits}${builtIns}${expLog}${nearZero}${pow}${trig}`,
    source: elementwiseSource,
    output: new Float32Array(size),
    inputs,
    workgroups: foldGrid(Math.ceil(size / 64)),
  });
  return y as Float32Array;
}

/** Normal f32 of either sign over all exponents from 2^low to 2^high. */
function magnitudes(low: number, high: number, size = 2000): Float32Array {
  const next = generator(9);
  return Float32Array.from({ length: size }, () => {
    const size = 2 ** (low + next() * (high - low));
    return next() < 0.5 ? -size : size;
  });
}

const edges = [0, -0, 1, -1, 0.35, -0.35, 0.41, -0.29, 15, -15, 20, -20, 80, -80, 87, -87.3, 88.7];
const huge = [89, -89, 120, -120, 1e4, -1e4, 1e30, -1e30, 3.4e38, -3.4e38];
const odd = [Infinity, -Infinity, Number.NaN];
const everywhere = Float32Array.from([
  ...edges,
  ...huge,
  ...odd,
  ...magnitudes(-30, 20),
  ...uniform(2000, 4, -90, 90),
  ...uniform(500, 5, -1, 1),
]);

const smallest = 2 ** -126;
/** Results below the normal numbers may be flushed; above the largest, f32 has only ∞. */
const rounded = (y: number) => (Math.abs(y) < smallest ? 0 : Math.fround(y) === 0 ? 0 : y);
const overflow = (y: number) => (Math.abs(y) > 3.4028235e38 ? Math.sign(y) * Infinity : y);
const f32 = (y: number) => overflow(rounded(y));
const relative = (y: number) => 1e-6 * Math.abs(y) + smallest;

/** log(1 + eˣ) */
const softplus = (x: number) => Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
const sigmoid = (x: number) => (x < 0 ? Math.exp(x) / (1 + Math.exp(x)) : 1 / (1 + Math.exp(-x)));

const scalars: Record<string, (x: number) => number> = {
  g_exp: Math.exp,
  g_expm1: Math.expm1,
  g_log: Math.log,
  g_log1p: Math.log1p,
  g_sqrt: Math.sqrt,
  g_tanh: Math.tanh,
  g_sigmoid: sigmoid,
  g_softplus: softplus,
};

describe("numerics", () => {
  for (const [name, js] of Object.entries(scalars)) {
    test(name, async () => {
      const y = await evaluate(`${name}(x0[i])`, everywhere);
      expectWithin(y, [...everywhere].map(js).map(f32), relative);
    });
  }

  test("g_log over all magnitudes", async () => {
    const x = magnitudes(-125.9, 127.9);
    const y = await evaluate("g_log(x0[i])", x);
    expectWithin(y, [...x].map(Math.log), relative);
  });

  test("g_sin and g_cos", async () => {
    const x = Float32Array.from([...edges, ...odd, ...uniform(4000, 6, -1e4, 1e4)]);
    expectWithin(await evaluate("g_sin(x0[i])", x), [...x].map(Math.sin), () => 5e-7);
    expectWithin(await evaluate("g_cos(x0[i])", x), [...x].map(Math.cos), () => 5e-7);
    const far = await evaluate("g_sin(x0[i]) + g_cos(x0[i])", Float32Array.from(huge));
    expect(far.every((y) => Math.abs(y) <= 2)).toBe(true);
  });

  test("g_is_nan and g_is_finite", async () => {
    const x = Float32Array.from([...odd, 0, -0, 1, 3.4e38, 1e-40]);
    const y = await evaluate("select(0.0, 2.0, g_is_nan(x0[i])) + f32(g_is_finite(x0[i]))", x);
    expect([...y]).toEqual([0, 0, 2, 1, 1, 1, 1, 1]);
  });

  test("g_pow of special values", async () => {
    const values = [0, -0, 1, -1, 0.5, -0.5, 2, -2, 3, -3, 10, 2.5, -2.5, 1e10, -1e10, 16777217];
    const all = [...values, 1e30, -1e30, ...odd];
    const pairs = all.flatMap((a) => all.map((b) => [a, b]));
    const x = Float32Array.from(pairs, ([a]) => a);
    const y = Float32Array.from(pairs, ([, b]) => b);
    const expected = [...x].map((v, i) => f32(v ** y[i]));
    expectWithin(await evaluate("g_pow(x0[i], x1[i])", x, y), expected, relative);
  });

  test("g_pow over the whole range of results", async () => {
    const x = magnitudes(-120, 120, 4000).map(Math.abs);
    const logs = uniform(x.length, 8, -87, 88);
    const y = x.map((v, i) => logs[i] / Math.log(v));
    x.set(uniform(500, 11, 0.999, 1.001), 0);
    y.set(uniform(500, 12, -80_000, 80_000), 0);
    const expected = [...x].map((v, i) => f32(v ** y[i]));
    expectWithin(await evaluate("g_pow(x0[i], x1[i])", x, y), expected, relative);
  });

  test("g_pow of small whole exponents is exact where the result is whole", async () => {
    const x = Float32Array.from([10, -10, 3, -3, 2, 7, 5]);
    const y = Float32Array.from([2, 3, 4, 5, 15, 2, -0]);
    const powers = await evaluate("g_pow(x0[i], x1[i])", x, y);
    expect([...powers]).toEqual([100, -1000, 81, -243, 32768, 49, 1]);
  });
});

// Known answers of the Random123 distribution, kat_vectors, threefry2x32 with 20 rounds.
const knownAnswers = [
  { key: [0, 0], counter: [0, 0], y: [0x6b200159, 0x99ba4efe] },
  {
    key: [0xffffffff, 0xffffffff],
    counter: [0xffffffff, 0xffffffff],
    y: [0x1cb996fc, 0xbb002be7],
  },
  {
    key: [0x13198a2e, 0x03707344],
    counter: [0x243f6a88, 0x85a308d3],
    y: [0xc4923a9c, 0x483df7a0],
  },
];

test("threefry2x32 gives the published answers", async () => {
  const x = Uint32Array.from(knownAnswers.flatMap(({ key, counter }) => [...key, ...counter]));
  const y = await runKernel(device, {
    prelude: `${prelude({ SIZE: 3, WORKGROUP: 64 })}${bindings("vec2u", ["x", "vec4u"])}
fn write_y(i: u32) { y[i] = threefry2x32(x[i].xy, x[i].zw); }
${threefry}`,
    source: elementwiseSource,
    output: new Uint32Array(6),
    inputs: [x],
    workgroups: [1, 1, 1],
  });
  expect([...y]).toEqual(knownAnswers.flatMap((answer) => answer.y));
});
