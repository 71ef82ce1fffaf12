import { afterAll, beforeAll, describe, expect, test } from "vitest";
import {
  add,
  type Device,
  evaluate,
  grad,
  init,
  matmul,
  mul,
  relu,
  softmax,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
  transpose,
} from "../../src/index.ts";
import { productParts } from "../../src/kernels/choose.ts";
import { moreTiles } from "../../src/kernels/matmul.ts";
import { TRAITS } from "../support/plan-kernels.ts";
import { uniform } from "../support/reference.ts";

/** Devices that have a kernel sum the parts of products, and that leave it to whoever loads them. */
const devices: Device[] = [];
let tiles: NonNullable<typeof moreTiles.loaded>;
beforeAll(async () => {
  tiles = await moreTiles.get();
  for (let i = 0; i < 2; i++) {
    const options = {
      device: "webgpu",
      kernels: "workgroup",
      tune: "off",
      isolated: true,
    } as const;
    devices.push((await init(options)).device);
  }
});
afterAll(() => {
  for (const device of devices) device.dispose();
  moreTiles.put(tiles);
});

interface Outcome {
  readonly values: (readonly number[])[];
  readonly dispatches: number;
}

/** What a device gives, and in how many dispatches. */
async function outcomeOn(which: number, graph: (device: Device) => Tensor[]): Promise<Outcome> {
  moreTiles.loaded = which === 0 ? null : tiles;
  const device = devices[which];
  const mark = device.counters.now;
  const results = graph(device);
  await evaluate(...results);
  const { dispatches } = device.counters.since(mark);
  moreTiles.put(tiles);
  const values = await Promise.all(results.map(async (y) => [...(await y.data())]));
  return { values, dispatches };
}

/** Evaluates on both devices, and expects the same bits; gives how many dispatches each took. */
async function compare(graph: (device: Device) => Tensor[]): Promise<number[]> {
  const summed = await outcomeOn(0, graph);
  const added = await outcomeOn(1, graph);
  expect(added.values).toEqual(summed.values); // tells 0 from -0
  return [summed.dispatches, added.dispatches];
}

const random = (device: Device, seed: number, ...shape: number[]) =>
  tensor(
    uniform(
      shape.reduce((a, b) => a * b),
      seed,
      -2,
      2,
    ),
    { shape, device },
  );

describe("parts that whoever loads them adds give the bits of their sum", () => {
  const depths = { 2: 1034, 3: 1026, 4: 1024, 5: 1280, 6: 1536, 7: 1792, 8: 2048 };
  for (const [parts, depth] of Object.entries(depths)) {
    test(`${parts} parts`, async () => {
      const size = { BATCH: 1, M: 9, N: 11, K: depth };
      expect(productParts(size, TRAITS.workgroup)).toBe(Number(parts));
      await compare((device) => [
        matmul(random(device, 1, 9, depth), random(device, 2, depth, 11)),
      ]);
    });
  }

  test("whatever consumes them", async () => {
    const product = (device: Device) =>
      matmul(random(device, 1, 33, 1024), random(device, 2, 1024, 12));
    const consumers: Record<string, (y: Tensor) => Tensor[]> = {
      "a bias and softmax": (y) => [softmax(add(y, random(y.device, 3, 12)))],
      "sums of rows": (y) => [sum(y, { axis: 1 })],
      "sums of columns": (y) => [sum(square(y), { axis: 0 })],
      "a transpose": (y) => [add(transpose(y), 1)],
      "a product, of its rows": (y) => [matmul(relu(y), random(y.device, 4, 12, 5))],
      "a product, of its columns": (y) => [matmul(random(y.device, 4, 5, 33), y)],
      "an update": (y) => [sub(random(y.device, 5, 33, 12), mul(y, 0.1))],
    };
    const counts: Record<string, number[]> = {};
    for (const [name, consume] of Object.entries(consumers)) {
      counts[name] = await compare((device) => consume(product(device)));
    }
    expect(counts).toEqual({
      "a bias and softmax": [3, 2],
      "sums of rows": [3, 2],
      "sums of columns": [3, 2],
      "a transpose": [3, 2],
      "a product, of its rows": [3, 3],
      "a product, of its columns": [3, 3],
      "an update": [2, 2],
    });
  });

  test("in batches", async () => {
    await compare((device) => [
      softmax(matmul(random(device, 1, 3, 8, 1280), random(device, 2, 3, 1280, 7))),
    ]);
  });

  test("in gradients of the first and the second order", async () => {
    await compare((device) => {
      const [x, w] = [random(device, 1, 9, 1024), random(device, 2, 1024, 8)];
      const loss = sum(square(softmax(matmul(mul(x, 0.05), w))));
      const [dw] = grad(loss, [w]);
      const [dx] = grad(sum(square(dw)), [x]);
      // The rows of a large batch: dW is a sum of 1,024 as well.
      const deep = transpose(x);
      const [dv] = grad(sum(square(matmul(deep, random(device, 3, 9, 8)))), [x]);
      const [again] = grad(sum(square(matmul(transpose(deep), w))), [w]);
      return [dw, dx, dv, again];
    });
  });

  test("of extreme values", async () => {
    const special = [3e38, -3e38, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NaN];
    const depth = 1280;
    await compare((device) => {
      const a = uniform(10 * depth, 1, -2, 2);
      for (const [row, value] of special.entries()) a[row * depth + 300 * row + 7] = value;
      a.fill(-1e-25, 5 * depth, 6 * depth); // products are below all numbers, of both signs
      a.fill(-0, 6 * depth, 7 * depth);
      a.fill(1e19, 7 * depth, 8 * depth); // sums are beyond
      const b = uniform(depth * 9, 2, 1e-25, 2e-25);
      for (let k = 0; k < depth; k++) b[k * 9] = k % 2 === 0 ? 3e19 : 1;
      const x = tensor(a, { shape: [10, depth], device });
      const y = matmul(x, tensor(b, { shape: [depth, 9], device }));
      return [y, softmax(y), sum(y, { axis: 1 })];
    });
  });
});

test("parts are within what is promised of products", async () => {
  const [m, k, n] = [17, 2048, 13];
  const [a, b] = [uniform(m * k, 1, -2, 2), uniform(k * n, 2, -2, 2)];
  const [device] = devices.slice(1);
  const y = await matmul(
    tensor(a, { shape: [m, k], device }),
    tensor(b, { shape: [k, n], device }),
  ).data();
  for (let row = 0; row < m; row++) {
    for (let column = 0; column < n; column++) {
      let [exact, squaresA, squaresB] = [0, 0, 0];
      for (let i = 0; i < k; i++) {
        const [x, w] = [a[row * k + i], b[i * n + column]];
        exact += x * w;
        squaresA += x * x;
        squaresB += w * w;
      }
      const bound = 1e-6 * Math.sqrt(k) * Math.sqrt((squaresA * squaresB) / k);
      expect(Math.abs(y[row * n + column] - exact)).toBeLessThan(bound);
    }
  }
});
