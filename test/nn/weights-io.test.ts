import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, FormatError, GradusError, ShapeError } from "../../src/core/errors.ts";
import {
  type Device,
  evaluate,
  mul,
  Parameter,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  loadSafetensors,
  loadState,
  readSafetensors,
  type SafetensorsTensor,
  saveSafetensors,
  writeSafetensors,
} from "../../src/io/index.ts";
import { decodeSmallFloats, encodeSmallFloats, SMALL_FLOATS } from "../../src/io/small-floats.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

test("a model's weights come back as they were", async () => {
  using model = new Sequential({ hidden: new Linear(3, 4, { seed: 1 }) });
  using other = new Sequential({ hidden: new Linear(3, 4, { seed: 2 }) });
  evaluate(...model.parameters(), ...other.parameters());
  const bytes = await saveSafetensors(model, { epoch: "3" });
  const before = held(device);
  loadState(other, bytes);
  expect(held(device)).toBe(before);
  for (const [name, p] of model.state()) {
    expect(await other.state().get(name)?.data()).toEqual(await p.data());
  }
  expect(await saveSafetensors(other, { epoch: "3" })).toEqual(bytes);
});

test("every dtype survives the file", async () => {
  const tensors = new Map<string, Tensor>([
    [
      "f",
      tensor([
        [1.5, -2],
        [3, 4],
      ]),
    ],
    ["i", tensor([-1, 2], { dtype: "i32" })],
    ["u", tensor([4294967295], { dtype: "u32" })],
    ["b", tensor([true, false])],
    ["bytes", tensor(Uint8Array.of(1, 2, 255))],
    ["signed bytes", tensor(Int8Array.of(-128, 2, 127))],
    ["halves", tensor(Uint16Array.of(1, 65535, 3))],
    ["signed halves", tensor(Int16Array.of(-32768, 2, 32767))],
    ["scalar", tensor(7)],
    ["empty", tensor([], { shape: [0, 3] })],
  ]);
  const loaded = loadSafetensors(await saveSafetensors(tensors), { device });
  expect([...loaded.keys()].sort()).toEqual([...tensors.keys()].sort());
  for (const [name, x] of tensors) {
    const y = loaded.get(name) as Tensor;
    expect([y.dtype, y.shape]).toEqual([x.dtype, x.shape]);
    expect(await y.data()).toEqual(await x.data());
  }
});

test("loading is strict about names, shapes and dtypes, and then changes nothing", async () => {
  using model = new Linear(2, 1, { seed: 1 });
  const values = await model.weight.data();
  const file = (weight: Tensor, bias = "bias") =>
    saveSafetensors(
      new Map([
        ["weight", weight],
        [bias, tensor([1])],
      ]),
    );
  const fits = tensor([[1], [2]]);
  const misnamed = await file(fits, "offset");
  expect(() => loadState(model, misnamed)).toThrow(
    "loadState: missing [bias], unknown [offset]; expected exactly the names of the states",
  );
  const misshapen = await file(tensor([[1, 2]]));
  expect(() => loadState(model, misshapen)).toThrow(
    'loadState: "weight" has shape [1, 2] in the file; expected [2, 1]',
  );
  const integers = await file(tensor([[1], [2]], { dtype: "i32" }));
  expect(() => loadState(model, integers)).toThrow(
    'loadState: "weight" is I32 in the file; expected F32',
  );
  expect(await model.weight.data()).toEqual(values);
  expect(await model.bias?.data()).toEqual(Float32Array.of(0));
});

test("a file that has more than the states is refused, and what cannot be read", async () => {
  using model = new Linear(2, 1, { bias: false, seed: 1 });
  const more = await saveSafetensors(new Linear(2, 1, { seed: 1 }));
  expect(() => loadState(model, more)).toThrow(
    "loadState: missing [], unknown [bias]; expected exactly the names of the states",
  );
  expect(() => loadState(model, new Uint8Array(3))).toThrow(
    new FormatError("loadState: 3 bytes; expected at least 8"),
  );
  const late = mul(model.weight, 2);
  model.weight.assign(tensor([[1], [2]]));
  await expect(saveSafetensors(new Map([["late", late]]))).rejects.toThrow(
    /^saveSafetensors: .* as it was before/,
  );
});

