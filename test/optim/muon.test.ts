import { beforeAll, expect, test } from "vitest";
import { type Device, GradusError, Parameter, ShapeError, tensor } from "../../src/index.ts";
import { Adafactor, Muon, type MuonOptions, Rprop } from "../../src/optim/index.ts";
import { testDevice } from "../support/device.ts";
import { uniform } from "../support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

type Matrix = number[][];
const product = (a: Matrix, b: Matrix) =>
  a.map((row) => b[0].map((_, j) => row.reduce((sum, x, k) => sum + x * b[k][j], 0)));
const turned = (a: Matrix) => a[0].map((_, j) => a.map((row) => row[j]));
const combined = (s: number, a: Matrix, t: number, b: Matrix) =>
  a.map((row, i) => row.map((x, j) => s * x + t * b[i][j]));

function orthogonal(u: Matrix, iterations: number): Matrix {
  if (u.length > u[0].length) return turned(orthogonal(turned(u), iterations));
  const length = Math.max(Math.hypot(...u.flat()), 1e-7);
  let x = u.map((row) => row.map((value) => value / length));
  for (let i = 0; i < iterations; i++) {
    const g = product(x, turned(x));
    const polynomial = combined(-4.775, g, 2.0315, product(g, g));
    x = combined(3.4445, x, 1, product(polynomial, x));
  }
  return x;
}

/** Makes some steps in plain numbers. */
function expected(start: Matrix, gradients: readonly Matrix[], options: MuonOptions): Matrix {
  const { momentum = 0.95, nesterov = true, weightDecay = 0.1, iterations = 5 } = options;
  const rate = options.learningRate as number;
  let [p, m] = [start, start.map((row) => row.map(() => 0))];
  for (const g of gradients) {
    m = combined(momentum, m, 1 - momentum, g);
    const u = nesterov ? combined(momentum, m, 1 - momentum, g) : m;
    const scale = rate * Math.sqrt(Math.max(1, p[0].length / p.length));
    p = combined(1 - rate * weightDecay, p, -scale, orthogonal(u, iterations));
  }
  return p;
}

test.each([
  [[4, 7], { learningRate: 0.1 }],
  [[7, 4], { learningRate: 0.1 }],
  [[3, 3], { learningRate: 0.2, momentum: 0.5, nesterov: false, weightDecay: 0.3, iterations: 2 }],
  [[1, 5], { learningRate: 0.1, weightDecay: 0 }],
] as const)("Muon follows its formula for %o with %o", async (shape, options) => {
  const size = shape[0] * shape[1];
  const matrix = (seed: number) => {
    const values = [...uniform(size, seed, -1, 1)];
    return Array.from({ length: shape[0] }, (_, i) =>
      values.slice(i * shape[1], (i + 1) * shape[1]),
    );
  };
  const gradients = [10, 11, 12].map(matrix);
  for (const dtype of device.dtypes.has("f64") ? (["f32", "f64"] as const) : (["f32"] as const)) {
    using p = new Parameter(tensor(matrix(1), { dtype }));
    using optimizer = new Muon([p], options);
    for (const g of gradients) optimizer.apply([tensor(g, { dtype })]);
    const [values, wanted] = [await p.data(), expected(matrix(1), gradients, options).flat()];
    const errors = wanted.map((x, i) => Math.abs(x - values[i]));
    expect(Math.max(...errors)).toBeLessThan(dtype === "f64" ? 1e-13 : 5e-6);
  }
});

test("a step of Muon has singular values near 1 whatever the gradient's are", async () => {
  using p = new Parameter(
    tensor([
      [0, 0],
      [0, 0],
    ]),
  );
  using optimizer = new Muon([p], { learningRate: 1, weightDecay: 0 });
  optimizer.apply([
    tensor([
      [1000, 0],
      [0, 100],
    ]),
  ]);
  const [a, , , d] = await p.data();
  for (const x of [-a, -d]) expect(Math.abs(x - 1)).toBeLessThan(0.35);
});

test("a gradient of 0 leaves a parameter where it is", async () => {
  using p = new Parameter(tensor([[1, 2]]));
  using optimizer = new Muon([p], { learningRate: 0.1, weightDecay: 0 });
  optimizer.apply([tensor([[0, 0]])]);
  expect([...(await p.data())]).toEqual([1, 2]);
});

test("Rprop's steps grow with the learning rate", async () => {
  using p = new Parameter(tensor([0]));
  using optimizer = new Rprop([p], { learningRate: 1, maxScale: 1.3 });
  for (const [g, at] of [
    [1, -1],
    [2, -2.2],
    [1, -3.5],
    [-1, -3.5],
    [-1, -2.85],
  ]) {
    optimizer.apply([tensor([g])]);
    expect(await p.item()).toBeCloseTo(at, 5);
  }
});

const matrix = () => [new Parameter(tensor([[1]]))];
test.each<[() => unknown, new (message: string) => GradusError, string]>([
  [
    () => new Muon([new Parameter(tensor([1]), { name: "b" })], { learningRate: 1 }),
    ShapeError,
    'Muon: "b" of shape [1]; expected two axes. An OptimizerGroup gives other parameters another optimizer',
  ],
  [
    () => new Muon(matrix(), { learningRate: 1, iterations: 0 }),
    GradusError,
    "Muon: iterations 0; expected an integer from 1",
  ],
  [
    () => new Rprop(matrix(), { learningRate: 1, etaMinus: 1 }),
    GradusError,
    "Rprop: etaMinus 1; expected a number above 0 and below 1",
  ],
  [
    () => new Rprop(matrix(), { learningRate: 1, etaPlus: 1 }),
    GradusError,
    "Rprop: etaPlus 1; expected a finite number above 1",
  ],
  [
    () => new Rprop(matrix(), { learningRate: 1, minScale: 2, maxScale: 1 }),
    GradusError,
    "Rprop: maxScale 1; expected a number from minScale, 2",
  ],
  [
    () => new Adafactor(matrix(), { learningRate: 1, beta2Decay: 0.1 }),
    GradusError,
    "Adafactor: beta2Decay 0.1; expected a finite number up to 0",
  ],
])("options out of their ranges are told %#", (make, Kind, message) => {
  expect(make).toThrow(new Kind(message));
});
