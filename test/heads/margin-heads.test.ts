import { beforeAll, expect, test } from "vitest";
import { keyFromSeed } from "../../src/core/random.ts";
import {
  type Device,
  evaluate,
  GradusError,
  grad,
  gradCheck,
  init,
  State,
  type Tensor,
  tensor,
  zeros,
} from "../../src/index.ts";
import {
  ArcFace,
  ASoftmax,
  CosFace,
  crossEntropy,
  LSoftmax,
  type MarginHead,
  type MarginHeadOptions,
  NormSoftmax,
} from "../../src/losses/index.ts";
import { SGD } from "../../src/optim/index.ts";
import { trainStep } from "../../src/train/index.ts";
import { expectClose } from "../support/close.ts";
import { testDevice } from "../support/device.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const FEATURES = [
  [1, 2],
  [-3, 0.5],
  [0.2, -0.1],
  [2, -2],
];
const LABELS = [0, 2, 1, 0];

/** A head of two features and three classes. */
type Make = (options: MarginHeadOptions) => MarginHead;

/** What a logit should be: from θ, ‖w‖ and ‖x‖, without and with the margin. */
interface Formula {
  readonly make: Make;
  plain(theta: number, w: number, x: number): number;
  right(theta: number, w: number, x: number): number;
}

/** ψ(θ) with k found from the angle itself. */
function psi(theta: number, m: number): number {
  const k = Math.min(m - 1, Math.floor((theta * m) / Math.PI));
  return (-1) ** k * Math.cos(m * theta) - 2 * k;
}

const LAMBDA = 1000;
const annealed = (theta: number, m: number) =>
  (LAMBDA * Math.cos(theta) + psi(theta, m)) / (1 + LAMBDA);

const FORMULAS: Record<string, Formula> = {
  NormSoftmax: {
    make: (o) => new NormSoftmax(2, 3, { ...o, scale: 5 }),
    plain: (theta) => 5 * Math.cos(theta),
    right: (theta) => 5 * Math.cos(theta),
  },
  CosFace: {
    make: (o) => new CosFace(2, 3, { ...o, scale: 5 }),
    plain: (theta) => 5 * Math.cos(theta),
    right: (theta) => 5 * (Math.cos(theta) - 0.35),
  },
  ArcFace: {
    make: (o) => new ArcFace(2, 3, { ...o, scale: 5, margin: 0.9 }),
    plain: (theta) => 5 * Math.cos(theta),
    right: (theta) =>
      theta + 0.9 < Math.PI
        ? 5 * Math.cos(theta + 0.9)
        : 5 * (Math.cos(theta) - 0.9 * Math.sin(0.9)),
  },
  LSoftmax: {
    make: (o) => new LSoftmax(2, 3, { ...o, margin: 3, annealing: { start: LAMBDA } }),
    plain: (theta, w, x) => w * x * Math.cos(theta),
    right: (theta, w, x) => w * x * annealed(theta, 3),
  },
  "LSoftmax without annealing": {
    make: (o) => new LSoftmax(2, 3, { ...o, margin: 3, annealing: { start: 0 } }),
    plain: (theta, w, x) => w * x * Math.cos(theta),
    right: (theta, w, x) => w * x * psi(theta, 3),
  },
  ASoftmax: {
    make: (o) => new ASoftmax(2, 3, o),
    plain: (theta, _, x) => x * Math.cos(theta),
    right: (theta, _, x) => x * annealed(theta, 4),
  },
  "ASoftmax without annealing": {
    make: (o) => new ASoftmax(2, 3, { ...o, annealing: { start: 0, minimum: 0 } }),
    plain: (theta, _, x) => x * Math.cos(theta),
    right: (theta, _, x) => x * psi(theta, 4),
  },
};

test.each(Object.entries(FORMULAS))("%s computes its formula from angles", async (_, formula) => {
  using head = formula.make({ seed: 1 });
  const weight = await head.weight.data();
  const angles = FEATURES.map(([a, b]) =>
    [0, 1, 2].map((j) => {
      const [c, d] = [weight[j], weight[3 + j]];
      const cos = (a * c + b * d) / (Math.hypot(a, b) * Math.hypot(c, d));
      return { theta: Math.acos(cos), w: Math.hypot(c, d), x: Math.hypot(a, b) };
    }),
  );
  const plain = angles.map((row) => row.map(({ theta, w, x }) => formula.plain(theta, w, x)));
  const trained = angles.map((row, i) =>
    row.map(({ theta, w, x }, j) => (j === LABELS[i] ? formula.right : formula.plain)(theta, w, x)),
  );
  const [x, labels] = [tensor(FEATURES), tensor(LABELS, { dtype: "u8" })];
  const [given, right] = [head.call(x), head.logits(x, labels)];
  evaluate(given, right);
  expectClose(await given.data(), plain.flat(), 4);
  expectClose(await right.data(), trained.flat(), 4);
  const losses = trained.map((row, i) => {
    const total = row.map((z) => Math.exp(z)).reduce((a, b) => a + b);
    return Math.log(total) - row[LABELS[i]];
  });
  const loss = head.loss(x, labels);
  expect(await loss.item()).toBeCloseTo(losses.reduce((a, b) => a + b) / 4, 4);
});

