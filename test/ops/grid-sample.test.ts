import { beforeAll, describe, expect, test } from "vitest";
import { type Device, evaluate, grad, init, mul, permute, sum, tensor } from "../../src/index.ts";
import { affineGrid, type GridSampleOptions, gridSample } from "../../src/ops/index.ts";
import golden from "../fixtures/grid-sample.json";
import { testDevice } from "../support/device.ts";

let device: Device;
let cpu: Device;
beforeAll(async () => {
  device = await testDevice();
  cpu = (await init({ device: "cpu", isolated: true })).device;
});

/** Throws unless values are near those of PyTorch. */
function expectNear(actual: ArrayLike<number>, expected: readonly number[], bound: number): void {
  expect(actual.length).toBe(expected.length);
  for (const [i, want] of expected.entries()) {
    const error = Math.abs(actual[i] - want);
    if (error <= bound * (1 + Math.abs(want))) continue;
    throw new Error(`[${i}]: ${actual[i]}; expected ${want}`);
  }
}

/** In float64 on the CPU, and in f32 on the device of the test. */
const places = () =>
  [
    [{ device: cpu, dtype: "f64" }, 1e-10],
    [{ device, dtype: "f32" }, 2e-5],
  ] as const;

describe("gridSample gives PyTorch's values and gradients", () => {
  test.each(golden.cases)("$options", async ({ options, ...expected }) => {
    for (const [where, bound] of places()) {
      const make = (values: readonly number[], shape: readonly number[]) =>
        tensor(Float64Array.from(values), { shape, ...where });
      const x = make(golden.x, [2, 2, 4, 5]);
      const grid = make(golden.grid, [2, 3, 4, 2]);
      const y = gridSample(x, grid, options as GridSampleOptions);
      const loss = sum(mul(y, make(golden.weights, [2, 2, 3, 4])));
      const [dx, dgrid] = grad(loss, [x, grid]);
      const last = gridSample(permute(x, [0, 2, 3, 1]), grid, {
        ...(options as GridSampleOptions),
        layout: "NHWC",
      });
      const turned = permute(last, [0, 3, 1, 2]);
      evaluate(y, dx, dgrid, turned);
      expectNear(await y.data(), expected.y, bound);
      expectNear(await dx.data(), expected.dx, bound);
      expectNear(await dgrid.data(), expected.dgrid, bound);
      expectNear(await turned.data(), expected.y, bound);
    }
  });
});

test("affineGrid gives PyTorch's grids", async () => {
  for (const [where, bound] of places()) {
    const theta = tensor(Float64Array.from(golden.theta), { shape: [2, 2, 3], ...where });
    for (const { size, alignCorners, y } of golden.grids) {
      expectNear(await affineGrid(theta, size, { alignCorners }).data(), y, bound);
    }
  }
});

test("a grid that is NaN gives NaN, and one far away what lies there", async () => {
  const x = tensor([[[[1, 2]]]]);
  const grid = tensor([[[[Number.NaN, 0], [1e30, 0], [-5, 0], [0.5, -1e9]]]]); // biome-ignore format: places
  const at = async (padding: "zeros" | "border") => [
    ...(await gridSample(x, grid, { padding }).data()),
  ];
  expect(await at("zeros")).toEqual([Number.NaN, 0, 0, 0]);
  expect(await at("border")).toEqual([Number.NaN, 2, 1, 2]);
});
