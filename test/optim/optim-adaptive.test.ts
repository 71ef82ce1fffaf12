import { beforeAll, expect, test } from "vitest";
import { trace } from "../../src/engine/program.ts";
import {
  compile,
  type Device,
  GradusError,
  Parameter,
  type State,
  square,
  sum,
  tensor,
} from "../../src/index.ts";
import { loadState, saveSafetensors } from "../../src/io/index.ts";
import {
  Adadelta,
  Adagrad,
  Adam,
  Adamax,
  AdamW,
  clipByGlobalNorm,
  clipByValue,
  cosineDecay,
  LAMB,
  Lion,
  NAdam,
  type Optimizer,
  RMSprop,
  SGD,
} from "../../src/optim/index.ts";
import { testDevice } from "../support/device.ts";
import { held } from "../support/memory.ts";
import { type Element, OPTIMIZER_CASES, type OptimizerCase } from "../support/optimizer-cases.ts";
import { uniform } from "../support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

const SHAPES = [[5, 7], [7], []];
const SIZES = [35, 7, 1];
const STEPS = 25;

/** The largest error of values, relative to the largest of them. */
function relativeError(actual: ArrayLike<number>, expected: readonly number[]): number {
  expect(actual.length).toBe(expected.length);
  const errors = expected.map((e, i) => Math.abs(actual[i] - e));
  return Math.max(...errors) / Math.max(...expected.map(Math.abs));
}

/** Reads states one after the other into one list. */
async function readAll(states: readonly (State | undefined)[]): Promise<number[]> {
  const values = await Promise.all(states.map(async (state) => [...((await state?.data()) ?? [])]));
  return values.flat();
}

/** Trains with fresh random gradients; gives the largest relative error of states on the way. */
async function worstError({ make, rule }: OptimizerCase, dtype: "f32" | "f64"): Promise<number> {
  const starts = SIZES.map((size, i) => uniform(size, i + 1));
  const groups = starts.map((values) => [...values].map((p): Element => ({ p, slots: {} })));
  const elements = groups.flat();
  const parameters = SHAPES.map(
    (shape, i) => new Parameter(tensor(starts[i], { shape, dtype }), { name: `p${i}` }),
  );
  using optimizer = make(parameters);
  let worst = 0;
  for (let t = 1; t <= STEPS; t++) {
    const gradients = SIZES.map((size, i) => uniform(size, 100 * t + i, -2, 2));
    optimizer.apply(gradients.map((g, i) => tensor(g, { shape: SHAPES[i], dtype })));
    for (const [i, group] of groups.entries()) rule(group, [...gradients[i]], t);
    const errors = [
      relativeError(
        await readAll(parameters),
        elements.map(({ p }) => p),
      ),
    ];
    for (const name of Object.keys(elements[0].slots)) {
      const slots = parameters.map((p) => optimizer.state().get(`${p.name}.${name}`));
      const expected = elements.map((x) => x.slots[name]);
      errors.push(relativeError(await readAll(slots), expected));
    }
    worst = Math.max(worst, ...errors);
  }
  for (const p of parameters) p.dispose();
  return worst;
}

test.each(OPTIMIZER_CASES)("$name follows its formula", async (given) => {
  const isExact = device.dtypes.has("f64");
  if (isExact) expect(await worstError(given, "f64")).toBeLessThanOrEqual(1e-12);
  expect(await worstError(given, "f32")).toBeLessThanOrEqual(1e-5);
});

test.each([0.9, 0.999, 0.999999])("Adam's first step is the rate for β₂ = %d", async (beta2) => {
  using p = new Parameter(tensor([0, 0, 0]), { name: "p" });
  using optimizer = new Adam([p], { learningRate: 1, beta1: beta2, beta2 });
  optimizer.apply([tensor([3, -0.01, 0])]);
  // m̂ = g and v̂ = g², so that p = −g / (|g| + ε).
  const expected = [-1, 0.01 / (0.01 + 1e-8), 0];
  expect(relativeError(await p.data(), expected)).toBeLessThanOrEqual(2e-6);
});

test("Adam's corrections fade as the counter grows", async () => {
  using p = new Parameter(tensor([0]), { name: "p" });
  using optimizer = new Adam([p], { learningRate: 1 });
  using late = tensor(4_000_000_000, { dtype: "u32" });
  optimizer.counter.assign(late);
  optimizer.apply([tensor([1])]);
  // m = 0.1 and v = 0.001 stay as they are.
  expect(await p.item()).toBeCloseTo(-0.1 / Math.sqrt(0.001), 4);
  expect(await optimizer.counter.item()).toBe(4_000_000_001);
});

test("centered RMSprop stays finite where all gradients are equal", async () => {
  using p = new Parameter(tensor([0]), { name: "p" });
  using optimizer = new RMSprop([p], { learningRate: 1e-9, alpha: 0.1, centered: true });
  for (let step = 0; step < 40; step++) {
    optimizer.apply([tensor([0.3 + step * 1e-9])]);
    expect(Number.isFinite(await p.item())).toBe(true);
  }
});

