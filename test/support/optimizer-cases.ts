import type { Parameter } from "../../src/index.ts";
import {
  Adadelta,
  type AdadeltaOptions,
  Adafactor,
  type AdafactorOptions,
  Adagrad,
  type AdagradOptions,
  Adam,
  Adamax,
  type AdamaxOptions,
  type AdamOptions,
  AdamW,
  ASGD,
  type ASGDOptions,
  LAMB,
  type LAMBOptions,
  Lion,
  type LionOptions,
  NAdam,
  type NAdamOptions,
  type Optimizer,
  RAdam,
  type RAdamOptions,
  RMSprop,
  type RMSpropOptions,
  Rprop,
  type RpropOptions,
  SGD,
  type SGDOptions,
} from "../../src/optim/index.ts";

type NumberRate<Options> = Options & { learningRate: number };

/** One element of a parameter, trained in float64. */
export interface Element {
  p: number;
  /** Slots as the formula names them, 0 before the first step. */
  slots: Record<string, number>;
}

/** Makes step `t`, counted from 1, on one element. */
type ElementRule = (x: Element, g: number, t: number) => void;

/** Makes step `t`, counted from 1, on all elements of one parameter. */
export type Rule = (xs: readonly Element[], gradients: readonly number[], t: number) => void;

/** A way to train, beside the same in plain numbers. */
export interface OptimizerCase {
  readonly name: string;
  readonly make: (parameters: Parameter[]) => Optimizer;
  readonly rule: Rule;
}

function sgd(options: NumberRate<SGDOptions>): ElementRule {
  const { learningRate, momentum = 0, nesterov = false, weightDecay = 0 } = options;
  const kept = momentum > 0 ? 1 - (options.dampening ?? 0) : 1;
  return (x, gradient) => {
    const g = kept * (gradient + weightDecay * x.p);
    const v = momentum * (x.slots.momentum ?? 0) + g;
    if (momentum > 0) x.slots.momentum = v;
    x.p -= learningRate * (nesterov ? g + momentum * v : v);
  };
}

function adam(options: NumberRate<AdamOptions>, decoupled: boolean): ElementRule {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const { weightDecay = decoupled ? 0.01 : 0, amsgrad = false } = options;
  return (x, gradient, t) => {
    const g = decoupled ? gradient : gradient + weightDecay * x.p;
    if (decoupled) x.p -= learningRate * weightDecay * x.p;
    const m = beta1 * (x.slots.mean ?? 0) + (1 - beta1) * g;
    const v = beta2 * (x.slots.square ?? 0) + (1 - beta2) * g * g;
    const w = Math.max(x.slots.maxSquare ?? 0, v);
    x.slots = { mean: m, square: v, ...(amsgrad && { maxSquare: w }) };
    const corrected = { m: m / (1 - beta1 ** t), v: (amsgrad ? w : v) / (1 - beta2 ** t) };
    x.p -= (learningRate * corrected.m) / (Math.sqrt(corrected.v) + epsilon);
  };
}

function rmsprop(options: NumberRate<RMSpropOptions>): ElementRule {
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

function nadam(options: NumberRate<NAdamOptions>): ElementRule {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8 } = options;
  const { weightDecay = 0, momentumDecay = 0.004 } = options;
  const mu = (t: number) => beta1 * (1 - 0.96 ** (t * momentumDecay) / 2);
  const product = (t: number): number => (t === 0 ? 1 : mu(t) * product(t - 1));
  return (x, gradient, t) => {
    const g = gradient + weightDecay * x.p;
    const m = (x.slots.mean ?? 0) * beta1 + g * (1 - beta1);
    const v = (x.slots.square ?? 0) * beta2 + g ** 2 * (1 - beta2);
    x.slots = { mean: m, square: v };
    const ahead = (mu(t + 1) * m) / (1 - product(t + 1)) + ((1 - mu(t)) * g) / (1 - product(t));
    x.p -= (learningRate * ahead) / (Math.sqrt(v / (1 - beta2 ** t)) + epsilon);
  };
}

function adamax(options: NumberRate<AdamaxOptions>): ElementRule {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return (x, gradient, t) => {
    const g = gradient + weightDecay * x.p;
    const m = (x.slots.mean ?? 0) * beta1 + g * (1 - beta1);
    const faded = (x.slots.maximum ?? 0) * beta2;
    const u = faded > Math.abs(g) + epsilon ? faded : Math.abs(g) + epsilon;
    x.slots = { mean: m, maximum: u };
    x.p -= ((learningRate / u) * m) / (1 - beta1 ** t);
  };
}

