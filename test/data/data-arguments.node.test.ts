import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test, vi } from "vitest";
import {
  decodeAudio,
  melFilters,
  melSpectrogram,
  resample,
  spectrogram,
  stft,
} from "../../src/audio/index.ts";
import { readCsv } from "../../src/csv/index.ts";
import {
  Batch,
  BatchSampler,
  BucketLoader,
  batched,
  DataLoader,
  type Dataset,
  DeviceDataset,
  FeatureScaling,
  type IdxArray,
  kFold,
  minMaxScaling,
  mnist,
  normalizeImages,
  padSequences,
  prefetch,
  StreamLoader,
  Subset,
  shuffleWindow,
  splitDataset,
  standardScaling,
  TensorDataset,
  TextDataset,
  writeIdx,
} from "../../src/data/index.ts";
import { loadEmnist, loadIris, loadMnist } from "../../src/datasets/index.ts";
import { evaluate, GradusError, init, ShapeError, tensor } from "../../src/index.ts";
import {
  fileStore,
  indexedDbStore,
  loadNpy,
  loadNpz,
  loadSafetensors,
  loadState,
  opfsStore,
  saveNpz,
  saveSafetensors,
  writeSafetensors,
} from "../../src/io/index.ts";
import { ByteTokenizer, CharacterTokenizer, trainBpe } from "../../src/text/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

beforeAll(async () => {
  await testDevice();
});

const images = (n: number) => tensor(new Uint8Array(2 * n), { shape: [n, 2] });
const bytes = (n: number) => tensor(new Uint8Array(n));
const numbers = (n: number) => new TensorDataset({ x: tensor(new Float32Array(n)) });
const plain = (size: number): Dataset<Disposable> => ({
  size,
  batch: () => ({ [Symbol.dispose]() {} }),
});

const square: IdxArray = { dtype: "u8", shape: [1, 2, 2], data: new Uint8Array(4) };
const one: IdxArray = { dtype: "u8", shape: [1], data: new Uint8Array(1) };
const signed: IdxArray = { dtype: "i8", shape: [1], data: new Int8Array(1) };

/** An options object with a name that no function knows. */
const odd = { unknwon: 1 } as never;

/** For each interface of options, the calls that take them. */
const takers: Record<string, Record<string, () => unknown>> = {
  CsvOptions: { readCsv: () => readCsv("a\n1", odd) },
  BatchedOptions: { batched: () => batched([], 1, odd) },
  BatchSamplerOptions: { BatchSampler: () => new BatchSampler(odd) },
  BucketLoaderOptions: { BucketLoader: () => new BucketLoader(odd) },
  CharacterTokenizerOptions: { CharacterTokenizer: () => new CharacterTokenizer("a", odd) },
  DataLoaderOptions: {
    DataLoader: () => new DataLoader({ dataset: plain(2), batchSize: 1, ...(odd as object) }),
  },
  DatasetOptions: { loadIris: () => loadIris(odd) },
  PixelDatasetOptions: { loadMnist: () => loadMnist(odd) },
  DecodeAudioOptions: { decodeAudio: () => decodeAudio(new Uint8Array(), odd) },
  MelFilterOptions: { melFilters: () => melFilters(odd) },
  MelSpectrogramOptions: { melSpectrogram: () => melSpectrogram(tensor([0]), odd) },
  ResampleOptions: { resample: () => resample(tensor([0]), odd) },
  SpectrogramOptions: { spectrogram: () => spectrogram(tensor([0]), odd) },
  StftOptions: { stft: () => stft(tensor([0]), odd) },
  DecodeOptions: { "ByteTokenizer.decode": () => new ByteTokenizer().decode([0], odd) },
  EmnistOptions: { loadEmnist: () => loadEmnist(odd) },
  EncodeOptions: { "ByteTokenizer.encode": () => new ByteTokenizer().encode("a", odd) },
  MnistOptions: { mnist: () => mnist(new Uint8Array(), new Uint8Array(), odd) },
  NormalizeOptions: {
    normalizeImages: () => normalizeImages(images(1), odd),
    DeviceDataset: () => new DeviceDataset(images(2), bytes(2), odd),
    mnist: () => mnist(new Uint8Array(), new Uint8Array(), { normalize: odd }),
  },
  PaddingOptions: { padSequences: () => padSequences([[1]], odd) },
  PadSequencesOptions: { padSequences: () => padSequences([[1]], odd) },
  PrefetchOptions: { prefetch: () => prefetch([], 1, odd) },
  ShuffleWindowOptions: { shuffleWindow: () => shuffleWindow([], odd) },
  StreamLoaderOptions: { StreamLoader: () => new StreamLoader(odd) },
  SplitOptions: {
    splitDataset: () => splitDataset(plain(2), { all: 1 }, odd),
    kFold: () => kFold(plain(2), 2, odd),
  },
  TensorDatasetOptions: {
    TensorDataset: () => new TensorDataset({ x: bytes(2) }, odd),
  },
  TextDatasetOptions: { TextDataset: () => new TextDataset([1, 2], odd) },
  TokenizerOptions: { ByteTokenizer: () => new ByteTokenizer(odd) },
  TrainBpeOptions: { trainBpe: () => trainBpe("a", odd) },
  StoreOptions: {
    fileStore: () => fileStore("a", odd),
    opfsStore: () => opfsStore("a", odd),
    indexedDbStore: () => indexedDbStore("a", odd),
  },
  LoadOptions: { loadSafetensors: () => loadSafetensors(writeSafetensors({}), odd) },
  LoadStateOptions: { loadState: () => loadState(new Map(), new Map(), odd) },
  LoadNpyOptions: {
    loadNpy: () => loadNpy(new Uint8Array(), odd),
    loadNpz: () => loadNpz(new Uint8Array(), odd),
  },
  SaveNpzOptions: { saveNpz: () => saveNpz(new Map(), odd) },
  SaveOptions: { saveSafetensors: () => saveSafetensors(new Map(), {}, odd) },
};

