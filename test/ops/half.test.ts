import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { NumericArray } from "../../src/core/dtype.ts";
import type { Plan } from "../../src/engine/plan.ts";
import { sourceTensor } from "../../src/graph/tensor.ts";
import {
  add,
  cast,
  compile,
  concat,
  type Device,
  DTypeError,
  flip,
  gather,
  grad,
  init,
  matmul,
  mul,
  ones,
  pad,
  reshape,
  State,
  setDefaultDevice,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tanh,
  tensor,
  transpose,
  zeros,
} from "../../src/index.ts";
import { meanSquaredError } from "../../src/losses/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { inBrowser } from "../support/device.ts";
import { kernelKinds } from "../support/kernel-kinds.ts";
import { held } from "../support/memory.ts";

const KINDS = inBrowser ? (["direct", "workgroup"] as const) : (["plain", "compiled"] as const);

let devices: Readonly<Record<string, Device>>;
beforeAll(async () => {
  const onCpu = async (engine: "plain" | "compiled") =>
    (await init({ device: "cpu", engine, isolated: true })).device;
  devices = inBrowser
    ? await kernelKinds()
    : { plain: await onCpu("plain"), compiled: await onCpu("compiled") };
});
afterAll(() => {
  for (const device of Object.values(devices)) device.dispose();
});

const ALL = Uint16Array.from({ length: 0x10000 }, (_, word) => word);

/** ±(1.fraction) · 2^(exponent − 15), or ±(0.fraction) · 2⁻¹⁴: IEEE 754-2019, section 3.4. */
function numberOf(word: number): number {
  const sign = word >= 0x8000 ? -1 : 1;
  const [exponent, fraction] = [Math.floor(word / 1024) % 32, word % 1024];
  if (exponent === 31) return fraction === 0 ? sign * Number.POSITIVE_INFINITY : Number.NaN;
  if (exponent === 0) return (sign * fraction) / 2 ** 24;
  return sign * (1 + fraction / 1024) * 2 ** (exponent - 15);
}

/** Rounds the bits of an f32 to those of an f16 by whole numbers alone. */
function wordOf(bits: number): number {
  const sign = (bits >>> 16) & 0x8000;
  const exponent = ((bits >>> 23) & 0xff) - 127 + 15;
  const fraction = bits & 0x7fffff;
  if (exponent === 255 - 127 + 15) return fraction === 0 ? sign | 0x7c00 : 0x7e00;
  if (exponent >= 31) return sign | 0x7c00;
  const whole = fraction | 0x800000;
  const lost = exponent > 0 ? 13 : 14 - exponent; // bits that go
  if (lost > 25) return sign;
  const kept = Math.floor(whole / 2 ** lost);
  const rest = whole % 2 ** lost;
  const up = rest > 2 ** (lost - 1) || (rest === 2 ** (lost - 1) && kept % 2 === 1) ? 1 : 0;
  const base = exponent > 0 ? (exponent - 1) * 1024 : 0;
  return sign | (base + kept + up); // a carry makes the next exponent
}

function bitsIn(values: NumericArray): Uint32Array {
  return new Uint32Array(values.buffer, values.byteOffset, values.length);
}

/** The words as the device has them. */
function wordsOf(x: Tensor): Promise<NumericArray> {
  return x.device.read(x.use());
}

function numbers(words: ArrayLike<number>): number[] {
  return Array.from(words, numberOf);
}

const halves = (device: Device, words: Uint16Array, shape = [words.length]) =>
  sourceTensor(device, shape, "f16", words);

