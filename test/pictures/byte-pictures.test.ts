import { beforeAll, expect, test } from "vitest";
import {
  add,
  compile,
  type Device,
  init,
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
import golden from "../fixtures/byte-pictures.json" with { type: "json" };
import { testDevice } from "../support/device.ts";

let device: Device;
let cpu: Device;
beforeAll(async () => {
  device = await testDevice();
  cpu = (await init({ device: "cpu", isolated: true })).device;
  setDefaultDevice(device);
});

const SHAPE = [2, 3, 5, 7];
const BYTES = Uint8Array.from({ length: 210 }, (_, i) => 31 * i * i + 17 * i);

const pictures = (on: Device, channels = 3) => {
  const own = channels === 3 ? BYTES : [...BYTES].filter((_, i) => Math.floor(i / 35) % 3 === 0);
  const shape = [SHAPE[0], channels, SHAPE[2], SHAPE[3]];
  return tensor(Uint8Array.from(own), { shape, device: on });
};
const drawn = (on: Device, step = 3) => ({
  step: tensor(step, { dtype: "u32", device: on }),
  seed: 5,
});

type Augment = (x: Tensor, options: ReturnType<typeof drawn>) => Tensor;

const affine = { degrees: [-15, -15], scale: [1.25, 1.25], shear: [10, 10] } as const;

/** What torchvision makes of the pictures, and how many bytes may be one off it, where rounding decides. */
const CASES: Record<keyof typeof golden, [augment: Augment, off: number, channels?: number]> = {
  mirrored: [(x, o) => randomHorizontalFlip(x, { ...o, p: 1 }), 0],
  "upside down": [(x, o) => randomVerticalFlip(x, { ...o, p: 1 }), 0],
  brighter: [(x, o) => colorJitter(x, { ...o, brightness: [1.3, 1.3] }), 0],
  darker: [(x, o) => colorJitter(x, { ...o, brightness: [0.35, 0.35] }), 0],
  "more contrast": [(x, o) => colorJitter(x, { ...o, contrast: [1.625, 1.625] }), 1],
  "less contrast, one channel": [
    (x, o) => colorJitter(x, { ...o, contrast: [0.375, 0.375] }),
    1,
    1,
  ],
  "more colour": [(x, o) => colorJitter(x, { ...o, saturation: [1.75, 1.75] }), 1],
  "less colour": [(x, o) => colorJitter(x, { ...o, saturation: [0.25, 0.25] }), 1],
  "another hue": [(x, o) => colorJitter(x, { ...o, hue: [0.3, 0.3] }), 1],
  turned: [(x, o) => randomRotation(x, [25, 25], { ...o, fill: 7 }), 0],
  "turned, bilinear": [
    (x, o) => randomRotation(x, [25, 25], { ...o, interpolation: "bilinear" }),
    1,
  ],
  slanted: [(x, o) => randomAffine(x, { ...o, ...affine }), 0],
  "slanted, bilinear": [
    (x, o) => randomAffine(x, { ...o, ...affine, interpolation: "bilinear" }),
    1,
  ],
};

test.each(Object.entries(CASES))("%s, bytes are torchvision's", async (name, one) => {
  const [augment, off, channels] = one;
  const wanted = golden[name as keyof typeof golden];
  const y = augment(pictures(device, channels), drawn(device));
  expect(y.dtype).toBe("u8");
  const values = await y.data();
  expect(values.length).toBe(wanted.length);
  const differences = wanted.map((value, i) => Math.abs(values[i] - value)).filter((d) => d > 0);
  expect(Math.max(0, ...differences)).toBeLessThanOrEqual(1);
  expect(differences.length).toBeLessThanOrEqual(off);
});

/** What only moves bytes, or puts others in their place. */
const MOVES: readonly [string, Augment][] = [
  ["randomHorizontalFlip", (x, o) => randomHorizontalFlip(x, o)],
  ["randomVerticalFlip", (x, o) => randomVerticalFlip(x, { ...o, layout: "NHWC" })],
  ["randomCrop", (x, o) => randomCrop(x, 4, { ...o, padding: 2, value: 9 })],
  ["randomErasing", (x, o) => randomErasing(x, { ...o, p: 1, value: 9, scale: [0.2, 0.5] })],
  [
    "cutmix",
    (x, o) => cutmix(x, oneHot(tensor([0, 1], { dtype: "i32", device: x.device }), 2), o)[0],
  ],
];

test.each(MOVES)("%s moves bytes as it moves floats, alike on all devices", async (_, augment) => {
  const results: number[][] = [];
  for (const on of [device, cpu]) {
    const x = pictures(on);
    const step = new State(tensor(0, { dtype: "u32", device: on }), { name: "step" });
    const run = compile((given: Tensor) => {
      const y = augment(given, { step, seed: 5 });
      step.assign(add(step, 1));
      return y;
    });
    for (const i of [0, 1]) {
      const bytes = [...(await (await run(x)).data())] as number[];
      results[i] ??= bytes;
      expect(bytes).toEqual(results[i]);
      const floats = tensor(Float32Array.from(BYTES), { shape: SHAPE, device: on });
      expect(bytes).toEqual([...(await augment(floats, drawn(on, i)).data())]);
    }
    run.dispose();
  }
});

test("changes of colour and places agree on all devices but for some by one", async () => {
  const all: Augment = (x, o) => {
    const jittered = colorJitter(x, {
      ...o,
      brightness: 0.4,
      contrast: 0.4,
      saturation: 0.4,
      hue: 0.2,
    });
    return randomAffine(jittered, { ...o, degrees: 30, interpolation: "bicubic", fill: 255 });
  };
  const [own, other] = await Promise.all(
    [device, cpu].map((on) => all(pictures(on), drawn(on)).data()),
  );
  const differences = [...own].map((value, i) => Math.abs(value - other[i]));
  expect(Math.max(...differences)).toBeLessThanOrEqual(4); // a cubic weighs 16 bytes that may be one off
  expect(differences.filter((d) => d > 0).length).toBeLessThan(20);
  expect(new Set(own).size).toBeGreaterThan(20);
});

test("a value that no byte has is refused, and bytes that would be mixed", () => {
  const x = pictures(device);
  const rule = "expected a whole number from 0 to 255, as pictures of bytes are";
  expect(() => randomErasing(x, { ...drawn(device), value: 0.5 })).toThrow(
    `randomErasing: value 0.5; ${rule}`,
  );
  expect(() => randomCrop(x, 4, { ...drawn(device), value: 256 })).toThrow(
    `randomCrop: value 256; ${rule}`,
  );
  expect(() => randomRotation(x, 4, { ...drawn(device), fill: -1 })).toThrow(
    `randomRotation: fill -1; ${rule}`,
  );
  expect(() => mixup(x, tensor([0, 1]), drawn(device))).toThrow(
    "mixup: dtype u8; expected floats from 0 to 1. cast and scale it",
  );
  const signed = tensor(new Int32Array(4), { shape: [1, 1, 2, 2] });
  expect(() => randomVerticalFlip(signed, drawn(device))).toThrow(
    "randomVerticalFlip: dtype i32; expected u8, or floats from 0 to 1. cast and scale it",
  );
});
