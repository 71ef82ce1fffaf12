import { beforeAll, describe, expect, test } from "vitest";
import { GradusError, Parameter, Tensor, tensor, zeros } from "../../src/index.ts";
import * as losses from "../../src/losses/index.ts";
import * as metrics from "../../src/metrics/index.ts";
import * as optim from "../../src/optim/index.ts";
import { testDevice } from "../support/device.ts";

beforeAll(() => testDevice());

type Table = typeof losses & typeof metrics & typeof optim;
/** What may be called with options or without, by name; the abstract classes cannot be. */
type Name = Exclude<keyof Table, "MarginHead" | "Optimizer">;

/** Arguments that are right, and what stands behind them: options, of which some are needed. */
interface Arguments {
  args: () => unknown[];
  options?: Record<string, unknown>;
  /** Whether it takes no options, so that one argument more is too many. */
  none?: true;
}

const vector = () => tensor([0.2, 0.4]);
const rows = () =>
  tensor([
    [0.2, 0.4],
    [0.3, 0.1],
  ]);
const labels = () => tensor([0, 1], { dtype: "i32" });
const bools = () => tensor([true, false]);
const p = () => [new Parameter(tensor([1]))];

const pair: Arguments = { args: () => [vector(), vector()] };
const ofRows: Arguments = { args: () => [rows(), rows()] };
const classes: Arguments = { args: () => [rows(), labels()] };
const head: Arguments = { args: () => [2, 3] };
const optimizer: Arguments = { args: () => [p()], options: { learningRate: 1 } };
const rate = (options: Record<string, unknown>): Arguments => ({ args: () => [0.1], options });
const plain = (args: () => unknown[]): Arguments => ({ args, none: true });

