import { beforeAll, describe, expect, test } from "vitest";
import { DTypeError, FormatError, ShapeError } from "../../src/core/errors.ts";
import { type Device, evaluate, mul, Parameter, type Tensor, tensor } from "../../src/index.ts";
import {
  loadSafetensors,
  loadState,
  saveSafetensors,
  writeSafetensors,
} from "../../src/io/index.ts";
import { Linear, Sequential } from "../../src/nn/index.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

test("a model's weights come back as they were", async () => {
  using model = new Sequential({ hidden: new Linear(3, 4, { seed: 1 }) });
  using other = new Sequential({ hidden: new Linear(3, 4, { seed: 2 }) });
  evaluate(...model.parameters(), ...other.parameters());
  const bytes = await saveSafetensors(model, { epoch: "3" });
  const before = device.memory().tensors;
  loadState(other, bytes);
  expect(device.memory().tensors).toBe(before);
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
  const bytes = writeSafetensors({ w: { dtype: "F16", shape: [1], data: Uint16Array.of(0) } });
  expect(() => loadSafetensors(bytes)).toThrow(
    new DTypeError(
      'loadSafetensors: tensor "w" has dtype F16; expected one of F32, F64, I32, U32, U8, BOOL',
    ),
  );
  expect(() => loadSafetensors(new Uint8Array(3))).toThrow(
    new FormatError("loadSafetensors: 3 bytes; expected at least 8"),
  );
});
