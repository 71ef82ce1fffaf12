import { beforeAll, expect, test } from "vitest";
import {
  compile,
  type Device,
  GradusError,
  Parameter,
  type State,
  square,
  sum,
  tensor,
} from "../src/index.ts";
import { loadInto, saveSafetensors } from "../src/io/index.ts";
import {
  Adam,
  type AdamOptions,
  AdamW,
  clipByGlobalNorm,
  clipByValue,
  cosineDecay,
  type Optimizer,
  RMSprop,
  type RMSpropOptions,
  SGD,
  type SGDOptions,
} from "../src/optim/index.ts";
import { testDevice } from "./support/device.ts";
import { uniform } from "./support/reference.ts";

let device: Device;
beforeAll(async () => {
  device = await testDevice();
});

type NumberRate<Options> = Options & { learningRate: number };

/** One element of a parameter, trained in float64. */
interface Element {
  p: number;
  /** Slots as the formula names them, 0 before the first step. */
  slots: Record<string, number>;
}

/** Makes step `t`, counted from 1, on one element. */
type Rule = (x: Element, g: number, t: number) => void;

function sgd(options: NumberRate<SGDOptions>): Rule {
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  return (x, gradient) => {
    const g = gradient + weightDecay * x.p;
    const v = momentum * (x.slots.momentum ?? 0) + g;
    if (momentum > 0) x.slots.momentum = v;
    x.p -= learningRate * (nesterov ? g + momentum * v : v);
  };
}

function adam(options: NumberRate<AdamOptions>, decoupled: boolean): Rule {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const { weightDecay = decoupled ? 0.01 : 0 } = options;
  return (x, gradient, t) => {
    const g = decoupled ? gradient : gradient + weightDecay * x.p;
    if (decoupled) x.p -= learningRate * weightDecay * x.p;
    const m = beta1 * (x.slots.mean ?? 0) + (1 - beta1) * g;
    const v = beta2 * (x.slots.square ?? 0) + (1 - beta2) * g * g;
    x.slots = { mean: m, square: v };
    const corrected = { m: m / (1 - beta1 ** t), v: v / (1 - beta2 ** t) };
    x.p -= (learningRate * corrected.m) / (Math.sqrt(corrected.v) + epsilon);
  };
}

function rmsprop(options: NumberRate<RMSpropOptions>): Rule {
  const { learningRate, alpha = 0.99, epsilon = 1e-8, momentum = 0 } = options;
  const { centered = false, weightDecay = 0 } = options;
  return (x, gradient) => {
    const g = gradient + weightDecay * x.p;
    const v = alpha * (x.slots.square ?? 0) + (1 - alpha) * g * g;
    const a = alpha * (x.slots.mean ?? 0) + (1 - alpha) * g;
    const scaled = g / (Math.sqrt(centered ? v - a * a : v) + epsilon);
    const b = momentum * (x.slots.momentum ?? 0) + scaled;
    x.slots = { square: v, ...(centered && { mean: a }), ...(momentum > 0 && { momentum: b }) };
    x.p -= learningRate * b;
  };
}

interface Case {
  name: string;
  make: (parameters: Parameter[]) => Optimizer;
  rule: Rule;
}

function ofSGD(options: NumberRate<SGDOptions>): Case {
  const name = `SGD ${JSON.stringify(options)}`;
  return { name, make: (parameters) => new SGD(parameters, options), rule: sgd(options) };
}

function ofAdam(options: NumberRate<AdamOptions>): Case {
  const name = `Adam ${JSON.stringify(options)}`;
  return { name, make: (parameters) => new Adam(parameters, options), rule: adam(options, false) };
}

function ofAdamW(options: NumberRate<AdamOptions>): Case {
  const name = `AdamW ${JSON.stringify(options)}`;
  return { name, make: (parameters) => new AdamW(parameters, options), rule: adam(options, true) };
}

function ofRMSprop(options: NumberRate<RMSpropOptions>): Case {
  const name = `RMSprop ${JSON.stringify(options)}`;
  return { name, make: (parameters) => new RMSprop(parameters, options), rule: rmsprop(options) };
}

