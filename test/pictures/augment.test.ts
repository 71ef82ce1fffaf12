import { beforeAll, describe, expect, test } from "vitest";
import { foldIn, keyFromSeed, randomBits } from "../../src/core/random.ts";
import { drawnIndex } from "../../src/core/shuffle.ts";
import {
  add,
  compile,
  type Device,
  gammaAt,
  init,
  type Key,
  oneHot,
  State,
  setDefaultDevice,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import {
  colorJitter,
  cutmix,
  mixup,
  randomAffine,
  randomCrop,
  randomErasing,
  randomHorizontalFlip,
  randomRotation,
  randomVerticalFlip,
} from "../../src/pictures/index.ts";
import { testDevice } from "../support/device.ts";
import { generator } from "../support/reference.ts";

let device: Device;
let cpu: Device;
beforeAll(async () => {
  device = await testDevice();
  cpu = (await init({ device: "cpu", isolated: true })).device;
  setDefaultDevice(device);
});

const [N, C, H, W] = [5, 3, 6, 8];
const next = generator(11);
const PIXELS = Float64Array.from({ length: N * C * H * W }, () => Math.fround(next()));
const STEP = 9;
const SEED = 4;

/** Pictures on a device, in f32, or on the CPU in f64. */
const images = (on: Device, dtype: "f32" | "f64") =>
  tensor(PIXELS, { shape: [N, C, H, W], dtype, device: on });
const counter = (on: Device, step = STEP) => tensor(step, { dtype: "u32", device: on });

/** The pixel of a picture's channel; 0 outside. */
const pixel = (n: number, c: number, y: number, x: number, fill = 0) =>
  x < 0 || y < 0 || x >= W || y >= H ? fill : PIXELS[((n * C + c) * H + y) * W + x];

/** Fills pictures by a function of each place. */
function made(
  height: number,
  width: number,
  fn: (n: number, c: number, y: number, x: number) => number,
) {
  const all: number[] = [];
  for (let n = 0; n < N; n++) {
    for (let c = 0; c < C; c++) {
      for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) all.push(fn(n, c, y, x));
    }
  }
  return all;
}

const STREAMS = [
  "horizontal",
  "vertical",
  "crop",
  "affine",
  "rotation",
  "jitter",
  "erasing",
  "mixup",
  "cutmix",
];

/** The key of a part of what a function draws, at the step of the tests. */
const keyOf = (stream: string, part: number): Key =>
  foldIn(foldIn(foldIn(keyFromSeed(SEED), STREAMS.indexOf(stream)), part), STEP);

/** What is drawn for each picture, in [low, high). */
function drawn(stream: string, part: number, low = 0, high = 1, count = N): number[] {
  const bits = randomBits(keyOf(stream, part), count);
  return Array.from(bits, (word) => low + (high - low) * (word >>> 8) * 2 ** -24);
}

type Augment = (x: Tensor, options: { step: Tensor; seed: number }) => Tensor;

/** Compares with a reference in f64, and the device in f32 with that. */
async function expectMade(augment: Augment, expected: readonly number[], bound: number) {
  const options = (on: Device) => ({ step: counter(on), seed: SEED });
  const exact = await augment(images(cpu, "f64"), options(cpu)).data();
  expect(exact.length).toBe(expected.length);
  for (const [i, want] of expected.entries()) expect(Math.abs(exact[i] - want)).toBeLessThan(1e-9);
  const values = await augment(images(device, "f32"), options(device)).data();
  for (const [i, want] of expected.entries()) {
    expect(Math.abs(values[i] - want)).toBeLessThanOrEqual(bound);
  }
}

describe("flips mirror the pictures that are drawn", () => {
  test("left to right", async () => {
    const u = drawn("horizontal", 0);
    const flips = made(H, W, (n, c, y, x) => pixel(n, c, y, u[n] < 0.5 ? W - 1 - x : x));
    expect(u.some((v) => v < 0.5) && u.some((v) => v >= 0.5)).toBe(true);
    await expectMade((x, o) => randomHorizontalFlip(x, o), flips, 0);
  });

  test("upside down, a share", async () => {
    const u = drawn("vertical", 0);
    const p = (Math.min(...u) + Math.max(...u)) / 2;
    const flips = made(H, W, (n, c, y, x) => pixel(n, c, u[n] < p ? H - 1 - y : y, x));
    await expectMade((x, o) => randomVerticalFlip(x, { ...o, p }), flips, 0);
  });

  test("none and all", async () => {
    await expectMade((x, o) => randomHorizontalFlip(x, { ...o, p: 0 }), [...PIXELS], 0);
    const all = made(H, W, (n, c, y, x) => pixel(n, c, y, W - 1 - x));
    await expectMade((x, o) => randomHorizontalFlip(x, { ...o, p: 1 }), all, 0);
  });
});