const CALLS = {
  // losses
  crossEntropy: classes,
  negativeLogLikelihood: classes,
  categoricalCrossEntropy: classes,
  focal: classes,
  categoricalHinge: classes,
  multiclassHinge: classes,
  multiMargin: classes,
  smoothLabels: plain(() => [labels(), 2, 0.1]),
  binaryCrossEntropy: pair,
  binaryCrossEntropyWithLogits: pair,
  binaryFocal: pair,
  meanSquaredError: pair,
  quadratic: pair,
  sumOfSquares: pair,
  l2Loss: pair,
  meanSquaredLogarithmicError: pair,
  meanAbsoluteError: pair,
  meanAbsolutePercentageError: pair,
  huber: pair,
  smoothL1: pair,
  logCosh: pair,
  pinball: pair,
  poissonNLL: pair,
  gaussianNLL: { args: () => [vector(), vector(), vector()] },
  klDivergence: ofRows,
  cosineSimilarity: ofRows,
  cosineDistance: ofRows,
  hinge: pair,
  squaredHinge: pair,
  contrastive: { args: () => [rows(), rows(), bools()] },
  marginRanking: { args: () => [vector(), vector(), vector()] },
  ctc: { args: () => [zeros([2, 1, 2]), zeros([2, 1], { dtype: "i32" }), labels(), labels()] },
  dice: pair,
  infoNCE: { args: () => [rows(), rows()] },
  ntXent: { args: () => [rows(), rows()] },
  supervisedContrastive: { args: () => [rows(), labels()] },
  multiSimilarity: { args: () => [rows(), labels()] },
  circle: { args: () => [rows(), labels()] },
  triplet: { args: () => [rows(), rows(), rows()] },
  tripletMined: classes,
  centerLoss: { args: () => [rows(), labels(), rows()] },
  cosFaceLogits: classes,
  arcFaceLogits: classes,
  largeMarginLogits: { args: () => [rows(), tensor([1]), labels()] },
  NormSoftmax: head,
  CosFace: head,
  ArcFace: head,
  LSoftmax: head,
  ASoftmax: head,
  CenterLoss: head,
  // metrics
  correct: plain(() => [rows(), labels()]),
  accuracy: plain(() => [rows(), labels()]),
  topKAccuracy: plain(() => [rows(), labels(), 1]),
  confusionMatrix: plain(() => [rows(), labels(), 2]),
  precision: { args: () => [rows()] },
  recall: { args: () => [rows()] },
  f1: { args: () => [rows()] },
  binaryAccuracy: pair,
  r2Score: plain(() => [vector(), vector()]),
  nearest: plain(() => [rows(), rows()]),
  rank1: plain(() => [rows(), labels(), rows(), labels()]),
  spreadRatio: { args: () => [rows(), labels()], options: { classes: 2 } },
  verificationAccuracy: { args: () => [vector(), bools()] },
  // optimizers
  SGD: optimizer,
  Adam: optimizer,
  AdamW: optimizer,
  Adamax: optimizer,
  NAdam: optimizer,
  LAMB: optimizer,
  RAdam: optimizer,
  Adafactor: optimizer,
  ASGD: optimizer,
  Rprop: optimizer,
  Muon: { ...optimizer, args: () => [[new Parameter(tensor([[1]]))]] },
  Lion: optimizer,
  RMSprop: optimizer,
  Adagrad: optimizer,
  Adadelta: optimizer,
  splitByName: plain(() => [new Map(["w", "b"].map((name) => [name, p()[0]])), "w"]),
  SAM: { args: () => [new optim.SGD(p(), { learningRate: 1 })] },
  OptimizerGroup: { args: () => [[new optim.SGD(p(), { learningRate: 1 })]] },
  WeightAverage: { args: () => [p()] },
  ReduceOnPlateau: { args: () => [{ learningRate: 1 }] },
  clipByValue: plain(() => [[vector()], 1]),
  clipByGlobalNorm: { args: () => [[vector()], 1] },
  exponentialMovingAverage: { args: () => [[1, 2]] },
  // schedules
  constantRate: plain(() => [0.1]),
  exponentialDecay: rate({ decaySteps: 5, decayRate: 0.5 }),
  inverseTimeDecay: rate({ decaySteps: 5, decayRate: 0.5 }),
  stepDecay: rate({ every: 5, factor: 0.5 }),
  multiStepDecay: rate({ milestones: [5] }),
  polynomialDecay: rate({ steps: 5 }),
  cosineDecay: rate({ steps: 5 }),
  cosineRestarts: rate({ steps: 5 }),
  oneCycle: rate({ steps: 50 }),
  cyclic: { args: () => [0.1, 0.2], options: { stepsUp: 5 } },
  linearWarmup: { args: () => [optim.constantRate(0.1)], options: { steps: 5 } },
  piecewiseConstant: plain(() => [[0.1, 0.2], [5]]),
  joinSchedules: plain(() => [[optim.constantRate(0.1), optim.constantRate(0.2)], [5]]),
} satisfies Record<Name, Arguments>;

const all = { ...losses, ...metrics, ...optim } as unknown as Record<string, unknown>;

/** Calls or makes what a name stands for. */
async function use(name: string, args: readonly unknown[]): Promise<unknown> {
  const f = all[name] as (...args: unknown[]) => unknown;
  const isClass = /^[A-Z]/.test(name);
  return isClass ? Reflect.construct(f, args) : f(...args);
}

async function messageOf(run: Promise<unknown>): Promise<string> {
  const error = await run.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  expect(error).toBeInstanceOf(GradusError);
  return (error as GradusError).message;
}

describe("what nobody knows is refused by the name of what was called", () => {
  for (const [name, { args, options, none }] of Object.entries<Arguments>(CALLS)) {
    test(name, async () => {
      if (none) {
        await use(name, args());
        const message = await messageOf(use(name, [...args(), 7]));
        expect(message).toMatch(new RegExp(`^${name}: 7 too much; expected ${name}\\(`));
        return;
      }
      await use(name, options ? [...args(), options] : args());
      for (const [given, says] of [
        [{ ...options, surelyNot: 1 }, `${name}: unknown option "surelyNot"; expected `],
        [null, `${name}: options null; expected an object of `],
        [[0.5], `${name}: options an array; expected an object of `],
        ["sum", `${name}: options "sum"; expected an object of `],
      ] as const) {
        expect(await messageOf(use(name, [...args(), given]))).toContain(says);
      }
      const surplus = await messageOf(use(name, [...args(), { ...options }, 7]));
      expect(surplus).toBe(`${name}: 7 after the options; expected nothing there`);
      if (!options) return;
      const missing = await messageOf(use(name, args()));
      expect(missing).toContain(`${name}: options undefined; expected an object of `);
    });
  }
});

