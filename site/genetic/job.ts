/** A population of nets that learns by selection. */
import {
  add,
  argmax,
  cast,
  equal,
  init,
  matmul,
  mean,
  reshape,
  slice,
  softmax,
  type Tensor,
  tanh,
  tensor,
} from "gradus";
import { crossEntropy } from "gradus/losses";
import { Linear, Sequential } from "gradus/nn";
import { type Crossover, GeneticAlgorithm, lossPerIndividual, type Selection } from "gradus/train";
import { trainJob } from "gradus/worker";
import { planeGrid } from "../shell/plane-data.ts";
import { TASKS, type TaskName } from "./data.ts";

export interface Evolution {
  readonly task: TaskName;
  readonly hidden: number;
  readonly size: number;
  readonly elite: number;
  readonly selection: Selection;
  readonly crossover: Crossover;
  readonly crossoverRate: number;
  readonly mutationRate: number;
  readonly mutationScale: number;
  readonly seed: number;
}

/** A generation: its losses, the best first. */
export interface Generation {
  readonly generation: number;
  readonly losses: number[];
}

interface Batch {
  readonly x: Tensor;
  readonly labels: Tensor;
}

const GENERATIONS = 2000;

export default trainJob(async (settings: Evolution, tell: (note: Generation) => void) => {
  await init();
  const { task, hidden, size: populationSize, ...options } = settings;
  const { points, labels, classes } = TASKS[task];
  // #region job
  const [first, last] = [
    new Linear(2, hidden, { seed: 1 }),
    new Linear(hidden, classes, { seed: 2 }),
  ];
  const model = new Sequential(first, tanh, last);
  const batch = { x: tensor(points), labels: tensor(labels, { dtype: "i32" }) };
  const search = new GeneticAlgorithm({
    model,
    // All nets of the population at once: [p, n, classes] from [n, 2].
    loss: (nets: Sequential, { x, labels }: Batch) =>
      lossPerIndividual(crossEntropy, nets.call(x), labels),
    populationSize,
    ...options,
  });
  const evolve = async () => {
    await search.step(batch);
    search.loadBest();
  };
  // #endregion
  const accuracy = (net: Sequential, { x, labels }: Batch) =>
    mean(cast(equal(argmax(net.call(x), { axis: 1 }), labels), "f32"));
  return {
    model,
    // Nothing changes along a gradient: between two steps the search gives the model its best weights.
    optimizer: { parameters: model.parameters(), step() {}, apply() {}, state: () => new Map() },
    loss: (net: Sequential, { x, labels }: Batch) => crossEntropy(net.call(x), labels),
    metrics: { accuracy },
    loader: [batch],
    epochs: GENERATIONS,
    metricsEvery: 1,
    onStart: evolve,
    async onEvent({ event, step }) {
      if (event !== "step") return;
      const losses = Array.from(await search.losses.data());
      tell({ generation: step, losses });
      await evolve();
      await new Promise<void>((go) => setTimeout(go, 40)); // slow enough to watch
    },
    calls: {
      surface: (side: number) => surface(model, side),
      surfaces: (count: number, side: number) => surfaces(search, settings, count, side),
    },
    dispose: () => search.dispose(),
  };
});

/** A grid of the plane, `[side², 2]`. */
const gridOf = (side: number) => tensor(planeGrid(side), { shape: [side * side, 2] });

/** What the best net takes each place for: probabilities `[side², classes]`. */
async function surface(model: Sequential, side: number): Promise<Float32Array> {
  const grid = gridOf(side);
  const found = softmax(model.call(grid), { axis: 1 });
  return (await read(found, grid)) as Float32Array;
}

/** The same of the first nets of the population, one after the other. */
async function surfaces(
  search: GeneticAlgorithm<Sequential, Batch>,
  { hidden, task }: Evolution,
  count: number,
  side: number,
): Promise<Float32Array> {
  const { classes } = TASKS[task];
  const genes = search.state().get("population") as Tensor;
  let at = 0;
  /** The next genes of each, as `[count, ...shape]`. */
  const part = (...shape: number[]) => {
    const length = shape.reduce((a, b) => a * b);
    const found = slice(genes, [{ end: count }, { start: at, end: at + length }]);
    at += length;
    return reshape(found, [count, ...shape]);
  };
  const grid = gridOf(side);
  const [w1, b1] = [part(2, hidden), part(1, hidden)];
  const [w2, b2] = [part(hidden, classes), part(1, classes)];
  const logits = add(matmul(tanh(add(matmul(grid, w1), b1)), w2), b2);
  return (await read(softmax(logits, { axis: 2 }), grid)) as Float32Array;
}

async function read(found: Tensor, grid: Tensor) {
  const values = await found.data();
  for (const each of [found, grid]) each.dispose();
  return values;
}