describe("crops are parts from places that are drawn", () => {
  const places = (part: number, count: number) =>
    Array.from({ length: N }, (_, i) => drawnIndex(keyOf("crop", part), count, i));

  test("within the picture", async () => {
    const [top, left] = [places(0, H - 4 + 1), places(1, W - 5 + 1)];
    const parts = made(4, 5, (n, c, y, x) => pixel(n, c, top[n] + y, left[n] + x));
    expect(new Set(left).size).toBeGreaterThan(1);
    await expectMade((x, o) => randomCrop(x, [4, 5], o), parts, 0);
  });

  test("with padding", async () => {
    const [top, left] = [places(0, H + 4 - 6 + 1), places(1, W + 2 - 6 + 1)];
    const parts = made(6, 6, (n, c, y, x) => pixel(n, c, top[n] + y - 2, left[n] + x - 1, 0.5));
    await expectMade((x, o) => randomCrop(x, 6, { ...o, padding: [2, 1], value: 0.5 }), parts, 0);
  });

  test("with the picture's own border around it", async () => {
    const [top, left] = [places(0, 3), places(1, 3)];
    const cut = (i: number, count: number) => Math.min(count - 1, Math.max(0, i));
    const parts = made(H, W, (n, c, y, x) =>
      pixel(n, c, cut(top[n] + y - 1, H), cut(left[n] + x - 1, W)),
    );
    await expectMade(
      (x, o) => randomCrop(x, [H, W], { ...o, padding: 1, mode: "replicate" }),
      parts,
      0,
    );
  });
});

/** A place between pixels, as torchvision samples it; `dx` and `dy` from the picture's middle. */
function sampled(n: number, c: number, dx: number, dy: number, isNearest: boolean, fill: number) {
  const [x, y] = [dx + W / 2 - 0.5, dy + H / 2 - 0.5];
  if (isNearest) return pixel(n, c, Math.round(y), Math.round(x), fill);
  const [x0, y0] = [Math.floor(x), Math.floor(y)];
  let sum = 0;
  for (const [i, j] of [
    [0, 0],
    [0, 1],
    [1, 0],
    [1, 1],
  ]) {
    // biome-ignore format: corners
    const weight = (i ? y - y0 : 1 - y + y0) * (j ? x - x0 : 1 - x + x0);
    sum += weight * pixel(n, c, y0 + i, x0 + j, fill);
  }
  return sum;
}

const RADIANS = Math.PI / 180;

describe.each(["bilinear", "nearest"] as const)("turned pictures, %s", (interpolation) => {
  const isNearest = interpolation === "nearest";
  const bound = isNearest ? 1e-6 : 1e-4;

  test("rotation is counter-clockwise", async () => {
    const angles = drawn("rotation", 0, -30 * RADIANS, 30 * RADIANS);
    const turned = made(H, W, (n, c, y, x) => {
      const [dx, dy] = [x + 0.5 - W / 2, y + 0.5 - H / 2];
      const [cos, sin] = [Math.cos(angles[n]), Math.sin(angles[n])];
      return sampled(n, c, cos * dx - sin * dy, sin * dx + cos * dy, isNearest, 0);
    });
    await expectMade((x, o) => randomRotation(x, 30, { ...o, interpolation }), turned, bound);
  });

  test("affine maps are the inverse of shift, turn, scale and slant", async () => {
    const angle = drawn("affine", 0, -20 * RADIANS, 40 * RADIANS);
    const tx = drawn("affine", 1, -0.25 * W, 0.25 * W).map(Math.round);
    const ty = drawn("affine", 2, -0.5 * H, 0.5 * H).map(Math.round);
    const scale = drawn("affine", 3, 0.7, 1.4);
    const sx = drawn("affine", 4, -15 * RADIANS, 15 * RADIANS);
    const sy = drawn("affine", 5, 2 * RADIANS, 6 * RADIANS);
    const mapped = made(H, W, (n, c, y, x) => {
      // M = R(angle) · shearY · shearX · scale, inverted as a matrix.
      const [r, s] = [angle[n], sy[n]];
      const a = (scale[n] * Math.cos(r - s)) / Math.cos(s);
      const b = scale[n] * ((-Math.cos(r - s) * Math.tan(sx[n])) / Math.cos(s) - Math.sin(r));
      const p = (scale[n] * Math.sin(r - s)) / Math.cos(s);
      const q = scale[n] * ((-Math.sin(r - s) * Math.tan(sx[n])) / Math.cos(s) + Math.cos(r));
      const det = a * q - b * p;
      const [dx, dy] = [x + 0.5 - W / 2 - tx[n], y + 0.5 - H / 2 - ty[n]];
      const place = [(q * dx - b * dy) / det, (a * dy - p * dx) / det];
      return sampled(n, c, place[0], place[1], isNearest, 0.25);
    });
    const moves = {
      degrees: [-20, 40],
      translate: [0.25, 0.5],
      scale: [0.7, 1.4],
      shear: [-15, 15, 2, 6],
      fill: 0.25,
    } as const;
    await expectMade((x, o) => randomAffine(x, { ...o, ...moves, interpolation }), mapped, bound);
  });
});