/** The options of each that hold a number, and behind `@` the arguments that do, by their places. */
const NUMBERS: Partial<Record<Name, string>> = {
  // losses
  crossEntropy: "labelSmoothing ignoreIndex",
  focal: "gamma alpha",
  binaryFocal: "gamma alpha",
  binaryCrossEntropyWithLogits: "posWeight",
  multiMargin: "margin",
  smoothLabels: "classes@1 epsilon@2",
  huber: "delta",
  smoothL1: "beta",
  pinball: "q",
  poissonNLL: "epsilon",
  gaussianNLL: "epsilon",
  cosineSimilarity: "epsilon axis",
  cosineDistance: "epsilon axis",
  contrastive: "margin",
  marginRanking: "margin",
  ctc: "blank",
  dice: "smooth",
  infoNCE: "temperature",
  ntXent: "temperature",
  supervisedContrastive: "temperature",
  multiSimilarity: "alpha beta base epsilon",
  circle: "margin scale",
  triplet: "margin",
  tripletMined: "margin",
  cosFaceLogits: "margin scale",
  arcFaceLogits: "margin scale",
  largeMarginLogits: "margin lambda",
  NormSoftmax: "features@0 classes@1 scale",
  CosFace: "features@0 classes@1 scale margin",
  ArcFace: "features@0 classes@1 scale margin",
  LSoftmax: "features@0 classes@1 margin",
  ASoftmax: "features@0 classes@1 margin",
  CenterLoss: "features@0 classes@1 rate",
  // metrics
  topKAccuracy: "k@2",
  confusionMatrix: "classes@2",
  binaryAccuracy: "threshold",
  spreadRatio: "classes",
  // optimizers
  SGD: "learningRate momentum dampening weightDecay",
  Adam: "learningRate beta1 beta2 epsilon weightDecay",
  AdamW: "learningRate beta1 beta2 epsilon weightDecay",
  Adamax: "learningRate beta1 beta2 epsilon weightDecay",
  NAdam: "learningRate beta1 beta2 epsilon weightDecay momentumDecay",
  LAMB: "learningRate beta1 beta2 epsilon weightDecay",
  RAdam: "learningRate beta1 beta2 epsilon weightDecay",
  Adafactor: "learningRate beta2Decay epsilon clipThreshold weightDecay",
  ASGD: "learningRate lambda alpha start weightDecay",
  Rprop: "learningRate etaMinus etaPlus minScale maxScale",
  Muon: "learningRate momentum weightDecay iterations",
  Lion: "learningRate beta1 beta2 weightDecay",
  RMSprop: "learningRate alpha epsilon momentum weightDecay",
  Adagrad: "learningRate initialSum epsilon weightDecay",
  Adadelta: "learningRate rho epsilon weightDecay",
  SAM: "rho",
  WeightAverage: "decay",
  ReduceOnPlateau: "factor patience threshold cooldown minRate",
  clipByValue: "limit@1",
  clipByGlobalNorm: "maxNorm@1 norm",
  exponentialMovingAverage: "decay",
  // schedules
  constantRate: "rate@0",
  exponentialDecay: "initialRate@0 decaySteps decayRate",
  inverseTimeDecay: "initialRate@0 decaySteps decayRate",
  stepDecay: "initialRate@0 every factor",
  multiStepDecay: "initialRate@0 factor",
  polynomialDecay: "initialRate@0 steps finalRate power",
  cosineDecay: "initialRate@0 steps finalRate",
  cosineRestarts: "initialRate@0 steps lengthening factor finalRate",
  oneCycle: "maxRate@0 steps initialDivisor finalDivisor",
  cyclic: "baseRate@0 maxRate@1 stepsUp stepsDown gamma",
  linearWarmup: "steps initialRate",
};