describe("loading some of the names", () => {
  const values = () => new Map([["weight", tensor([[5], [6]])], ["scale", tensor([2])]]); // biome-ignore format: short
  const given: [string, () => Promise<Parameters<typeof loadState>[1]>][] = [
    ["from a file", () => saveSafetensors(values())],
    ["from a file's buffer", async () => (await saveSafetensors(values())).buffer],
    ["from tensors", async () => values()],
  ];
  for (const [title, make] of given) {
    test(`${title} assigns what meets, and tells the others`, async () => {
      using model = new Linear(2, 1, { seed: 1 });
      const bias = model.bias as Parameter;
      bias.assign(tensor([7]));
      expect(loadState(model, await make(), { strict: false })).toEqual({
        missing: ["bias"],
        unknown: ["scale"],
      });
      expect(await model.weight.data()).toEqual(Float32Array.of(5, 6));
      expect(await bias.data()).toEqual(Float32Array.of(7));
    });

    test(`${title} is refused where none meets, and where one does not fit`, async () => {
      const file = await make();
      using other = new Parameter(tensor([1]));
      expect(() => loadState(new Map([["w", other]]), file, { strict: false })).toThrow(
        /^loadState: missing \[w\], unknown \[\w+, \w+\]; expected some of the names of the states$/,
      );
      using wide = new Linear(3, 1, { seed: 1 });
      const before = await wide.weight.data();
      expect(() => loadState(wide, file, { strict: false })).toThrow(ShapeError);
      expect(await wide.weight.data()).toEqual(before);
    });
  }

  test("strict loading tells no names", async () => {
    using model = new Linear(2, 1, { seed: 1 });
    using copy = new Linear(2, 1, { seed: 2 });
    expect(loadState(copy, model)).toEqual({ missing: [], unknown: [] });
    expect(await copy.weight.data()).toEqual(await model.weight.data());
  });
});

test("a dtype without a tensor of its kind is named", () => {
  const bytes = writeSafetensors({ w: { dtype: "F8_E5M2", shape: [1], data: Uint8Array.of(0) } });
  const expected = "F32, F64, I32, U32, U8, I8, U16, I16, BOOL, F16, BF16, I64, U64";
  expect(() => loadSafetensors(bytes)).toThrow(
    new DTypeError(`loadSafetensors: tensor "w" has dtype F8_E5M2; expected one of ${expected}`),
  );
  expect(() => loadSafetensors(new Uint8Array(3))).toThrow(
    new FormatError("loadSafetensors: 3 bytes; expected at least 8"),
  );
});