test("an affine map of nothing leaves pictures as they are", async () => {
  await expectMade((x, o) => randomAffine(x, o), [...PIXELS], 1e-6);
});

describe("colorJitter follows torchvision's formulas", () => {
  const gray = ([r, g, b]: readonly number[]) => 0.2989 * r + 0.587 * g + 0.114 * b;
  const cut = (v: number) => Math.min(1, Math.max(0, v));
  const rgb = (n: number, y: number, x: number) => [0, 1, 2].map((c) => pixel(n, c, y, x));

  test("brightness", async () => {
    const f = drawn("jitter", 0, 0.5, 1.5);
    const brighter = made(H, W, (n, c, y, x) => cut(f[n] * pixel(n, c, y, x)));
    await expectMade((x, o) => colorJitter(x, { ...o, brightness: 0.5 }), brighter, 1e-6);
  });

  test("contrast", async () => {
    const f = drawn("jitter", 1, 0.2, 3);
    const means = Array.from({ length: N }, (_, n) => {
      let sum = 0;
      for (let y = 0; y < H; y++) for (let x = 0; x < W; x++) sum += gray(rgb(n, y, x));
      return sum / (H * W);
    });
    const clearer = made(H, W, (n, c, y, x) =>
      cut(f[n] * pixel(n, c, y, x) + (1 - f[n]) * means[n]),
    );
    await expectMade((x, o) => colorJitter(x, { ...o, contrast: [0.2, 3] }), clearer, 2e-6);
  });

  test("saturation", async () => {
    const f = drawn("jitter", 2, 0, 2);
    const stronger = made(H, W, (n, c, y, x) =>
      cut(f[n] * pixel(n, c, y, x) + (1 - f[n]) * gray(rgb(n, y, x))),
    );
    await expectMade((x, o) => colorJitter(x, { ...o, saturation: 1 }), stronger, 2e-6);
  });

  test("hue", async () => {
    const f = drawn("jitter", 3, -0.5, 0.5);
    const turned = made(H, W, (n, c, y, x) => {
      const [r, g, b] = rgb(n, y, x);
      const [most, least] = [Math.max(r, g, b), Math.min(r, g, b)];
      const range = most - least || 1;
      const [rc, gc, bc] = [(most - r) / range, (most - g) / range, (most - b) / range];
      const sixth = most === r ? bc - gc : most === g ? 2 + rc - bc : 4 + gc - rc;
      const h = (((sixth / 6 + f[n]) % 1) + 1) % 1;
      const s = most === 0 ? 0 : (most - least) / most;
      const i = Math.floor(6 * h);
      const t = 6 * h - i;
      const [p, q, u] = [most * (1 - s), most * (1 - s * t), most * (1 - s * (1 - t))];
      const table = [[most, u, p], [q, most, p], [p, most, u], [p, q, most], [u, p, most], [most, p, q]]; // biome-ignore format: a table
      return table[i % 6][c];
    });
    await expectMade((x, o) => colorJitter(x, { ...o, hue: 0.5 }), turned, 2e-5);
  });

  test("nothing, and pictures of one channel", async () => {
    await expectMade((x, o) => colorJitter(x, o), [...PIXELS], 0);
    const one = tensor([0.25, 0.5], { shape: [1, 1, 1, 2] });
    const options = { step: counter(device), seed: SEED, saturation: 1, hue: 0.2 };
    expect(await colorJitter(one, options).toArray()).toEqual([[[[0.25, 0.5]]]]);
  });
});