test.each(Object.entries(FORMULAS))(
  "%s has finite gradients where cos θ is ±1 and for zeros",
  async (_, formula) => {
    using head = formula.make({ seed: 1 });
    const [a, , , d] = await head.weight.data();
    const x = tensor([
      [a, d],
      [-a, -d],
      [0, 0],
      [1e-25, 0],
      [1e15, 1e15],
    ]);
    const labels = tensor([0, 0, 1, 2, 5], { dtype: "i32" });
    const slopes = grad(head.loss(x, labels, { ignoreIndex: 5 }), [x, head.weight]);
    evaluate(...slopes);
    for (const slope of slopes) expect((await slope.data()).every(Number.isFinite)).toBe(true);
    const [dx] = slopes;
    expectClose((await dx.data()).slice(4, 6), [0, 0]);
  },
);

test("a head has one parameter, and the annealed ones save their count of steps", async () => {
  using arc = new ArcFace(4, 3);
  using sphere = new ASoftmax(4, 3, { device });
  expect([...arc.state().keys()]).toEqual(["weight"]);
  expect([...sphere.state().keys()]).toEqual(["weight", "step"]);
  expect(sphere.parameters()).toEqual([sphere.weight]);
  expect(sphere.weight.shape).toEqual([4, 3]);
});

test("λ falls with each loss and stays at its minimum", async () => {
  const annealing = { start: 10, rate: 1, minimum: 3 };
  using head = new LSoftmax(2, 3, { seed: 1, annealing });
  const [x, labels] = [tensor(FEATURES), tensor(LABELS, { dtype: "i32" })];
  const seen: number[] = [];
  const losses: Tensor[] = [];
  for (let i = 0; i < 5; i++) {
    seen.push(await head.lambda.item());
    losses.push(head.loss(x, labels));
    head.logits(x, labels);
  }
  expectClose(seen, [10, 5, 10 / 3, 3, 3]);
  expect(await head.step.item()).toBe(5);
  // Losses keep the λ with which they were built, and their gradients.
  const values = await Promise.all(losses.map((loss) => loss.item()));
  for (const i of [1, 2, 3]) expect(values[i]).toBeGreaterThan(values[i - 1]);
  expect(values[4]).toBe(values[3]);
  const [dw] = grad(head.loss(x, labels), [head.weight]);
  expect((await dw.data()).some((v) => v !== 0)).toBe(true);
});

test("compiled steps count as single ones do", async () => {
  const build = () => new ASoftmax(2, 3, { seed: 1, annealing: { start: 4, rate: 1, minimum: 1 } });
  using model = build();
  using single = build();
  const batch = { x: tensor(FEATURES), labels: tensor(LABELS, { dtype: "i32" }) };
  const sgd = (head: ASoftmax) => new SGD(head.parameters(), { learningRate: 0.5 });
  const step = trainStep<ASoftmax, typeof batch>({
    model,
    optimizer: sgd(model),
    loss: (head, { x, labels }) => head.loss(x, labels),
  });
  const optimizer = sgd(single);
  const expected: number[] = [];
  for (let i = 0; i < 6; i++) {
    await step(batch);
    const loss = single.loss(batch.x, batch.labels);
    optimizer.step(loss);
    expected.push(await loss.item());
  }
  expectClose(
    (await step.read()).map(({ loss }) => loss),
    expected,
  );
  expect(await model.step.item()).toBe(6);
  step.dispose();
});

test.each<[() => MarginHead, object]>([
  [() => new NormSoftmax(2, 3), { scale: 64 }],
  [() => new CosFace(2, 3), { scale: 64, margin: 0.35 }],
  [() => new ArcFace(2, 3), { scale: 64, margin: 0.5 }],
  [() => new LSoftmax(2, 3), { margin: 4, annealing: { start: 1000, rate: 0.12, minimum: 0 } }],
  [() => new ASoftmax(2, 3), { margin: 4, annealing: { start: 1000, rate: 0.12, minimum: 5 } }],
])("a head %# fills in what is left out", (make, settings) => {
  const head = make();
  expect(head).toMatchObject(settings);
  expect([head.weight.dtype, head.weight.name]).toEqual(["f32", "weight"]);
});