describe("unknown options are refused", () => {
  test.each(Object.values(takers).flatMap((calls) => Object.entries(calls)))(
    "by %s",
    async (name, call) => {
      const error = await (async () => call())().catch((error: unknown) => error);
      expect(error).toBeInstanceOf(GradusError);
      const said = new RegExp(`^${name}: unknown option "unknwon"; expected `);
      expect((error as GradusError).message).toMatch(said);
    },
  );

  test("by every function that takes some", () => {
    const root = join(import.meta.dirname, "../../src");
    const files = ["audio", "csv", "data", "datasets", "io", "text"].flatMap((folder) =>
      readdirSync(join(root, folder)).map((name) => readFileSync(join(root, folder, name), "utf8")),
    );
    const declared = files.flatMap((text) =>
      [...text.matchAll(/^(?:export )?(?:interface|type) (\w*Options)\b/gm)].map(
        ([, name]) => name,
      ),
    );
    expect(Object.keys(takers).sort()).toEqual(declared.sort());
  });

  test("by TensorDataset, also among what is to be prepared", () => {
    const make = (prepare: unknown) => () =>
      new TensorDataset({ inputs: bytes(2), constructor: bytes(2) }, { prepare: prepare as never });
    expect(make({ inptus: normalizeImages })).toThrow(
      'TensorDataset: prepare of "inptus"; expected one of inputs, constructor. Did you mean "inputs"?',
    );
    expect(make({ inputs: 3 })).toThrow(
      "TensorDataset: prepare of inputs is 3; expected a function",
    );
    expect(make(3)).toThrow("TensorDataset: prepare 3; expected functions by name");
    expect(() => make({ inputs: () => 3 })().batch([0])).toThrow(
      'TensorDataset: prepare gives 3 for "inputs"; expected a tensor',
    );
  });
});

