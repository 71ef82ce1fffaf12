/** The losses, optimizers and schedules that can be chosen, by name. */
import { cast, mul, oneHot, type State, softmax, type Tensor } from "gradus";
import {
  crossEntropy,
  focal,
  huber,
  logCosh,
  meanAbsoluteError,
  meanSquaredError,
  multiclassHinge,
} from "gradus/losses";
import {
  Adagrad,
  Adam,
  AdamW,
  constantRate,
  cosineDecay,
  exponentialDecay,
  Lion,
  linearWarmup,
  type Optimizer,
  type Parameters,
  RMSprop,
  type Schedule,
  SGD,
  stepDecay,
} from "gradus/optim";
import type { Chosen } from "./choices.ts";

type Loss = (y: Tensor, t: Tensor) => Tensor;

/** Losses of outputs `[n, k]`: with labels `[n]`, or with values `[n, k]`. */
export const LOSSES: Readonly<Record<Chosen["loss"], Loss>> = {
  crossEntropy: (y, t) => crossEntropy(y, t),
  focal: (y, t) => focal(y, t),
  squaredError: (y, t) => meanSquaredError(softmax(y, { axis: 1 }), oneHot(t, y.shape[1])),
  hinge: (y, t) => multiclassHinge(y, t),
  meanSquaredError: (y, t) => meanSquaredError(y, t),
  meanAbsoluteError: (y, t) => meanAbsoluteError(y, t),
  huber: (y, t) => huber(y, t),
  logCosh: (y, t) => logCosh(y, t),
};

type MakeOptimizer = (parameters: Parameters, learningRate: number | Schedule) => Optimizer;

export const OPTIMIZERS: Readonly<Record<Chosen["optimizer"], MakeOptimizer>> = {
  sgd: (p, learningRate) => new SGD(p, { learningRate }),
  momentum: (p, learningRate) => new SGD(p, { learningRate, momentum: 0.9 }),
  nesterov: (p, learningRate) => new SGD(p, { learningRate, momentum: 0.9, nesterov: true }),
  adagrad: (p, learningRate) => new Adagrad(p, { learningRate }),
  rmsprop: (p, learningRate) => new RMSprop(p, { learningRate }),
  adam: (p, learningRate) => new Adam(p, { learningRate }),
  adamw: (p, learningRate) => new AdamW(p, { learningRate }),
  lion: (p, learningRate) => new Lion(p, { learningRate }),
};

/** The schedules from 1 on, over the steps of a run. */
const SHAPES: Readonly<Record<Chosen["schedule"], (steps: number) => Schedule>> = {
  constant: () => constantRate(1),
  cosine: (steps) => cosineDecay(1, { steps }),
  warmup: (steps) => {
    const rising = Math.max(1, Math.round(steps / 10));
    return linearWarmup(cosineDecay(1, { steps: Math.max(1, steps - rising) }), { steps: rising });
  },
  step: (steps) => stepDecay(1, { every: Math.max(1, Math.ceil(steps / 4)), factor: 0.5 }),
  exponential: (steps) => exponentialDecay(1, { decayRate: 0.01, decaySteps: steps }),
};

/** The chosen schedule, whose rate may be changed while it runs. */
export function scheduleOver(name: Chosen["schedule"], rate: State, steps: number): Schedule {
  const shape = SHAPES[name](steps);
  return (step) => mul(cast(rate, step.dtype), shape(step));
}