test("a seed or a key fixes a head's weights", async () => {
  const weights = (options: MarginHeadOptions) => new CosFace(2, 3, options).weight.data();
  const seeded = await weights({ seed: 7 });
  expect(await weights({ seed: 7 })).toEqual(seeded);
  expect(await weights({ key: keyFromSeed(7, "test") })).toEqual(seeded);
  expect(await weights({ seed: 8 })).not.toEqual(seeded);
  expect(await weights({})).not.toEqual(await weights({}));
});

test("heads reject sizes, options and inputs that do not fit", () => {
  expect(() => new CosFace(2, 3, { key: [1] as never })).toThrow(
    "CosFace: key an array; expected two u32 words, as keyFromSeed(seed) gives them",
  );
  expect(() => new CosFace(0, 3)).toThrow("CosFace: features 0; expected a positive integer");
  expect(() => new CosFace(2, 1.5)).toThrow("CosFace: classes 1.5; expected a positive integer");
  expect(() => new ArcFace(2, 3, { scale: 0 })).toThrow(
    "ArcFace: scale 0; expected a finite number above 0",
  );
  expect(() => new ArcFace(2, 3, { margin: 4 })).toThrow(
    "ArcFace: margin 4; expected a number from 0 and below π",
  );
  expect(() => new CosFace(2, 3, { margin: -1 })).toThrow(
    "CosFace: margin -1; expected a finite number from 0",
  );
  expect(() => new LSoftmax(2, 3, { margin: 0 })).toThrow(
    "LSoftmax: margin 0; expected an integer from 1",
  );
  expect(() => new ASoftmax(2, 3, { annealing: { rate: -1 } })).toThrow(
    "ASoftmax: rate -1; expected a finite number from 0",
  );
  expect(() => new ASoftmax(2, 3, { annealing: { min: 1 } as object })).toThrow(
    'ASoftmax: annealing: unknown option "min"; expected start, rate, minimum',
  );
  const heads = { NormSoftmax, CosFace, ArcFace, LSoftmax, ASoftmax };
  for (const [name, Head] of Object.entries(heads)) {
    const head = new Head(2, 3);
    expect(() => head.call(zeros([4, 3]))).toThrow(`${name}: input [4, 3]; expected [n, 2]`);
    expect(() => head.call(zeros([2]))).toThrow(`${name}: input [2]; expected [n, 2]`);
    expect(() => head.call([[1, 2]] as never)).toThrow(`${name}: input 0 is an array; expected`);
    const labels = tensor([0, 1, 2], { dtype: "i32" });
    expect(() => head.logits(zeros([4, 2]), labels)).toThrow(
      `${name}: labels [3]; expected [4], one for each example`,
    );
  }
});

test("labels beside a call, which knows no margin, are refused", () => {
  const [x, labels] = [zeros([4, 2]), tensor([0, 1, 2, 0], { dtype: "i32" })];
  for (const [name, Head] of Object.entries({
    NormSoftmax,
    CosFace,
    ArcFace,
    LSoftmax,
    ASoftmax,
  })) {
    const head = new Head(2, 3);
    expect(() => Reflect.apply(head.call, head, [x, labels])).toThrow(
      new GradusError(
        `${name}: call with 2 arguments; expected call(x), which knows no margin. ` +
          "Train with loss(x, labels), or take logits(x, labels)",
      ),
    );
    expect(head.call(x).shape).toEqual([4, 3]);
  }
});

test.each(Object.entries(FORMULAS))("%s has states called as its properties are", (_, { make }) => {
  const states = Object.entries(make({})).filter(([, value]) => value instanceof State);
  expect(states.length).toBeGreaterThan(0);
  for (const [key, state] of states) expect(state.name).toBe(key);
});

test.each(Object.entries(FORMULAS))(
  "%s has the gradient of central differences",
  async (_, formula) => {
    const { device: cpu } = await init({ device: "cpu", isolated: true });
    using head = formula.make({ seed: 1, device: cpu, dtype: "f64" });
    const labels = tensor(LABELS, { device: cpu, dtype: "i32" });
    const x = tensor(FEATURES, { device: cpu, dtype: "f64" });
    await gradCheck((given) => crossEntropy(head.logits(given, labels), labels), [x]);
  },
);