test.each(OPTIMIZER_CASES)(
  "$name goes on from a checkpoint as if it had not stopped",
  async ({ make }) => {
    using p = new Parameter(tensor([1, -2, 3]), { name: "p" });
    using first = make([p]);
    const run = (optimizer: Optimizer, steps: number) => {
      for (let step = 0; step < steps; step++) optimizer.step(sum(square(p)));
    };
    run(first, 3);
    const [weights, states] = [await saveSafetensors(new Map([["p", p]])), first.state()];
    const checkpoint = await saveSafetensors(states);
    run(first, 3);
    const expected = await p.data();
    loadState(new Map([["p", p]]), weights);
    using second = make([p]);
    loadState(second.state(), checkpoint);
    run(second, 3);
    expect(await p.data()).toEqual(expected);
  },
);

const CLIPPED: OptimizerCase = {
  name: "Adam with a schedule and clipping",
  make: (parameters) =>
    new Adam(parameters, {
      learningRate: cosineDecay(0.1, { steps: 4 }),
      clip: (g) => clipByGlobalNorm(clipByValue(g, 3), 1).gradients,
    }),
  rule: () => {},
};

test.each([...OPTIMIZER_CASES, CLIPPED])(
  "$name takes nothing new from step to step",
  async ({ make }) => {
    using p = new Parameter(tensor([1, -2, 3]), { name: "p" });
    using optimizer = make([p]);
    const step = compile(() => optimizer.step(sum(square(p))));
    for (let i = 0; i < 3; i++) await step();
    const [mark, before] = [device.counters.now, held(device)];
    for (let i = 0; i < 5; i++) await step();
    const { dispatches: _, submits: __, ...made } = device.counters.since(mark);
    expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
    expect(held(device)).toBe(before);
  },
);

const EXTREMES = OPTIMIZER_CASES.filter(({ name }) => !name.includes("centered"));

test.each(EXTREMES)("$name stays finite for gradients of any size", async ({ make }) => {
  using p = new Parameter(tensor([1, -2, 3, 0, 5]), { name: "p" });
  using optimizer = make([p]);
  for (const sign of [1, -1, -1]) {
    optimizer.apply([tensor([0, 1e-30, 1e-20 * sign, 1e15 * sign, 1e30 * sign])]);
    expect([...(await p.data())].every(Number.isFinite)).toBe(true);
  }
});

test.each(OPTIMIZER_CASES)("$name does nothing to zeros without a gradient", async ({ make }) => {
  using p = new Parameter(tensor([0, 0]), { name: "p" });
  using optimizer = make([p]);
  for (let step = 0; step < 3; step++) optimizer.apply([tensor([0, 0])]);
  expect([...(await p.data())].map(Math.abs)).toEqual([0, 0]);
});

test.each<[string, (parameters: Parameter[]) => Optimizer]>([
  ["SGD", (p) => new SGD(p, { learningRate: 0.2, momentum: 0.9, dampening: 0.9 })],
  ["Adam", (p) => new Adam(p, { learningRate: 0.05, amsgrad: true })],
  ["NAdam", (p) => new NAdam(p, { learningRate: 0.1 })],
  ["Adamax", (p) => new Adamax(p, { learningRate: 0.1 })],
  ["Adagrad", (p) => new Adagrad(p, { learningRate: 1 })],
  ["Adadelta", (p) => new Adadelta(p, { learningRate: 1, epsilon: 1e-3 })],
  ["Lion", (p) => new Lion(p, { learningRate: 0.02 })],
  ["LAMB", (p) => new LAMB(p, { learningRate: 0.02 })],
])("%s finds the bottom of a long valley", async (_, make) => {
  using p = new Parameter(tensor([2, -3]), { name: "p" });
  using curvature = tensor([1, 10]);
  using optimizer = make([p]);
  const valley = () => sum(square(p.sub(1)).mul(curvature));
  const step = compile(() => optimizer.step(valley()));
  using before = valley();
  const start = await before.item();
  for (let i = 0; i < 500; i++) await step();
  using after = valley();
  expect(await after.item()).toBeLessThanOrEqual(1e-3 * start);
});

test("NAdam keeps the product of its momentums", async () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  using optimizer = new NAdam([p], { learningRate: 0.1, beta1: 0.9, momentumDecay: 1 });
  const states = ["step", "p.mean", "p.square", "momentumProduct"];
  expect([...optimizer.state().keys()]).toEqual(states);
  for (let step = 0; step < 3; step++) optimizer.apply([tensor([1])]);
  const factors = [1, 2, 3].map((t) => 0.9 * (1 - 0.5 * 0.96 ** t));
  const product = await optimizer.state().get("momentumProduct")?.item();
  expect(product).toBeCloseTo(factors[0] * factors[1] * factors[2], 6);
});