test("erasing puts a value into the first rectangle that fits", async () => {
  const p = 0.8;
  const count = 10 * N;
  const area = drawn("erasing", 0, 0.02, 0.9, count).map((share) => share * H * W);
  const form = drawn("erasing", 1, Math.log(0.3), Math.log(3.3), count).map(Math.exp);
  const u = [2, 3, 4].map((part) => drawn("erasing", part));
  const boxes = Array.from({ length: N }, (_, n) => {
    const tries = Array.from({ length: 10 }, (_, i) => 10 * n + i).map((i) => [
      Math.round(Math.sqrt(area[i] * form[i])),
      Math.round(Math.sqrt(area[i] / form[i])),
    ]);
    const [h, w] = tries.find(([rows, columns]) => rows < H && columns < W) ?? [0, 0];
    const isTaken = u[2][n] < p;
    const top = Math.floor(u[0][n] * (H - h + 1));
    const left = Math.floor(u[1][n] * (W - w + 1));
    return isTaken ? { top, left, h, w } : { top, left, h: 0, w: 0 };
  });
  expect(boxes.some(({ h }) => h > 1)).toBe(true);
  const erased = made(H, W, (n, c, y, x) => {
    const { top, left, h, w } = boxes[n];
    const isInside = y >= top && y < top + h && x >= left && x < left + w;
    return isInside ? 0.75 : pixel(n, c, y, x);
  });
  await expectMade(
    (x, o) => randomErasing(x, { ...o, p, scale: [0.02, 0.9], value: 0.75 }),
    erased,
    0,
  );
});

describe("mixes take the picture before, and its targets", () => {
  const labels = [0, 1, 2, 1, 0];
  const targets = (on: Device, dtype: "f32" | "f64") =>
    oneHot(tensor(Int32Array.from(labels), { device: on }), 3, { dtype });
  const previous = (n: number) => (n + N - 1) % N;
  const mixedLabels = (share: readonly number[]) =>
    labels.flatMap((label, n) =>
      [0, 1, 2].map(
        (k) => share[n] * Number(label === k) + (1 - share[n]) * Number(labels[previous(n)] === k),
      ),
    );
  const runs = () => [[cpu, "f64", 1e-9] as const, [device, "f32", 2e-6] as const];

  async function expectMixed(
    mix: typeof mixup,
    options: object,
    pictures: readonly number[],
    share: readonly number[],
  ) {
    for (const [on, dtype, bound] of runs()) {
      const given = { step: counter(on), seed: SEED, ...options };
      const [x, y] = mix(images(on, dtype), targets(on, dtype), given);
      const [values, mixed] = [await x.data(), await y.data()];
      for (const [i, want] of pictures.entries()) {
        expect(Math.abs(values[i] - want)).toBeLessThanOrEqual(bound);
      }
      for (const [i, want] of mixedLabels(share).entries()) {
        expect(Math.abs(mixed[i] - want)).toBeLessThanOrEqual(bound);
      }
    }
  }

  test("mixup", async () => {
    const share = drawn("mixup", 0);
    const mixed = made(H, W, (n, c, y, x) => {
      return share[n] * pixel(n, c, y, x) + (1 - share[n]) * pixel(previous(n), c, y, x);
    });
    await expectMixed(mixup, {}, mixed, share);
  });

  test("shares of Beta(α, α) are those of two draws from Gamma(α)", async () => {
    const key = foldIn(foldIn(keyFromSeed(SEED), STREAMS.indexOf("mixup")), 0);
    const draws = [0, 1].map((i) =>
      gammaAt(counter(cpu), [N], { concentration: 0.4, key: foldIn(key, i), dtype: "f64" }).data(),
    );
    const [a, b] = await Promise.all(draws);
    const share = Array.from(a, (v, n) => v / (v + b[n]));
    const mixed = made(H, W, (n, c, y, x) => {
      return share[n] * pixel(n, c, y, x) + (1 - share[n]) * pixel(previous(n), c, y, x);
    });
    const [x] = mixup(images(cpu, "f64"), targets(cpu, "f64"), {
      step: counter(cpu),
      seed: SEED,
      alpha: 0.4,
    });
    for (const [i, value] of (await x.data()).entries()) expect(value).toBeCloseTo(mixed[i], 9);
  });

  test.each([5e-324, 1e-3, 0.1, 0.4, 3, 1e308])(
    "shares of Beta(α, α) have its mean and variance for α = %d",
    async (alpha) => {
      const n = 2000;
      const x = tensor(new Float32Array(n), { shape: [n, 1, 1, 1], device });
      const odd = Float32Array.from({ length: n }, (_, i) => i % 2);
      const y = tensor(odd, { shape: [n, 1], device });
      const [, mixed] = mixup(x, y, { step: counter(device), seed: SEED, alpha });
      const share = Array.from(await mixed.data(), (value, i) => (i % 2 ? value : 1 - value));
      expect(share.every((v) => v >= 0 && v <= 1)).toBe(true);
      const mean = (values: readonly number[]) => values.reduce((a, b) => a + b) / n;
      expect(Math.abs(mean(share) - 0.5)).toBeLessThan(0.045); // four standard deviations
      const variance = mean(share.map((v) => (v - 0.5) ** 2));
      expect(Math.abs(variance - 1 / (8 * alpha + 4))).toBeLessThan(0.011);
    },
  );

  test("cutmix", async () => {
    const u = [0, 1, 2].map((part) => drawn("cutmix", part));
    const boxes = Array.from({ length: N }, (_, n) => {
      const r = 0.5 * Math.sqrt(1 - u[0][n]);
      const side = (v: number, count: number) => {
        const [middle, reach] = [Math.floor(v * count), Math.floor(r * count)];
        return [Math.max(0, middle - reach), Math.min(count, middle + reach)];
      };
      return { rows: side(u[1][n], H), columns: side(u[2][n], W) };
    });
    const cut = made(H, W, (n, c, y, x) => {
      const { rows, columns } = boxes[n];
      const isInside = y >= rows[0] && y < rows[1] && x >= columns[0] && x < columns[1];
      return pixel(isInside ? previous(n) : n, c, y, x);
    });
    const share = boxes.map(
      ({ rows, columns }) => 1 - ((rows[1] - rows[0]) * (columns[1] - columns[0])) / (H * W),
    );
    expect(share.some((v) => v < 1)).toBe(true);
    await expectMixed(cutmix, {}, cut, share);
  });
});