describe("NaN or a text for a number is refused by the names of both", () => {
  for (const [name, numbers] of Object.entries(NUMBERS)) {
    const { args, options } = CALLS[name as Name] as Arguments;
    test.each(numbers.split(" "))(`${name} %s`, async (number) => {
      const [option, place] = number.split("@");
      for (const [value, says] of [
        [Number.NaN, "NaN"],
        ["0.5", '"0.5"'],
      ] as const) {
        const given = args();
        if (place) given[Number(place)] = value;
        const wrong = place ? options : { ...options, [option]: value };
        const message = await messageOf(use(name, wrong ? [...given, wrong] : given));
        expect(message).toMatch(new RegExp(`^${name}: ${option} ${says}; expected `));
      }
    });
  }
});

describe("what is no tensor is refused by the name of what was called", () => {
  const functions = Object.keys({ ...losses, ...metrics }).filter((name) => /^[a-z]/.test(name));
  for (const name of functions) {
    const { args, options } = CALLS[name as Name] as Arguments;
    test(name, async () => {
      for (const [i, given] of args().entries()) {
        if (!(given instanceof Tensor)) continue;
        const wrong: unknown[] = options ? [...args(), options] : args();
        wrong[i] = [1, 2];
        const message = await messageOf(use(name, wrong));
        const tensors = `^${name}: input \\d is an array; expected a tensor`;
        expect(message).toMatch(new RegExp(tensors));
      }
    });
  }
});

describe("a reduction or weights that do not fit are refused by the loss's name", () => {
  const unreduced = ["smoothLabels", "cosineSimilarity"];
  const reduced = Object.keys(losses).filter(
    (name) => /^[a-z]/.test(name) && !name.endsWith("Logits") && !unreduced.includes(name),
  );
  test.each(reduced)("%s", async (name) => {
    const { args } = CALLS[name as Name] as Arguments;
    const wrong = await messageOf(use(name, [...args(), { reduction: "max" }]));
    expect(wrong).toBe(`${name}: reduction max; expected mean, sum, none`);
    const weights = tensor([1, 2, 3]);
    const unfit = await messageOf(use(name, [...args(), { weights }]));
    expect(unfit).toMatch(new RegExp(`^${name}: weights \\[3\\]; expected \\[.*\\] or \\[n\\]$`));
  });
});

test.each<[string, Record<string, unknown>, string]>([
  ["crossEntropy", { classWeights: [1, 2] }, "classWeights an array"],
  ["crossEntropy", { weights: [1, 2] }, "weights an array"],
  ["focal", { alpha: [1, 2] }, "alpha an array"],
  ["binaryCrossEntropyWithLogits", { posWeight: [1, 2] }, "posWeight an array"],
  ["largeMarginLogits", { lambda: "1" }, 'lambda "1"'],
])("%s says that %o is no tensor", async (name, options, what) => {
  const message = await messageOf(use(name, [...CALLS[name as Name].args(), options]));
  expect(message).toBe(`${name}: ${what}; expected a tensor. Use tensor(value)`);
});

test("weights of classes may have any dtype", async () => {
  const [z, t] = [rows(), labels()];
  const [whole, floats] = [tensor([1, 3], { dtype: "i32" }), tensor([1, 3])];
  for (const make of [
    (w: Tensor) => losses.crossEntropy(z, t, { classWeights: w }),
    (w: Tensor) => losses.focal(z, t, { alpha: w }),
    (w: Tensor) => losses.binaryCrossEntropyWithLogits(z, rows(), { posWeight: w }),
  ]) {
    expect(await make(whole).item()).toBe(await make(floats).item());
  }
});