describe("batches of examples that are not there", () => {
  const sets: [string, () => Dataset<Disposable>][] = [
    ["TensorDataset", () => numbers(4)],
    ["DeviceDataset", () => new DeviceDataset(images(4), bytes(4))],
    ["Subset", () => new Subset(numbers(9), [8, 1, 0, 3])],
    ["Subset", () => new Subset(plain(9), [8, 1, 0, 3])],
  ];
  const wrong: [unknown, string][] = [
    [[4], "example 4"],
    [[0, -1], "example -1"],
    [[1.5], "example 1.5"],
    [[Number.NaN], "example NaN"],
    [[2 ** 32], "example 4294967296"],
    [["1"], 'example "1"'],
    [[null], "example null"],
    [new Array(1), "example undefined"],
    [Int32Array.of(-1), "example -1"],
    [Uint32Array.of(3, 4), "example 4"],
    [Float32Array.of(0.5), "example 0.5"],
    [undefined, "undefined"],
    [3, "3"],
    ["0", '"0"'],
    [{}, "an object"],
  ];
  test.each(sets)("%s refuses", (name, make) => {
    const data = make();
    for (const [indices, given] of wrong) {
      const rule = given.startsWith("example") ? "integers" : "an array of integers";
      const call = () => data.batch(indices as Uint32Array);
      expect(call).toThrow(`${name}.batch: ${given}; expected ${rule} from 0 to 3`);
      expect(call).toThrow(given.startsWith("example") ? ShapeError : GradusError);
    }
  });

  test("integers may come in any array", async () => {
    const data = new TensorDataset({ x: tensor([10, 20, 30]) });
    for (const indices of [[2, 0, 2], Int32Array.of(2, 0, 2), Float64Array.of(2, 0, 2)]) {
      using batch = data.batch(indices);
      expect(await batch.x.toArray()).toEqual([30, 10, 30]);
      using part = await new Subset(data, indices).batch([1]);
      expect(await part.x.toArray()).toEqual([10]);
    }
    expect(data.batch([]).x.shape).toEqual([0]);
  });

  test("names may be those of any object's members", async () => {
    const named = Object.fromEntries(["constructor", "toString"].map((name) => [name, bytes(2)]));
    const proto = JSON.parse('{"__proto__":0}') as Record<string, never>;
    Object.defineProperty(proto, "__proto__", { value: tensor([3, 4]), enumerable: true });
    const batch = new TensorDataset({ ...named, x: bytes(2) }).batch([1]);
    expect(Object.keys(batch)).toEqual(["constructor", "toString", "x"]);
    const odd = new TensorDataset(proto).batch([1]);
    expect(odd.size).toBe(1);
    odd.dispose();
  });
});

test("data sets and what they hold on a device are freed", async () => {
  const set = new DeviceDataset(images(2), bytes(2));
  set.dispose();
  expect([set.images.disposed, set.labels.disposed]).toEqual([true, true]);
  const named = numbers(2);
  {
    using _ = named;
  }
  expect(named.tensors.x.disposed).toBe(true);

  const device = await testDevice();
  const data = new DeviceDataset(images(4), bytes(4));
  const rows = tensor(Uint32Array.of(0, 1));
  evaluate(data.images, data.labels, rows);
  const before = held(device);
  const take = () => {
    using batch = subset.rows?.(rows) as Batch;
    evaluate(batch.images, batch.labels);
  };
  const subset = new Subset(data, [3, 1, 2]);
  take();
  const placed = held(device);
  take();
  expect(held(device)).toBe(placed);
  subset.dispose();
  expect(held(device)).toBe(before);
  take(); // made again
  expect(held(device)).toBe(placed);
  {
    using _ = subset;
  }
  expect(held(device)).toBe(before);
  {
    using batch = data.batch([0, 1]);
    evaluate(batch.images, batch.labels);
  }
  expect(held(device)).toBe(before);
});

test("what is not to be prepared may be left undefined", async () => {
  const data = new TensorDataset({ x: tensor([1, 2]) }, { prepare: { x: undefined } });
  expect(await data.batch([1]).x.toArray()).toEqual([2]);
});

test("a scaling follows the dtype of what it is given", async () => {
  const scaling = new FeatureScaling([1], [0.1], [0.3]);
  const of = (dtype: "f32" | "f64") => scaling.apply(tensor([[0.7]], { dtype }));
  for (const dtype of ["f32", "f64", "f32"] as const) {
    const scaled = of(dtype);
    expect(scaled.dtype).toBe(dtype);
    const digits = dtype === "f64" ? 15 : 6;
    expect(await scaled.item()).toBeCloseTo(2, digits);
  }
});