const ALL: readonly [string, Augment][] = [
  ["randomHorizontalFlip", (x, o) => randomHorizontalFlip(x, { ...o, layout: "NHWC" })],
  ["randomVerticalFlip", (x, o) => randomVerticalFlip(x, { ...o, layout: "NHWC" })],
  ["randomCrop", (x, o) => randomCrop(x, 4, { ...o, padding: 1, layout: "NHWC" })],
  ["randomErasing", (x, o) => randomErasing(x, { ...o, p: 1, layout: "NHWC" })],
];

test.each(ALL)(
  "%s draws anew in each step of a compiled function, channels last, with the same bits on all devices",
  async (_, augment) => {
    const results: Record<string, Float32Array[]> = {};
    for (const on of [device, cpu]) {
      const x = tensor(Float32Array.from(PIXELS), { shape: [N, H, W, C], device: on });
      const step = new State(counter(on, 0), { name: "step" });
      const run = compile((given: Tensor) => {
        const y = augment(given, { step, seed: SEED });
        step.assign(add(step, 1));
        return y;
      });
      results[on.kind] = [];
      for (let i = 0; i < 4; i++)
        results[on.kind].push((await (await run(x)).data()) as Float32Array);
      const second = await augment(x, { step: counter(on, 1), seed: SEED }).data();
      expect(results[on.kind][1]).toEqual(second);
    }
    const [first, ...others] = Object.values(results);
    expect(first.some((values) => first[0].some((v, i) => v !== values[i]))).toBe(true);
    for (const other of others) expect(other).toEqual(first);
  },
);

const plain = () => ({ step: counter(device), seed: 1 });