test("slots are named by what they hold", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  const learningRate = 1;
  const made: [Optimizer, string[]][] = [
    [new SGD([p], { learningRate }), []],
    [new RMSprop([p], { learningRate }), ["p.square"]],
    [
      new RMSprop([p], { learningRate, centered: true, momentum: 0.5 }),
      ["p.square", "p.mean", "p.momentum"],
    ],
    [new Adam([p], { learningRate }), ["p.mean", "p.square"]],
    [new Adam([p], { learningRate, amsgrad: true }), ["p.mean", "p.square", "p.maxSquare"]],
    [new Adamax([p], { learningRate }), ["p.mean", "p.maximum"]],
    [new LAMB([p], { learningRate }), ["p.mean", "p.square"]],
    [new Lion([p], { learningRate }), ["p.mean"]],
    [new Adagrad([p], { learningRate }), ["p.sum"]],
    [new Adadelta([p], { learningRate }), ["p.square", "p.squaredMove"]],
  ];
  for (const [optimizer, names] of made) {
    expect([...optimizer.state().keys()]).toEqual(["step", ...names]);
    optimizer.dispose();
  }
});

test("dampening as large as the momentum moves like a heavy ball with a smaller rate", async () => {
  const ends = [
    { learningRate: 1, momentum: 0.75, dampening: 0.75 },
    { learningRate: 0.25, momentum: 0.75 },
  ].map(async (options) => {
    using p = new Parameter(tensor([2, -3]), { name: "p" });
    using optimizer = new SGD([p], options);
    for (let step = 0; step < 5; step++) optimizer.step(sum(square(p)));
    return p.data();
  });
  const [mean, ball] = await Promise.all(ends);
  expect(relativeError(mean, [...ball])).toBeLessThanOrEqual(1e-6);
});

test("wrong options are rejected", () => {
  using p = new Parameter(tensor([1]), { name: "p" });
  const learningRate = 1;
  const rejected: [() => unknown, string][] = [
    [
      () => new Adam([p], { learningRate, beta1: 1 }),
      "Adam: beta1 1; expected a number from 0 and below 1",
    ],
    [
      () => new AdamW([p], { learningRate, beta2: -0.1 }),
      "AdamW: beta2 -0.1; expected a number from 0 and below 1",
    ],
    [
      () => new Adam([p], { learningRate, epsilon: 0 }),
      "Adam: epsilon 0; expected a finite number above 0",
    ],
    [
      () => new AdamW([p], { learningRate, weightDecay: -1 }),
      "AdamW: weightDecay -1; expected a finite number from 0",
    ],
    [
      () => new RMSprop([p], { learningRate, alpha: Number.NaN }),
      "RMSprop: alpha NaN; expected a number from 0 and below 1",
    ],
    [
      () => new RMSprop([p], { learningRate, epsilon: -1 }),
      "RMSprop: epsilon -1; expected a finite number above 0",
    ],
    [
      () => new RMSprop([p], { learningRate, momentum: Number.POSITIVE_INFINITY }),
      "RMSprop: momentum Infinity; expected a finite number from 0",
    ],
    [
      () => new SGD([p], { learningRate, dampening: -1 }),
      "SGD: dampening -1; expected a finite number from 0",
    ],
    [
      () => new NAdam([p], { learningRate, momentumDecay: -1 }),
      "NAdam: momentumDecay -1; expected a finite number from 0",
    ],
    [
      () => new Adamax([p], { learningRate, beta2: 1 }),
      "Adamax: beta2 1; expected a number from 0 and below 1",
    ],
    [
      () => new LAMB([p], { learningRate, epsilon: 0 }),
      "LAMB: epsilon 0; expected a finite number above 0",
    ],
    [
      () => new Lion([p], { learningRate, beta1: 1 }),
      "Lion: beta1 1; expected a number from 0 and below 1",
    ],
    [
      () => new Adagrad([p], { learningRate, initialSum: -1 }),
      "Adagrad: initialSum -1; expected a finite number from 0",
    ],
    [
      () => new Adadelta([p], { learningRate, rho: 1 }),
      "Adadelta: rho 1; expected a number from 0 and below 1",
    ],
    [
      () => new RMSprop([p], { learningRate, weightDecay: -1 }),
      "RMSprop: weightDecay -1; expected a finite number from 0",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});

test.each([
  ["Adam", Adam, 2],
  ["AdamW", AdamW, 3],
  ["NAdam", NAdam, 3],
  ["LAMB", LAMB, 2],
] as const)("%s stretches its scalars once for each shape of parameters", (_, Kind, scalars) => {
  const made = [[3], [2], [3], [3], [2]].map(([n]) => {
    return new Parameter(tensor(new Float32Array(n), { device }));
  });
  const optimizer = new Kind(made, { learningRate: 0.1, weightDecay: 0.01 });
  const next = optimizer.assignments(made.map((p) => square(p)));
  const { program } = trace(
    next.map(([, value]) => value.node),
    "test",
  );
  const { steps } = program;
  const stretched = steps.filter(({ op, inputs: [x] }) => {
    return op?.name === "broadcastTo" && steps[steps[x].inputs[0]].op?.name === "slice";
  });
  expect(stretched).toHaveLength(2 * scalars);
  optimizer.dispose();
  for (const p of made) p.dispose();
});