function lion(options: NumberRate<LionOptions>): ElementRule {
  const { learningRate, beta1 = 0.9, beta2 = 0.99, weightDecay = 0 } = options;
  return (x, g) => {
    const m = x.slots.mean ?? 0;
    const c = beta1 * m + (1 - beta1) * g;
    x.p = x.p * (1 - learningRate * weightDecay) - learningRate * Math.sign(c);
    x.slots = { mean: beta2 * m + (1 - beta2) * g };
  };
}

function adagrad(options: NumberRate<AdagradOptions>): ElementRule {
  const { learningRate, initialSum = 0, epsilon = 1e-10, weightDecay = 0 } = options;
  return (x, gradient) => {
    const g = gradient + weightDecay * x.p;
    const s = (x.slots.sum ?? initialSum) + g ** 2;
    x.slots = { sum: s };
    x.p -= (learningRate * g) / (s ** 0.5 + epsilon);
  };
}

function adadelta(options: NumberRate<AdadeltaOptions>): ElementRule {
  const { learningRate, rho = 0.9, epsilon = 1e-6, weightDecay = 0 } = options;
  const rms = (x: number) => Math.sqrt(x + epsilon);
  return (x, gradient) => {
    const g = gradient + weightDecay * x.p;
    const v = rho * (x.slots.square ?? 0) + (1 - rho) * g ** 2;
    const move = (-rms(x.slots.squaredMove ?? 0) / rms(v)) * g;
    x.slots = { square: v, squaredMove: rho * (x.slots.squaredMove ?? 0) + (1 - rho) * move ** 2 };
    x.p += learningRate * move;
  };
}

function lamb(options: NumberRate<LAMBOptions>): Rule {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-6, weightDecay = 0 } = options;
  return (xs, gradients, t) => {
    const u = xs.map((x, i) => {
      const m = (x.slots.mean ?? 0) * beta1 + gradients[i] * (1 - beta1);
      const v = (x.slots.square ?? 0) * beta2 + gradients[i] ** 2 * (1 - beta2);
      x.slots = { mean: m, square: v };
      const spread = Math.sqrt(v / (1 - beta2 ** t)) + epsilon;
      return m / (1 - beta1 ** t) / spread + weightDecay * x.p;
    });
    const [ofP, ofU] = [Math.hypot(...xs.map(({ p }) => p)), Math.hypot(...u)];
    const ratio = ofP > 0 && ofU > 0 ? ofP / ofU : 1;
    for (const [i, x] of xs.entries()) x.p -= learningRate * ratio * u[i];
  };
}

function radam(options: NumberRate<RAdamOptions>): ElementRule {
  const { learningRate, beta1 = 0.9, beta2 = 0.999, epsilon = 1e-8, weightDecay = 0 } = options;
  return (x, gradient, t) => {
    const g = gradient + weightDecay * x.p;
    const m = (x.slots.mean ?? 0) * beta1 + g * (1 - beta1);
    const v = (x.slots.square ?? 0) * beta2 + g ** 2 * (1 - beta2);
    x.slots = { mean: m, square: v };
    const most = 2 / (1 - beta2) - 1;
    const length = most - (2 * t * beta2 ** t) / (1 - beta2 ** t);
    const corrected = m / (1 - beta1 ** t);
    if (length <= 5) x.p -= learningRate * corrected;
    else {
      const ofLength = (n: number) => ((n - 4) * (n - 2)) / n;
      const r = Math.sqrt(ofLength(length) / ofLength(most));
      x.p -= (learningRate * corrected * r * Math.sqrt(1 - beta2 ** t)) / (Math.sqrt(v) + epsilon);
    }
  };
}

function rprop(options: NumberRate<RpropOptions>): ElementRule {
  const { learningRate, etaMinus = 0.5, etaPlus = 1.2 } = options;
  const { minScale = 1e-4, maxScale = 5000 } = options;
  return (x, gradient) => {
    const turn = gradient * (x.slots.gradient ?? 0);
    const eta = turn > 0 ? etaPlus : turn < 0 ? etaMinus : 1;
    const scale = Math.min(maxScale, Math.max(minScale, (x.slots.scale ?? 1) * eta));
    const g = turn < 0 ? 0 : gradient;
    x.slots = { scale, gradient: g };
    x.p -= learningRate * scale * Math.sign(g);
  };
}