test.each<[string, () => unknown, string]>([
  [
    "no batch",
    () => randomHorizontalFlip(tensor([[1]]), plain()),
    "randomHorizontalFlip: images [1, 1]; expected [n, channels, height, width] with pixels",
  ],
  [
    "whole numbers",
    () => randomVerticalFlip(tensor(new Int32Array(4), { shape: [1, 1, 2, 2] }), plain()),
    "randomVerticalFlip: dtype i32; expected u8, or floats from 0 to 1. cast and scale it",
  ],
  [
    "no seed",
    () => randomCrop(images(device, "f32"), 2, { step: counter(device) }),
    "randomCrop: no seed and no key; expected one of them",
  ],
  [
    "a number as the step",
    () => randomErasing(images(device, "f32"), { step: 3 as never, seed: 1 }),
    "randomErasing: input 1 is 3; expected a tensor",
  ],
  [
    "too large a part",
    () => randomCrop(images(device, "f32"), [7, 2], plain()),
    "randomCrop: size 7 × 2 of 6 × 8 pixels; expected at most as many",
  ],
  [
    "a share above 1",
    () => randomHorizontalFlip(images(device, "f32"), { ...plain(), p: 1.5 }),
    "randomHorizontalFlip: p 1.5; expected a number from 0 to 1",
  ],
  [
    "an empty range",
    () => randomRotation(images(device, "f32"), [3, 1], plain()),
    "randomRotation: degrees [3,1]; expected [low, high]",
  ],
  ...[null, undefined].map((none): [string, () => unknown, string] => [
    `${none} as the angle`,
    () => randomRotation(images(device, "f32"), none as never, plain()),
    `randomRotation: degrees ${none}; expected [low, high]`,
  ]),
  [
    "null as the angle of an affine map",
    () => randomAffine(images(device, "f32"), { ...plain(), degrees: null as never }),
    "randomAffine: degrees null; expected [low, high]",
  ],
  [
    "null as the shear",
    () => randomAffine(images(device, "f32"), { ...plain(), shear: null as never }),
    "randomAffine: shear null; expected a number, or 2 or 4 of them",
  ],
  [
    "a shear of three numbers",
    () => randomAffine(images(device, "f32"), { ...plain(), shear: [1, 2, 3] as never }),
    "randomAffine: shear [1,2,3]; expected a number, or 2 or 4 of them",
  ],
  [
    "a shear of y that ends before it begins",
    () => randomAffine(images(device, "f32"), { ...plain(), shear: [1, 2, 4, 3] }),
    "randomAffine: shear [4,3]; expected [low, high]",
  ],
  [
    "a scale of 0",
    () => randomAffine(images(device, "f32"), { ...plain(), scale: [0, 1] }),
    "randomAffine: scale [0,1]; expected [low, high] above 0",
  ],
  [
    "two shifts for one",
    () => randomAffine(images(device, "f32"), { ...plain(), translate: [2, 0] }),
    "randomAffine: translate [2,0]; expected [x, y], each from 0 to 1",
  ],
  [
    "another interpolation",
    () =>
      randomRotation(images(device, "f32"), 3, { ...plain(), interpolation: "linear" as never }),
    'randomRotation: interpolation linear; expected nearest, bilinear, bicubic. Did you mean "bilinear"?',
  ],
  [
    "more than half a circle",
    () => colorJitter(images(device, "f32"), { ...plain(), hue: 0.6 }),
    "colorJitter: hue [-0.6,0.6]; expected [low, high] from -0.5 to 0.5",
  ],
  [
    "two channels",
    () => colorJitter(tensor([1, 2], { shape: [1, 2, 1, 1] }), plain()),
    "colorJitter: 2 channels; expected 1 or 3",
  ],
  [
    "a negative brightness",
    () => colorJitter(images(device, "f32"), { ...plain(), brightness: -1 }),
    "colorJitter: brightness -1; expected a number from 0",
  ],
  [
    "more than the picture",
    () => randomErasing(images(device, "f32"), { ...plain(), scale: [0, 2] }),
    "randomErasing: scale [0,2]; expected [low, high] from 0 to 1",
  ],
  [
    "labels that are numbers of classes",
    () => mixup(images(device, "f32"), tensor(Int32Array.from([0, 1, 2, 1, 0])), plain()),
    "mixup: targets have dtype i32; expected floats. Use oneHot(labels, classes)",
  ],
  [
    "too few targets",
    () => cutmix(images(device, "f32"), tensor([[1, 0]]), plain()),
    "cutmix: images [5, 3, 6, 8] and targets [1, 2]; expected one for each picture, as [n, classes]",
  ],
  [
    "an alpha of 0",
    () => mixup(images(device, "f32"), tensor([1, 2, 3, 4, 5]), { ...plain(), alpha: 0 }),
    "mixup: alpha 0; expected a finite number above 0",
  ],
  [
    "an unknown option",
    () => randomErasing(images(device, "f32"), { ...plain(), probability: 1 } as never),
    'randomErasing: unknown option "probability"; expected step, seed, key, layout, p, scale, ratio, value',
  ],
])("refuses %s", (_, call, message) => {
  expect(call).toThrow(message);
});
