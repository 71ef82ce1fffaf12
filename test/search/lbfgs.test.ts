import { beforeAll, expect, test } from "vitest";
import {
  add,
  type Device,
  type DType,
  GradusError,
  matmul,
  mul,
  Parameter,
  slice,
  square,
  sub,
  sum,
  type Tensor,
  tensor,
} from "../../src/index.ts";
import { binaryCrossEntropyWithLogits, meanSquaredError } from "../../src/losses/index.ts";
import { Linear, Sequential, Tanh } from "../../src/nn/index.ts";
import { lbfgs } from "../../src/train/index.ts";
import { testDevice } from "../support/device.ts";
import { uniform } from "../support/reference.ts";

let device: Device;
let dtypes: readonly DType[];
beforeAll(async () => {
  device = await testDevice();
  dtypes = device.dtypes.has("f64") ? ["f32", "f64"] : ["f32"];
});

/** (1 − x)² + 100 (y − x²)² */
function rosenbrock(p: Tensor): Tensor {
  const [x, y] = [0, 1].map((i) => slice(p, [{ start: i, end: i + 1 }]));
  return sum(add(square(sub(1, x)), mul(square(sub(y, square(x))), 100)));
}

test("goes through Rosenbrock's valley", async () => {
  for (const dtype of dtypes) {
    using p = new Parameter(tensor([-1.2, 1], { dtype }));
    const found = await lbfgs(() => rosenbrock(p), [p], { tolerance: 1e-6, change: 0 });
    const errors = [...(await p.data())].map((x) => Math.abs(x - 1));
    expect(Math.max(...errors)).toBeLessThan(dtype === "f64" ? 1e-6 : 2e-3);
    expect(found.loss).toBeLessThan(dtype === "f64" ? 1e-12 : 1e-6);
    expect(found.steps).toBeLessThan(50);
    expect(found.evaluations).toBeLessThan(90);
    if (dtype === "f64") expect(found.end).toBe("tolerance");
  }
});

test("least squares end where the normal equations do, in about as many steps as there are unknowns", async () => {
  const [n, k] = [40, 5];
  const given = [...uniform(n * k, 1, -1, 1)];
  const truth = [1, -2, 3, 0.5, -0.25];
  const rows = Array.from({ length: n }, (_, i) => given.slice(i * k, (i + 1) * k));
  const y = rows.map((row) => [row.reduce((s, v, j) => s + v * truth[j], 0)]);
  for (const dtype of dtypes) {
    const [x, target] = [tensor(rows, { dtype }), tensor(y, { dtype })];
    using w = new Parameter(
      tensor(
        truth.map(() => [0]),
        { dtype },
      ),
    );
    const { steps } = await lbfgs(() => meanSquaredError(matmul(x, w), target), [w], {
      tolerance: 1e-6,
    });
    const errors = [...(await w.data())].map((v, j) => Math.abs(v - truth[j]));
    expect(Math.max(...errors)).toBeLessThan(1e-4);
    expect(steps).toBeLessThan(16);
  }
});

test("a net with a sigmoid output learns XOR, and its parameters are those of the loss that is told", async () => {
  const model = new Sequential(
    new Linear(2, 4, { seed: 1 }),
    new Tanh(),
    new Linear(4, 1, { seed: 2 }),
  );
  const [x, t] = [
    tensor([
      [0, 0],
      [0, 1],
      [1, 0],
      [1, 1],
    ]),
    tensor([[0], [1], [1], [0]]),
  ];
  const loss = () => binaryCrossEntropyWithLogits(model.call(x), t);
  const found = await lbfgs(loss, model.parameters(), { steps: 200 });
  expect(found.loss).toBeLessThan(1e-3);
  expect(await loss().item()).toBeCloseTo(found.loss, 6);
});

test("ends where it may make no more steps, where it is already, and where nothing is better", async () => {
  using p = new Parameter(tensor([-1.2, 1]));
  const two = await lbfgs(() => rosenbrock(p), [p], { steps: 2 });
  expect([two.steps, two.end]).toEqual([2, "steps"]);
  p.assign(tensor([1, 1]));
  const none = await lbfgs(() => rosenbrock(p), [p]);
  expect(none).toEqual({ loss: 0, steps: 0, evaluations: 1, end: "tolerance" });
  expect([...(await p.data())]).toEqual([1, 1]);
  // Without curvature kept it is the steepest descent.
  p.assign(tensor([3, -2]));
  const plain = await lbfgs(() => sum(square(p)), [p], { history: 0 });
  expect(plain.loss).toBeLessThan(1e-9);
});

test.each<[() => Promise<unknown>, string]>([
  [() => lbfgs(() => sum(square(tensor([1]))), []), "lbfgs: no parameters; expected at least one"],
  [() => lbfgs(3 as never, [new Parameter(tensor([1]))]), "lbfgs: loss is 3; expected a function"],
  [
    () => lbfgs(() => tensor(1), [new Parameter(tensor([1]))], { steps: 0 }),
    "lbfgs: steps 0; expected an integer from 1",
  ],
  [
    () => {
      const p = new Parameter(tensor([1]));
      return lbfgs(() => sum(mul(p, Number.NaN)), [p]);
    },
    "lbfgs: loss NaN at the start; expected a finite number",
  ],
  [
    () => {
      const p = new Parameter(tensor([1, 2]));
      return lbfgs(() => mul(p, 2), [p]);
    },
    "lbfgs: loss's result has shape [2]; expected a scalar",
  ],
])("refuses what it cannot do %#", async (run, message) => {
  await expect(run()).rejects.toThrow(GradusError);
  await expect(run()).rejects.toThrow(message);
});