function asgd(options: NumberRate<ASGDOptions>): ElementRule {
  const { learningRate, lambda = 1e-4, alpha = 0.75, start = 1e6, weightDecay = 0 } = options;
  return (x, gradient, t) => {
    const g = gradient + weightDecay * x.p;
    const eta = learningRate / (1 + lambda * learningRate * (t - 1)) ** alpha;
    x.p = x.p * (1 - lambda * eta) - eta * g;
    const average = x.slots.average ?? 0;
    x.slots = { average: average + (x.p - average) / Math.max(1, t - 1 - start) };
  };
}

/** For parameters of 5 rows and 7 columns, and of one axis or none. */
function adafactor(options: NumberRate<AdafactorOptions>): Rule {
  const { learningRate, beta2Decay = -0.8, epsilon = 1e-3 } = options;
  const { clipThreshold = 1, weightDecay = 0 } = options;
  const [rows, columns] = [5, 7];
  const slots = new WeakMap<object, { r: number[]; c: number[] }>();
  const mean = (xs: readonly number[]) => xs.reduce((a, b) => a + b, 0) / xs.length;
  const rms = (xs: readonly number[]) => Math.sqrt(mean(xs.map((x) => x ** 2)));
  return (xs, gradients, t) => {
    const fresh = t ** beta2Decay;
    const isMatrix = xs.length === rows * columns;
    const squares = gradients.map((g) => g ** 2);
    const ofRows = isMatrix
      ? Array.from({ length: rows }, (_, i) =>
          mean(squares.filter((_, k) => Math.floor(k / columns) === i)),
        )
      : squares;
    const ofColumns = Array.from({ length: columns }, (_, j) =>
      mean(squares.filter((_, k) => k % columns === j)),
    );
    const old = slots.get(xs) ?? { r: ofRows.map(() => 0), c: ofColumns.map(() => 0) };
    const r = old.r.map((x, i) => x + (ofRows[i] - x) * fresh);
    const c = old.c.map((x, j) => x + (ofColumns[j] - x) * fresh);
    slots.set(xs, { r, c });
    const v = squares.map((_, k) => {
      return isMatrix ? (r[Math.floor(k / columns)] * c[k % columns]) / mean(r) : r[k];
    });
    const u = gradients.map((g, k) => g / Math.sqrt(v[k]));
    const size = Math.max(epsilon, rms(xs.map(({ p }) => p)));
    const step =
      (size * Math.min(learningRate, 1 / Math.sqrt(t))) / Math.max(1, rms(u) / clipThreshold);
    for (const [k, x] of xs.entries()) x.p = x.p * (1 - learningRate * weightDecay) - step * u[k];
  };
}

/** Makes a row of the table from an optimizer, its options and its rule for elements. */
function row<Options>(
  optimizer: new (parameters: Parameter[], options: NumberRate<Options>) => Optimizer,
  rule: (options: NumberRate<Options>) => ElementRule,
  options: NumberRate<Options>,
): OptimizerCase {
  const element = rule(options);
  return {
    name: `${optimizer.name} ${JSON.stringify(options)}`,
    make: (parameters) => new optimizer(parameters, options),
    rule: (xs, gradients, t) => {
      for (const [i, x] of xs.entries()) element(x, gradients[i], t);
    },
  };
}

function ofLAMB(options: NumberRate<LAMBOptions>): OptimizerCase {
  const name = `LAMB ${JSON.stringify(options)}`;
  return { name, make: (parameters) => new LAMB(parameters, options), rule: lamb(options) };
}

function ofAdafactor(options: NumberRate<AdafactorOptions>): OptimizerCase {
  const name = `Adafactor ${JSON.stringify(options)}`;
  return {
    name,
    make: (parameters) => new Adafactor(parameters, options),
    rule: adafactor(options),
  };
}

const coupled = (options: NumberRate<AdamOptions>) => adam(options, false);
const decoupled = (options: NumberRate<AdamOptions>) => adam(options, true);