describe("classes to stratify by", () => {
  const shares = { train: 0.6, test: 0.4 };
  const places = Array.from({ length: 40 }, (_, i) => (i * 7) % 3);
  const parts = (stratify: unknown) => {
    const { train, test: held } = splitDataset(plain(40), shares, {
      stratify: stratify as never,
      seed: 3,
    });
    return [train.indices, held.indices];
  };
  const as = <T>(...names: T[]) => places.map((place) => names[place]);

  test.each<[string, unknown]>([
    ["texts", as("ant", "bee", "cat")],
    ["negative and large numbers", as(-5, 0.5, 1e300)],
    ["big integers", as(1n, 20n, 300n)],
    ["bytes", Uint8Array.from(places)],
    ["64-bit integers", BigInt64Array.from(places, BigInt)],
    ["several kinds", as<unknown>(7, true, "7")],
    ["infinities", as(Number.NEGATIVE_INFINITY, 0, Number.POSITIVE_INFINITY)],
  ])("are %s", (_, stratify) => {
    expect(parts(stratify)).toEqual(parts(places));
    const [, held] = parts(stratify);
    for (const place of [0, 1, 2]) {
      const all = places.filter((other) => other === place).length;
      const found = [...held].filter((i) => places[i] === place).length;
      expect(Math.abs(found - 0.4 * all)).toBeLessThan(2);
    }
  });

  test("may be more than a Map or a Set holds", () => {
    const expected = parts(places);
    const full = () => new RangeError("Map maximum size exceeded");
    vi.stubGlobal(
      "Set",
      class<T> extends Set<T> {
        override add(value: T): this {
          if (this.size === 2) throw full();
          return super.add(value);
        }
      },
    );
    vi.stubGlobal(
      "Map",
      class<K, V> extends Map<K, V> {
        override set(key: K, value: V): this {
          if (this.size === 2) throw full();
          return super.set(key, value);
        }
      },
    );
    try {
      expect(parts(as("ant", "bee", "cat"))).toEqual(expected);
    } finally {
      vi.unstubAllGlobals();
    }
  });

  test("are true and false", () => {
    const [, held] = parts(places.map((place) => place === 0));
    const found = [...held].filter((i) => places[i] === 0).length;
    expect(Math.abs(found - 0.4 * places.filter((place) => place === 0).length)).toBeLessThan(2);
  });

  test.each<[unknown, string]>([
    [as<unknown>("a", Number.NaN, "b"), "class NaN of example 1"],
    [as<unknown>("a", "b", null), "class null of example 2"],
    [new Array(40), "class undefined of example 0"],
    [as<unknown>({}, 1, 2), "class an object of example 0"],
    ["a".repeat(40), `stratify "${"a".repeat(40)}"`],
    [3, "stratify 3"],
    [null, "stratify null"],
    [{}, "stratify an object"],
  ])("are not %j", (stratify, given) => {
    for (const [op, call] of Object.entries({
      splitDataset: () => parts(stratify),
      kFold: () => kFold(plain(40), 2, { stratify: stratify as never }),
    })) {
      expect(call).toThrow(`${op}: ${given}; expected`);
      expect(call).toThrow(GradusError);
    }
  });

  test("are dealt in turn, to the part that lacks most", () => {
    const options = { stratify: [7, 7, 7, 7], shuffle: false };
    const { most, rest } = splitDataset(plain(4), { most: 0.75, rest: 0.25 }, options);
    expect([[...most.indices], [...rest.indices]]).toEqual([[0, 1, 3], [2]]);
    // Numbers in their order, then truth values, then texts.
    const kinds = { stratify: ["b", true, 10, "a", 9, false], shuffle: false };
    const folds = kFold(plain(6), 3, kinds);
    expect(folds.map(({ validation }) => [...validation.indices])).toEqual([
      [1, 4],
      [2, 3],
      [0, 5],
    ]);
  });

  test("are read from a tensor first", () => {
    expect(() => parts(3)).toThrow(
      new GradusError("splitDataset: stratify 3; expected the class of each example in an array"),
    );
    expect(() => parts(tensor(places))).toThrow(
      "splitDataset: stratify a Tensor; expected the class of each example in an array. " +
        "Give await labels.data()",
    );
  });
});

test("a data set's tensors lie on one device", async () => {
  const here = images(2);
  const { device } = await init({ device: "cpu", isolated: true });
  const labels = tensor(new Uint8Array(2), { device });
  expect(() => new TensorDataset({ here, labels })).toThrow(
    /^TensorDataset: here on cpu.*, labels on cpu.*; expected one device$/,
  );
  expect(() => new DeviceDataset(here, labels)).toThrow(
    "DeviceDataset: images on cpu, labels on cpu; expected one device",
  );
});