describe.each(KINDS)("%s", (kind) => {
  test("every word stands for its number, and comes back", async () => {
    const device = devices[kind];
    const x = halves(device, ALL);
    const y = cast(x, "f32");
    const [values, back] = [await y.data(), await wordsOf(cast(y, "f16"))];
    const bits = bitsIn(values);
    const expected = bitsIn(Float32Array.from(ALL, numberOf));
    const isNaN = (word: number) => (word & 0x7fff) > 0x7c00;
    const wrong = [...ALL].filter((word) =>
      isNaN(word)
        ? !Number.isNaN(values[word]) || back[word] !== 0x7e00
        : bits[word] !== expected[word] || back[word] !== word,
    );
    expect(wrong).toEqual([]);
    expect(await x.data()).toEqual(Float32Array.from(ALL, numberOf));
    expect(await wordsOf(x)).toEqual(ALL); // words are moved as they are
  });

  test("numbers are rounded to the nearest, ties to even", async () => {
    const device = devices[kind];
    const random = Uint32Array.from({ length: 50_001 }, () => Math.random() * 2 ** 32);
    // All that lie in the middle of two neighbours, with the next f32 on both sides.
    const middles = [...ALL.subarray(0, 0x7c00)].flatMap((word) => {
      const above = word === 0x7bff ? 65536 : numberOf(word + 1);
      const [bits] = bitsIn(Float32Array.of((numberOf(word) + above) / 2));
      return [bits - 1, bits, bits + 1, bits + 0x80000000];
    });
    const ends = [0, 1, 0x7fffff, 0x800000, 0x7f7fffff, 0x7f800000, 0x7f800001, 0x7fc00000];
    const all = [...random, ...middles, ...ends, ...ends.map((bits) => bits + 0x80000000)];
    const given = new Float32Array(Uint32Array.from(all).buffer);
    const x = tensor(given, { device });
    const words = await wordsOf(cast(x, "f16"));
    const wrong = all.filter((bits, i) => words[i] !== wordOf(bits));
    expect(wrong).toEqual([]);
    const fromHost = await wordsOf(tensor(given, { device, dtype: "f16" }));
    expect(all.filter((bits, i) => fromHost[i] !== wordOf(bits))).toEqual([]);
  });

  test("elements are moved as they are", async () => {
    const device = devices[kind];
    const words = Uint16Array.from({ length: 35 }, (_, i) => (i * 7919 + 3) % 0x7c00);
    const x = halves(device, words, [5, 7]);
    const own = (fn: (x: Tensor) => Tensor) => async () => {
      const moved = await wordsOf(fn(x));
      const y = fn(tensor(Int32Array.from(words), { device, shape: [5, 7] }));
      expect([...moved]).toEqual([...(await y.data())]);
    };
    const index = tensor([4, 0, 3], { dtype: "i32", device });
    for (const check of [
      own((x) => transpose(x)),
      own((x) => reshape(x, [7, 5])),
      own((x) => slice(x, [{ start: 1, step: 2 }, { step: -1 }])),
      own((x) => gather(x, index)),
      own((x) => gather(x, index, { axis: 1 })),
      own((x) => concat([x, flip(x), slice(x, [{ end: 1 }])])),
      own((x) =>
        pad(x, [
          [1, 2],
          [0, 1],
        ]),
      ),
    ]) {
      await check();
    }
    const around = pad(
      x,
      [
        [0, 0],
        [0, 1],
      ],
      { value: -0.1 },
    );
    expect((await wordsOf(around))[7]).toBe(0xae66);
    expect(await zeros([3], { dtype: "f16", device }).toArray()).toEqual([0, 0, 0]);
    expect(await ones([3], { dtype: "f16", device }).toArray()).toEqual([1, 1, 1]);
    expect(await cast(ones([3], { dtype: "f16", device }), "f32").toArray()).toEqual([1, 1, 1]);
    expect(await cast(ones([3], { device }), "f16").toArray()).toEqual([1, 1, 1]);
  });

  test("a product reads halves where they lie, and adds up in f32", async () => {
    const device = devices[kind];
    const words = (seed: number) =>
      Uint16Array.from({ length: 48 * 36 }, (_, i) => ((i * seed) % 0x4000) + (i % 2) * 0x8000);
    const [a, b] = [halves(device, words(7919), [48, 36]), halves(device, words(104729), [36, 48])];
    const wide = [a, b].map((x) =>
      tensor(numbers(x === a ? words(7919) : words(104729)), { shape: x.shape, device }),
    );
    const product = compile((a: Tensor, b: Tensor) => matmul(cast(a, "f32"), cast(b, "f32")));
    const same = compile((a: Tensor, b: Tensor) => matmul(a, b));
    const [y, expected] = [await product(a, b), await same(wide[0], wide[1])];
    expect(bitsIn(await y.data())).toEqual(bitsIn(await expected.data()));
    // On the CPU, products read what is stored, in f32; other groups cast as they load.
    const isGpu = device.kind === "webgpu";
    if (kind === "plain") return; // where each op is computed alone
    const added = compile((a: Tensor, b: Tensor) =>
      sum(mul(cast(a, "f32"), transpose(cast(b, "f32"))), { axis: 1 }),
    );
    await added(a, b);
    const counts = async (fn: { plans: readonly Plan[] }) =>
      (await fn.plans[0].stats()).kernels.map((kernel) => kernel.bytes);
    expect((await counts(added)).length).toBe(1);
    const read = 2 * (48 * 36 * 2);
    expect(await counts(added)).toEqual([read + 48 * 4]);
    expect((await counts(product)).length).toBe(isGpu ? 1 : 3);
    if (isGpu) expect(await counts(product)).toEqual([read + 48 * 48 * 4]);
  });

  test("they take half of the bytes, in states too, and their memory goes with them", async () => {
    const device = devices[kind];
    const before = held(device);
    const x = tensor(new Float32Array(2 ** 16).fill(0.1), { device, dtype: "f16" });
    {
      using wide = cast(x, "f32");
      expect((await wide.data())[7]).toBe(numberOf(0x2e66));
    }
    expect(x.node.storage?.bytes).toBe(2 ** 17);
    const state = new State(x);
    state.assign(cast(add(cast(state, "f32"), 1), "f16"));
    expect((await state.data())[2 ** 16 - 1]).toBe(numberOf(0x3c66));
    expect(state.node.storage?.bytes).toBe(2 ** 17);
    x.dispose();
    state.dispose();
    expect(held(device)).toBe(before);
  });

  test("gradients pass through in f32", async () => {
    const device = devices[kind];
    const w = tensor([0.1, -3, 70000], { device });
    const x = halves(device, Uint16Array.of(0x3c00, 0x4000, 0xc200));
    const y = (w: Tensor) => {
      const kept = slice(concat([cast(w, "f16"), x]), [{ step: -1 }]);
      return sum(square(slice(cast(kept, "f32"), [{ start: 1 }])));
    };
    const [g] = grad(y(w), [w]);
    const [second] = grad(sum(g), [w]);
    // Twice the number as it is kept.
    expect(await g.toArray()).toEqual([2 * numberOf(0x2e66), -6, Number.POSITIVE_INFINITY]);
    expect(await second.toArray()).toEqual([2, 2, 2]);
    expect([g.dtype, second.dtype]).toEqual(["f32", "f32"]);
  });

  test("a net whose weights and activations are kept as halves learns", async () => {
    const device = devices[kind];
    setDefaultDevice(device);
    const model = new Sequential(new Linear(2, 8, { seed: 1 }), new Linear(8, 1, { seed: 2 }));
    const optimizer = new SGD(model.parameters(), { learningRate: 0.2, momentum: 0.9 });
    const half = (x: Tensor) => cast(cast(x, "f16"), "f32");
    const forward = (x: Tensor) =>
      model.layers.reduce((x, layer, i) => {
        const { weight, bias } = layer as Linear;
        const y = add(matmul(x, half(weight)), half(bias as Tensor));
        return half(i === 0 ? tanh(y) : y);
      }, x);
    const step = trainStep({
      model,
      optimizer,
      loss: (_, { x, y }: { x: Tensor; y: Tensor }) => meanSquaredError(forward(cast(x, "f32")), y),
    });
    const x = tensor(
      [
        [0, 0],
        [0, 1],
        [1, 0],
        [1, 1],
      ],
      { dtype: "f16" },
    );
    const y = tensor([[0], [1], [1], [0]]);
    for (let i = 0; i < 150; i++) await step({ x, y });
    const losses = (await step.read()).map(({ loss }) => loss);
    expect(losses[0]).toBeGreaterThan(0.2);
    expect(losses.at(-1)).toBeLessThan(1e-3);
    for (const p of model.parameters()) expect(p.dtype).toBe("f32");
  });

  test("arithmetic asks for a cast", () => {
    const device = devices[kind];
    const x = tensor([1, 2], { device, dtype: "f16" });
    const advice = "dtype f16; expected f32, f64, i32, u32. cast it first";
    for (const [name, fn] of Object.entries({ add, sub, mul })) {
      expect(() => fn(x, x)).toThrow(new DTypeError(`${name}: ${advice}`));
      expect(() => fn(x, 0.1)).toThrow(new DTypeError(`${name}: ${advice}`));
    }
    expect(() => square(x)).toThrow(new DTypeError(`square: ${advice}`));
    expect(() => sum(x)).toThrow(DTypeError);
    expect(() => matmul(reshape(x, [1, 2]), reshape(x, [2, 1]))).toThrow(DTypeError);
    expect(() => grad(sum(cast(x, "f32")), [x])).toThrow(
      new DTypeError("grad: target 0 has dtype f16; expected f32 or f64"),
    );
  });
});