const CASES: Case[] = [
  ofSGD({ learningRate: 0.1, weightDecay: 0.2 }),
  ofSGD({ learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  ofAdam({ learningRate: 0.05 }),
  ofAdam({ learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 0.01, weightDecay: 0.3 }),
  ofAdam({ learningRate: 0.01, beta1: 0, beta2: 0.99999 }),
  ofAdam({ learningRate: 0.01, beta1: 0.5, beta2: 0 }),
  ofAdamW({ learningRate: 0.05 }),
  ofAdamW({ learningRate: 0.1, beta1: 0.8, beta2: 0.9, epsilon: 0.01, weightDecay: 0.5 }),
  ofAdamW({ learningRate: 0.05, weightDecay: 0 }),
  ofRMSprop({ learningRate: 0.02 }),
  ofRMSprop({ learningRate: 0.02, alpha: 0.9, epsilon: 0.01, weightDecay: 0.3 }),
  ofRMSprop({ learningRate: 0.02, momentum: 0.9 }),
  ofRMSprop({ learningRate: 0.02, centered: true }),
  ofRMSprop({ learningRate: 0.02, alpha: 0.8, momentum: 0.5, centered: true, weightDecay: 0.1 }),
];

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
async function worstError({ make, rule }: Case, dtype: "f32" | "f64"): Promise<number> {
  const starts = SIZES.map((size, i) => uniform(size, i + 1));
  const elements = starts.flatMap((values) => [...values].map((p): Element => ({ p, slots: {} })));
  const parameters = SHAPES.map(
    (shape, i) => new Parameter(tensor(starts[i], { shape, dtype }), { name: `p${i}` }),
  );
  using optimizer = make(parameters);
  let worst = 0;
  for (let t = 1; t <= STEPS; t++) {
    const gradients = SIZES.map((size, i) => uniform(size, 100 * t + i, -2, 2));
    optimizer.apply(gradients.map((g, i) => tensor(g, { shape: SHAPES[i], dtype })));
    const flat = gradients.flatMap((g) => [...g]);
    for (const [i, x] of elements.entries()) rule(x, flat[i], t);
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

test.each(CASES)("$name follows its formula", async (given) => {
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

test.each(CASES)("$name goes on from a checkpoint as if it had not stopped", async ({ make }) => {
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
  loadInto(new Map([["p", p]]), weights);
  using second = make([p]);
  loadInto(second.state(), checkpoint);
  run(second, 3);
  expect(await p.data()).toEqual(expected);
});

const CLIPPED: Case = {
  name: "Adam with a schedule and clipping",
  make: (parameters) =>
    new Adam(parameters, {
      learningRate: cosineDecay(0.1, { steps: 4 }),
      clip: (g) => clipByGlobalNorm(clipByValue(g, 3), 1).gradients,
    }),
  rule: () => {},
};

test.each([...CASES, CLIPPED])("$name takes nothing new from step to step", async ({ make }) => {
  using p = new Parameter(tensor([1, -2, 3]), { name: "p" });
  using optimizer = make([p]);
  const step = compile(() => optimizer.step(sum(square(p))));
  for (let i = 0; i < 3; i++) await step();
  const [mark, memory] = [device.counters.now, device.memory()];
  for (let i = 0; i < 5; i++) await step();
  const { dispatches: _, submits: __, ...made } = device.counters.since(mark);
  expect(made).toEqual({ buffers: 0, bindGroups: 0, pipelines: 0, writes: 0, reads: 0 });
  // What the collector takes of other tests meanwhile counts as held.
  const after = device.memory();
  expect(after.tensors + after.reclaimed).toBe(memory.tensors + memory.reclaimed);
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
      () => new RMSprop([p], { learningRate, weightDecay: -1 }),
      "RMSprop: weightDecay -1; expected a finite number from 0",
    ],
  ];
  for (const [run, message] of rejected) expect(run).toThrow(new GradusError(message));
});
