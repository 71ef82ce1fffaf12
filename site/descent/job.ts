/** Walks down a landscape by all methods at once. */
import { add, init, mul, Parameter, reshape, slice, sum, type Tensor, tensor } from "gradus";
import { Module } from "gradus/nn";
import { Adagrad, Adam, Lion, OptimizerGroup, RMSprop, SGD } from "gradus/optim";
import { GeneticAlgorithm } from "gradus/train";
import { trainJob } from "gradus/worker";
import { normal } from "../shell/plane-data.ts";
import { type Formula, parseFormula } from "./formula.ts";
import { evaluateFormula } from "./landscape.ts";
import { type Kind, METHODS, type MethodName } from "./landscapes.ts";

export interface Descent {
  readonly formula: string;
  readonly start: readonly [number, number];
  readonly rates: Readonly<Record<Kind, number>>;
  /** The standard deviation of what is added to the gradient. */
  readonly noise: number;
  /** How long a step is shown, in milliseconds. */
  readonly pause: number;
  readonly populationSize: number;
}

/** Where all of a population are, `x` and `y` in turn, the best first; and how high the best. */
export interface PopulationNote {
  readonly step: number;
  readonly places: number[];
  readonly best: number;
}

// #region optimizers
const OPTIMIZERS: Record<
  MethodName,
  (place: Parameter[], learningRate: number) => OptimizerGroup["members"][number]
> = {
  descent: (p, learningRate) => new SGD(p, { learningRate }),
  momentum: (p, learningRate) => new SGD(p, { learningRate, momentum: 0.9 }),
  nesterov: (p, learningRate) => new SGD(p, { learningRate, momentum: 0.9, nesterov: true }),
  adagrad: (p, learningRate) => new Adagrad(p, { learningRate }),
  rmsprop: (p, learningRate) => new RMSprop(p, { learningRate }),
  adam: (p, learningRate) => new Adam(p, { learningRate }),
  lion: (p, learningRate) => new Lion(p, { learningRate }),
};
// #endregion

/** One place of each method. */
class Walkers extends Module {
  readonly places: Record<MethodName, Parameter>;

  constructor(start: readonly [number, number]) {
    super();
    const entries = METHODS.map(({ id }) => [id, new Parameter(tensor(start))]);
    this.places = Object.fromEntries(entries);
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** A place that is searched for without gradients. */
class Place extends Module {
  readonly place: Parameter;

  constructor(start: readonly [number, number]) {
    super();
    this.place = new Parameter(tensor(start));
  }

  override forward(x: Tensor): Tensor {
    return x;
  }
}

/** One of two elements along the last axis. */
function element(x: Tensor, k: number): Tensor {
  const rest = x.shape.slice(0, -1);
  return reshape(slice(x, [...rest.map(() => ({})), { start: k, end: k + 1 }]), rest);
}

export default trainJob(async (settings: Descent, tell: (note: PopulationNote) => void) => {
  await init({ device: "cpu" }); // two numbers a method: no work for a GPU
  const formula = parseFormula(settings.formula);
  // #region job
  const height = (place: Tensor) => evaluateFormula(formula, element(place, 0), element(place, 1));
  const model = new Walkers(settings.start);
  const optimizer = new OptimizerGroup(
    METHODS.map(({ id, kind }) => OPTIMIZERS[id]([model.places[id]], settings.rates[kind])),
  );
  // One sum: each place's gradient is that of its own height, and the same noise for all.
  const loss = ({ places }: Walkers, { noise }: { noise: Tensor }) =>
    METHODS.map(({ id }) => add(height(places[id]), sum(mul(places[id], noise)))).reduce((a, b) =>
      add(a, b),
    );
  // #endregion
  const metrics = Object.fromEntries(
    METHODS.flatMap(({ id }) => [
      [`${id} x`, ({ places }: Walkers) => element(places[id], 0)],
      [`${id} y`, ({ places }: Walkers) => element(places[id], 1)],
      [`${id} height`, ({ places }: Walkers) => height(places[id])],
    ]),
  );
  const bell = normal(7);
  function* noises() {
    for (;;) yield { noise: tensor([0, 0].map(() => settings.noise * bell())) };
  }
  // #region genetic
  const place = new Place(settings.start);
  const search = new GeneticAlgorithm({
    model: place,
    loss: (model: Place) => reshape(height(model.place), [settings.populationSize]),
    populationSize: settings.populationSize,
    mutationRate: 0.5,
    seed: 3,
  });
  // #endregion
  const genes = search.state().get("population") as Tensor;
  const evolve = async (step: number) => {
    await search.step({});
    const [places, losses] = await Promise.all([genes.data(), search.losses.data()]);
    tell({ step, places: Array.from(places), best: losses[0] });
  };
  const onEvent = async ({ event, step }: { event: string; step: number }) => {
    if (event !== "step") return;
    await evolve(step);
    await new Promise<void>((go) => setTimeout(go, settings.pause));
  };
  const loader = { stepsPerEpoch: STEPS, epoch: noises };
  const dispose = () => search.dispose();
  const shown = { loader, epochs: 1, metricsEvery: 1, onNonFinite: "ignore", onEvent } as const;
  return { model, optimizer, loss, metrics, ...shown, calls: { field: fieldOf(formula) }, dispose };
});

/** How many steps are made. */
const STEPS = 250;

/** Gives heights over `n` × `n` places of a rectangle, row by row, y upwards. */
function fieldOf(formula: Formula) {
  return async (n: number, [x0, x1]: readonly number[], [y0, y1]: readonly number[]) => {
    const along = (from: number, to: number, i: number) => from + ((to - from) * i) / (n - 1);
    const cells = Array.from({ length: n * n }, (_, k) => k);
    const x = tensor(cells.map((k) => along(x0, x1, k % n)));
    const y = tensor(cells.map((k) => along(y0, y1, Math.floor(k / n))));
    const heights = evaluateFormula(formula, x, y);
    const values = await heights.data();
    for (const each of [x, y, heights]) each.dispose();
    return values;
  };
}