describe("names that other libraries use lead to ours", () => {
  const wrong: [string, Record<string, unknown>, string][] = [
    ["Adam", { learningRate: 1, betas: [0.9, 0.99] }, '"beta1" and "beta2"'],
    ["Adam", { lr: 1 }, '"learningRate"'],
    ["SGD", { learningRate: 1, weight_decay: 1 }, '"weightDecay"'],
    ["RMSprop", { learningRate: 1, eps: 1 }, '"epsilon"'],
    ["crossEntropy", { label_smoothing: 0.1 }, '"labelSmoothing"'],
    ["crossEntropy", { ignore_index: 1 }, '"ignoreIndex"'],
    ["meanSquaredError", { reduce: "sum" }, '"reduction"'],
    ["ArcFace", { marign: 1 }, '"margin"'],
    ["huber", { Delta: 1 }, '"delta"'],
  ];
  for (const [name, options, meant] of wrong) {
    test(`${name} ${Object.keys(options).at(-1)}`, async () => {
      const { args } = CALLS[name as Name];
      const message = await messageOf(use(name, [...args(), options]));
      expect(message).toContain(`Did you mean ${meant}?`);
    });
  }

  test.each<[() => unknown, string]>([
    [() => losses.meanSquaredError(vector(), vector(), "sum" as never), '{ reduction: "sum" }'],
    [() => losses.huber(vector(), vector(), 0.5 as never), "{ delta: 0.5 }"],
    [() => optim.cosineDecay(0.1, 1000 as never), "{ steps: 1000 }"],
    [() => new optim.Adam(p(), 0.1 as never), "{ learningRate: 0.1 }"],
    [() => metrics.binaryAccuracy(vector(), vector(), 0 as never), "{ threshold: 0 }"],
    [() => optim.linearWarmup(0.1 as never, { steps: 5 }), "constantRate(0.1)"],
  ])("a bare value %#", (run, meant) => {
    expect(run).toThrow(`Did you mean ${meant}?`);
  });
});

test.each(["start", "rate", "minimum"])("an annealing's %s that is no number", (name) => {
  const head = () => new losses.LSoftmax(2, 3, { annealing: { [name]: "0.5" } });
  expect(head).toThrow(`LSoftmax: ${name} "0.5"; expected a finite number from 0`);
});

test("tripletMined takes 256 rows, and any number of them for hard triplets", () => {
  const mined = (n: number, mining: losses.TripletMining) =>
    losses.tripletMined(zeros([n, 1]), zeros([n], { dtype: "i32" }), { mining }).shape;
  expect([mined(256, "all"), mined(256, "semi-hard"), mined(257, "hard")]).toEqual([[], [], []]);
});

/** A tensor where none is expected, and so on: what schedules and optimizers say they expect. */
test.each<[() => unknown, string]>([
  [
    () => optim.linearWarmup(undefined as never, { steps: 5 }),
    "linearWarmup: then undefined; expected a schedule, as cosineDecay gives",
  ],
  [
    () => optim.joinSchedules([0.1, optim.constantRate(1)] as never, [5]),
    "joinSchedules: schedules[0] 0.1; expected a schedule, as cosineDecay gives. " +
      "Did you mean constantRate(0.1)?",
  ],
  [
    () => optim.piecewiseConstant(0.1 as never, [5]),
    "piecewiseConstant: rates 0.1; expected an array",
  ],
  [
    () => optim.multiStepDecay(0.1, { milestones: 5 as never }),
    "multiStepDecay: milestones 5; expected an array",
  ],
  [
    () => new optim.Adam({} as never, { learningRate: 1 }),
    "Adam: parameters are an object; expected an array or a Map, as model.parameters() and " +
      "model.namedParameters() give",
  ],
  [
    () => optim.joinSchedules(optim.constantRate(1) as never, [5]),
    "joinSchedules: schedules a function; expected an array",
  ],
  [
    () => new optim.Lion(null as never, { learningRate: 1 }),
    "Lion: parameters are null; expected an array or a Map, as model.parameters() and " +
      "model.namedParameters() give",
  ],
  [
    () => new optim.WeightAverage([tensor([1])] as never),
    "WeightAverage: parameter 0 is a Tensor; expected a Parameter",
  ],
  [
    () => new optim.SGD(p(), { learningRate: 1, clip: 1 as never }),
    "SGD: clip 1; expected a function, such as (g) => clipByGlobalNorm(g, 1).gradients",
  ],
  [
    () => new optim.SGD(p(), {} as never),
    "SGD: learningRate undefined; expected a finite number from 0",
  ],
  [
    () => new optim.OptimizerGroup(new optim.SGD(p(), { learningRate: 1 }) as never),
    "OptimizerGroup: members are a SGD; expected an array of optimizers",
  ],
])("arguments of the wrong kind %#", (run, message) => {
  expect(run).toThrow(new GradusError(message));
});

test("options whose value is undefined are left out", async () => {
  const loss = losses.huber(vector(), vector(), { delta: undefined, reduction: undefined });
  expect(await (loss as Tensor).item()).toBe(0);
});