test.each<[string, () => unknown, string]>([
  [
    "mnist",
    () =>
      mnist(
        writeIdx({ dtype: "u8", shape: [0, 5, 5], data: new Uint8Array() }),
        writeIdx({ dtype: "u8", shape: [0], data: new Uint8Array() }),
      ),
    "images u8 [0, 5, 5] with labels u8 [0]",
  ],
  [
    "TensorDataset.rows",
    () => numbers(2).rows(tensor([[0]], { dtype: "u32" })),
    "indices [1, 1]; expected [n]",
  ],
  ["Subset", () => new Subset(undefined as never, [0]), "data set undefined"],
  ["Subset", () => new Subset([1, 2] as never, [0]), "data set an array"],
  ["splitDataset", () => splitDataset(null as never, { all: 1 }), "data set null"],
  ["splitDataset", () => splitDataset(plain(3), null as never), "shares null"],
  ["kFold", () => kFold({ size: 3 } as never, 2), "data set an object"],
  ["DeviceDataset", () => new DeviceDataset([1] as never, bytes(1)), "input 0 is an array"],
  ["DeviceDataset", () => new DeviceDataset(images(1), bytes(1), { std: 0 }), "mean 0, std 0"],
  ["DeviceDataset", () => new DeviceDataset(bytes(2), bytes(2)), "images [2] with labels [2]"],
  [
    "DeviceDataset",
    () => new DeviceDataset(images(2), images(2)),
    "images [2, 2] with labels [2, 2]",
  ],
  ["DeviceDataset", () => new DeviceDataset(images(2), bytes(3)), "images [2, 2] with labels [3]"],
  [
    "DeviceDataset",
    () => new DeviceDataset(images(2), bytes(2)).batchAt(bytes(1), null as never),
    "sampler null",
  ],
  ["Batch", () => new Batch(1 as never, bytes(1)), "input 0 is 1"],
  ["Batch", () => new Batch(bytes(1), bytes(1), [bytes(1), 2] as never), "input 3 is 2"],
  ["mnist: labels", () => mnist(writeIdx(square), Uint8Array.of(1)), "1 bytes"],
  ["mnist", () => mnist(writeIdx(square), writeIdx(signed)), "images u8 [1, 2, 2] with labels i8"],
  [
    "mnist",
    () =>
      mnist(
        writeIdx({ ...square, dtype: "i8", data: new Int8Array(4) } as IdxArray),
        writeIdx(one),
      ),
    "images i8 [1, 2, 2] with labels u8 [1]",
  ],
  ["mnist", () => mnist(writeIdx(one), writeIdx(one)), "images u8 [1] with labels u8 [1]"],
  ["TensorDataset", () => new TensorDataset(null as never), "no tensors"],
  ["TensorDataset", () => new TensorDataset({ x: [1] as never }), "a tensor called x, an array"],
  ["TensorDataset.rows", () => numbers(2).rows(tensor([0.5])), "indices have dtype f32"],
  ["DeviceDataset.rows", () => new DeviceDataset(images(1), bytes(1)).rows(bytes(1)), "indices"],
  ["normalizeImages", () => normalizeImages([1] as never), "input 0 is an array"],
  ["prefetch", () => prefetch(3 as never, 1), "source 3"],
  ["prefetch", () => prefetch(null as never, 1), "source null"],
  ["prefetch", () => prefetch({} as never, 1), "source an object"],
  ["Subset.rows", () => new Subset(numbers(2), [0]).rows?.(bytes(1)), "indices have dtype u8"],
  ["FeatureScaling", () => new FeatureScaling([1], 3 as never, [1]), "offset 3"],
  [
    "FeatureScaling",
    () => new FeatureScaling([2], [0, Number.NaN], [1, 1]),
    "feature 1 with offset NaN and scale 1",
  ],
  [
    "FeatureScaling",
    () => new FeatureScaling([1], [0], [Number.POSITIVE_INFINITY]),
    "feature 0 with offset 0 and scale Infinity",
  ],
  ["FeatureScaling.apply", () => new FeatureScaling([1], [0], [1]).apply(1 as never), "input 0"],
  [
    "FeatureScaling.apply",
    () => new FeatureScaling([], [0], [1]).apply(tensor(5)),
    "input []; expected [n]",
  ],
  [
    "splitDataset",
    () => splitDataset(plain(1), { a: 0.1, b: 0.9 }),
    "a share of 0.1 of 1 examples",
  ],
  ["prefetch", () => prefetch([], 1, { onDrop: 3 as never }), "onDrop is 3"],
  ["mnist: images", () => mnist(Uint8Array.of(1), new Uint8Array()), "1 bytes"],
])("%s says what it was given", (name, call, given) => {
  expect(call).toThrow(`${name}: ${given}`);
  expect(call).toThrow(/; expected /);
  expect(call).toThrow(GradusError);
});

test.each([
  ["standardScaling", standardScaling],
  ["minMaxScaling", minMaxScaling],
])("%s takes tensors", async (name, scaling) => {
  await expect(scaling([1] as never)).rejects.toThrow(`${name}: input 0 is an array; expected`);
});
