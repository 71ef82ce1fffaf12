import { beforeAll, expect, test } from "vitest";
import { sizeOf } from "../../src/core/shape.ts";
import {
  compile,
  type Device,
  debug,
  type Fault,
  grad,
  type NestedArray,
  Parameter,
  sum,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import { clipByGlobalNorm } from "../../src/optim/index.ts";
import { tables } from "../cases/tables.ts";
import { testDevice } from "../support/device.ts";
import { type Call, draw, floats, type Make, place } from "../support/op-case.ts";
import { OPTIMIZER_CASES } from "../support/optimizer-cases.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const make: Make = (values, dtype = "f32") => {
  const isBool = Array.isArray(values) && typeof values[0] === "boolean";
  return tensor(values as NestedArray, { device, dtype: isBool ? "bool" : dtype });
};

const isFinite = (x: NestedArray): boolean =>
  Array.isArray(x) ? x.every(isFinite) : Number.isFinite(x);

/** What gives finite numbers, and is an error nevertheless: indices and NaN that it is given. */
const faults: Readonly<Record<string, string>> = {
  "cast 10": "cast",
  "cumMax 6": "cumMax",
  "gather 3": "gather",
  "indexAdd 1": "indexAdd",
  "nanMean slopes": "where",
  "nanSum slopes": "where",
  "nanToNum slopes": "where",
  "oneHot 1": "oneHot",
  "oneHot 2": "oneHot",
  "putAlongAxis 2": "putAlongAxis",
  "scatterAdd 1": "scatterAdd",
  "scatterND 1": "scatterND",
  "smoothLabels 1": "oneHot",
  "topKAccuracy 1": "where",
};

function size({ inputs }: Call): number {
  return inputs.reduce((sum, { shape }) => sum + sizeOf(shape), 0);
}

// What the library computes on the way to finite numbers is nobody's fault.
for (const [name, { golden, calls, gradient }] of tables) {
  test(`${name} passes under debug where it gives finite numbers`, async () => {
    for (const [i, { run, is }] of golden.entries()) {
      if (!isFinite(is)) continue;
      const found = debug(() => run(make)).then(() => undefined);
      const place = await found.catch((fault: Fault) => fault.place);
      expect(place, `value ${i + 1}`).toBe(faults[`${name} ${i + 1}`]);
    }
    const ofFloats = calls.filter((call) => floats(call, call.inputs).length > 0 && size(call) > 0);
    const [call] = ofFloats.sort((a, b) => size(a) - size(b));
    if (gradient !== true || !call) return;
    const all = place(call, draw(call, 100), device, "f32");
    const slopes = (): Tensor[] => grad(sum(call.run(...all)), floats(call, all));
    const fault = faults[`${name} slopes`];
    if (fault) return expect(debug(slopes)).rejects.toMatchObject({ place: fault });
    const values = await Promise.all((await debug(slopes)).map((x) => x.toArray()));
    expect(values.every(isFinite)).toBe(true);
  });
}

test("clipping passes under debug where there is nothing to clip", async () => {
  const { gradients } = clipByGlobalNorm([zeros([2])], 1);
  expect(await (await debug(() => gradients[0])).toArray()).toEqual([0, 0]);
});

for (const { name, make: optimizer } of OPTIMIZER_CASES) {
  test(`${name} passes under debug at zeros without a gradient`, async () => {
    const p = new Parameter(zeros([3]), { name: "p" });
    const some = optimizer([p]);
    await debug(() => compile(() => some.apply([zeros([3])]))());
    expect((await p.data()).every(Number.isFinite)).toBe(true);
  });
}
