import { beforeAll, expect, test } from "vitest";
import { DTypeError, FormatError } from "../../src/core/errors.ts";
import { type Device, evaluate, mul, type Tensor, tensor } from "../../src/index.ts";
import {
  loadInto,
  loadSafetensors,
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
  loadInto(other, bytes);
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
  expect(() => loadInto(model, misnamed)).toThrow(
    "loadInto: file lacks [bias] and has [offset] beside; expected exactly the names of the states",
  );
  const misshapen = await file(tensor([[1, 2]]));
  expect(() => loadInto(model, misshapen)).toThrow(
    'loadInto: "weight" has shape [1, 2] in the file; expected [2, 1]',
  );
  const integers = await file(tensor([[1], [2]], { dtype: "i32" }));
  expect(() => loadInto(model, integers)).toThrow(
    'loadInto: "weight" is I32 in the file; expected F32',
  );
  expect(await model.weight.data()).toEqual(values);
  expect(await model.bias?.data()).toEqual(Float32Array.of(0));
});

test("a file that has more than the states is refused, and what cannot be read", async () => {
  using model = new Linear(2, 1, { bias: false, seed: 1 });
  const more = await saveSafetensors(new Linear(2, 1, { seed: 1 }));
  expect(() => loadInto(model, more)).toThrow(
    "loadInto: file lacks [] and has [bias] beside; expected exactly the names of the states",
  );
  expect(() => loadInto(model, new Uint8Array(3))).toThrow(
    new FormatError("loadInto: 3 bytes; expected at least 8"),
  );
  const late = mul(model.weight, 2);
  model.weight.assign(tensor([[1], [2]]));
  await expect(saveSafetensors(new Map([["late", late]]))).rejects.toThrow(
    /^saveSafetensors: .* as it was before/,
  );
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