/** Every optimizer, with every option at least once. */
export const OPTIMIZER_CASES: readonly OptimizerCase[] = [
  row(SGD, sgd, { learningRate: 0.1, weightDecay: 0.2 }),
  row(SGD, sgd, { learningRate: 0.05, momentum: 0.9, nesterov: true, weightDecay: 0.1 }),
  row(SGD, sgd, { learningRate: 0.5, momentum: 0.9, dampening: 0.9 }),
  row(SGD, sgd, { learningRate: 0.5, momentum: 0.8, dampening: 0.5, nesterov: true }),
  row(SGD, sgd, { learningRate: 0.1, dampening: 0.5 }),
  row(Adam, coupled, { learningRate: 0.05 }),
  row(Adam, coupled, {
    learningRate: 0.1,
    beta1: 0.8,
    beta2: 0.9,
    epsilon: 0.01,
    weightDecay: 0.3,
  }),
  row(Adam, coupled, { learningRate: 0.01, beta1: 0, beta2: 0.99999 }),
  row(Adam, coupled, { learningRate: 0.01, beta1: 0.5, beta2: 0 }),
  row(Adam, coupled, { learningRate: 0.05, beta2: 0.5, amsgrad: true, weightDecay: 0.1 }),
  row(AdamW, decoupled, { learningRate: 0.05 }),
  row(AdamW, decoupled, {
    learningRate: 0.1,
    beta1: 0.8,
    beta2: 0.9,
    epsilon: 0.01,
    weightDecay: 0.5,
  }),
  row(AdamW, decoupled, { learningRate: 0.05, weightDecay: 0 }),
  row(AdamW, decoupled, { learningRate: 0.05, beta2: 0.6, amsgrad: true }),
  row(RMSprop, rmsprop, { learningRate: 0.02 }),
  row(RMSprop, rmsprop, { learningRate: 0.02, alpha: 0.9, epsilon: 0.01, weightDecay: 0.3 }),
  row(RMSprop, rmsprop, { learningRate: 0.02, momentum: 0.9 }),
  row(RMSprop, rmsprop, { learningRate: 0.02, centered: true }),
  row(RMSprop, rmsprop, {
    learningRate: 0.02,
    alpha: 0.8,
    momentum: 0.5,
    centered: true,
    weightDecay: 0.1,
  }),
  row(NAdam, nadam, { learningRate: 0.02 }),
  row(NAdam, nadam, { learningRate: 0.05, beta1: 0.8, beta2: 0.9, weightDecay: 0.2 }),
  row(NAdam, nadam, { learningRate: 0.05, momentumDecay: 1, epsilon: 0.01 }),
  row(Adamax, adamax, { learningRate: 0.02 }),
  row(Adamax, adamax, {
    learningRate: 0.05,
    beta1: 0.7,
    beta2: 0.6,
    epsilon: 0.01,
    weightDecay: 0.2,
  }),
  row(Lion, lion, { learningRate: 0.01 }),
  row(Lion, lion, { learningRate: 0.02, beta1: 0.5, beta2: 0.7, weightDecay: 0.5 }),
  row(Adagrad, adagrad, { learningRate: 0.1 }),
  row(Adagrad, adagrad, { learningRate: 0.1, initialSum: 0.3, epsilon: 0.01, weightDecay: 0.2 }),
  row(Adadelta, adadelta, { learningRate: 1 }),
  row(Adadelta, adadelta, { learningRate: 0.5, rho: 0.6, epsilon: 0.01, weightDecay: 0.2 }),
  row(RAdam, radam, { learningRate: 0.02 }),
  row(RAdam, radam, {
    learningRate: 0.05,
    beta1: 0.8,
    beta2: 0.9,
    epsilon: 0.01,
    weightDecay: 0.2,
  }),
  row(RAdam, radam, { learningRate: 0.05, beta2: 0.5 }),
  row(Rprop, rprop, { learningRate: 0.01 }),
  row(Rprop, rprop, { learningRate: 0.1, etaMinus: 0.6, etaPlus: 1.5, minScale: 0.5, maxScale: 2 }),
  row(ASGD, asgd, { learningRate: 0.05 }),
  row(ASGD, asgd, { learningRate: 0.1, lambda: 0.3, alpha: 0.6, start: 3, weightDecay: 0.2 }),
  ofAdafactor({ learningRate: 0.1 }),
  ofAdafactor({
    learningRate: 0.05,
    beta2Decay: -0.5,
    epsilon: 0.5,
    clipThreshold: 0.5,
    weightDecay: 0.3,
  }),
  ofLAMB({ learningRate: 0.02 }),
  ofLAMB({ learningRate: 0.05, beta1: 0.7, beta2: 0.8, epsilon: 0.01, weightDecay: 0.3 }),
];