describe("dtypes of files that tensors lack", () => {
  const large = 2n ** 31n;

  test("are read as others, exactly", async () => {
    const tensors = loadSafetensors(
      writeSafetensors({
        half: { dtype: "F16", shape: [3], data: Uint16Array.of(0x3c01, 0x8001, 0xfc00) },
        brain: { dtype: "BF16", shape: [2], data: Uint16Array.of(0x3f81, 0x0001) },
        long: { dtype: "I64", shape: [2, 1], data: BigInt64Array.of(-large, large - 1n) },
        count: { dtype: "U64", shape: [], data: BigUint64Array.of(2n * large - 1n) },
      }),
      { device },
    );
    const read = async (name: string) => {
      const x = tensors.get(name) as Tensor;
      return [x.dtype, x.shape, [...(await x.data())]];
    };
    const negative = Number.NEGATIVE_INFINITY;
    expect(await read("half")).toEqual(["f32", [3], [1 + 2 ** -10, -(2 ** -24), negative]]);
    expect(await read("brain")).toEqual(["f32", [2], [1 + 2 ** -7, 2 ** -133]]);
    expect(await read("long")).toEqual(["i32", [2, 1], [-(2 ** 31), 2 ** 31 - 1]]);
    expect(await read("count")).toEqual(["u32", [], [2 ** 32 - 1]]);
  });

  test.each([
    ["I64", BigInt64Array.of(0n, large), "from -2147483648 to 2147483647"],
    ["I64", BigInt64Array.of(1n, -large - 1n), "from -2147483648 to 2147483647"],
    ["U64", BigUint64Array.of(1n, 2n * large), "from 0 to 4294967295"],
  ] as const)("%s is refused where a number does not fit", async (dtype, data, range) => {
    const bytes = writeSafetensors({ n: { dtype, shape: [2], data } as SafetensorsTensor });
    const said = `tensor "n" of dtype ${dtype} holds ${data[1]} at 1; expected numbers ${range}`;
    expect(() => loadSafetensors(bytes)).toThrow(new FormatError(`loadSafetensors: ${said}`));
    const own = dtype === "I64" ? "i32" : "u32";
    using n = new Parameter(tensor([3, 4], { dtype: own }));
    const states = new Map([["n", n]]);
    expect(() => loadState(states, bytes)).toThrow(new FormatError(`loadState: ${said}`));
    expect(await n.toArray()).toEqual([3, 4]);
  });

  test("fill states of the dtype that they are read as, and no others", async () => {
    using model = new Linear(2, 1, { seed: 1, bias: false });
    const weight = (dtype: "F16" | "I64") => {
      const data = dtype === "F16" ? Uint16Array.of(0x3c00, 0xc000) : BigInt64Array.of(1n, 2n);
      return writeSafetensors({ weight: { dtype, shape: [2, 1], data } as SafetensorsTensor });
    };
    loadState(model, weight("F16"));
    expect(await model.weight.toArray()).toEqual([[1], [-2]]);
    expect(() => loadState(model, weight("I64"))).toThrow(
      new DTypeError('loadState: "weight" is I64 in the file; expected F32'),
    );
  });

  test("of f16 come back, as f32 or as they lie there", async () => {
    const words = Uint16Array.of(0x3c01, 0x8001, 0xfc00, 0x7bff);
    const file = writeSafetensors({ h: { dtype: "F16", shape: [4], data: words } });
    const half = loadSafetensors(file, { device, halves: "f16" }).get("h") as Tensor;
    const wide = loadSafetensors(file, { device }).get("h") as Tensor;
    expect([half.dtype, wide.dtype]).toEqual(["f16", "f32"]);
    expect(await half.data()).toEqual(await wide.data());
    const saved = await saveSafetensors(new Map([["h", half]]), {}, { floats: "BF16" });
    expect(readSafetensors(saved).tensors.get("h")).toEqual({
      dtype: "F16",
      shape: [4],
      data: words,
    });
    using kept = new Parameter(zeros([4], { dtype: "f16" }));
    const states = new Map([["h", kept]]);
    loadState(states, saved);
    expect(await kept.data()).toEqual(await wide.data());
    const whole = writeSafetensors({ h: { dtype: "I32", shape: [4], data: new Int32Array(4) } });
    expect(() => loadState(states, whole)).toThrow(
      new DTypeError('loadState: "h" is I32 in the file; expected F16'),
    );
    expect(() => loadSafetensors(file, { halves: "i32" })).toThrow(
      new GradusError('loadSafetensors: halves "i32"; expected f32, f64 or f16'),
    );
  });

  test("are written where it is asked for, of floats alone", async () => {
    const x = tensor([1 + 2 ** -11, -(2 ** -25), 65519.99, Number.NaN, Number.POSITIVE_INFINITY]);
    const n = tensor([7], { dtype: "i32" });
    const save = (floats: "F16" | "BF16", w: Tensor) => {
      return saveSafetensors(new Map([["w", w], ["n", n]]), {}, { floats }); // biome-ignore format: two pairs
    };
    const words = (bytes: Uint8Array) => {
      const { tensors } = readSafetensors(bytes);
      const { dtype, data } = tensors.get("w") as SafetensorsTensor;
      expect(tensors.get("n")?.dtype).toBe("I32");
      return [dtype, ...Array.from(data as Uint16Array)];
    };
    expect(words(await save("F16", x))).toEqual(["F16", 0x3c00, 0x8000, 0x7bff, 0x7e00, 0x7c00]);
    expect(words(await save("BF16", x))).toEqual(["BF16", 0x3f80, 0xb300, 0x4780, 0x7fc0, 0x7f80]);
    await expect(save("F16", tensor([[1, -65520]]))).rejects.toThrow(
      new GradusError(
        'saveSafetensors: tensor "w" holds -65520 at 1; expected numbers that F16 can hold. ' +
          "BF16 has the range of f32",
      ),
    );
    await expect(save("F8" as "F16", x)).rejects.toThrow(
      new GradusError('saveSafetensors: floats "F8"; expected F16 or BF16'),
    );
  });

  test.each([
    ["F16", SMALL_FLOATS.F16, 0x7c00],
    ["BF16", SMALL_FLOATS.BF16, 0x7f80],
  ])("all words of %s are what they stand for, and come back", (_, format, infinity) => {
    const words = Uint16Array.from({ length: 0x10000 }, (_, bits) => bits);
    const numbers = decodeSmallFloats(words, format);
    const back = encodeSmallFloats(numbers, format);
    const isSame = (bits: number) =>
      (bits & 0x7fff) > infinity ? Number.isNaN(numbers[bits]) : back[bits] === bits;
    expect([...words].filter((bits) => !isSame(bits))).toEqual([]);
    // Halfway to the next word goes to the even one, and what is nearer to one of them to that one.
    const wrong: number[] = [];
    for (let bits = 0; bits < infinity - 1; bits++) {
      const half = (numbers[bits] + numbers[bits + 1]) / 2;
      const near = (1 - 2 ** -50) * half;
      const far = (1 + 2 ** -50) * half;
      const rounded = encodeSmallFloats([half, near, far, -half], format);
      const even = bits + (bits & 1);
      if ([even, bits, bits + 1, even + 0x8000].some((x, i) => rounded[i] !== x)) wrong.push(bits);
    }
    expect(wrong).toEqual([]);
  });
});
