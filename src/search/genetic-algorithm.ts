import { dispose } from "../core/dispose.ts";
import { ShapeError } from "../core/errors.ts";
import { foldIn, type Key, keyFromSeed } from "../core/random.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { type Compiled, compile } from "../engine/compile.ts";
import type { Plan } from "../engine/plan.ts";
import type { Profile } from "../engine/profile.ts";
import { assignAll, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { AnyModule } from "../nn/module.ts";
import { add } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { less } from "../ops/compare.ts";
import { arange, zeros } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { reshape } from "../ops/reshape.ts";
import { slice } from "../ops/slice.ts";
import { where } from "../ops/where.ts";
import { crossed, mutated, ranking, roulette, tournament } from "./genetic-operators.ts";
import { type GeneticAlgorithmOptions, type Settings, settingsOf } from "./genetic-settings.ts";
import { Population } from "./population.ts";

/**
 * Trains a model without gradients, as evolution does: of a population of weights the fitter ones
 * are chosen as parents, their weights mixed and changed at random (Holland 1975, "Adaptation in
 * Natural and Artificial Systems"; for networks Montana and Davis 1989).
 *
 * A generation is one compiled plan: the whole population is evaluated in one batched pass, and the
 * next one made where it lies. The same seed gives the same run on the same device.
 * @throws GradusError for settings out of their ranges; ShapeError, when a step is called, if the
 * loss is not `[p]`.
 * @example
 * const search = new GeneticAlgorithm({
 *   model,
 *   loss: (model, { x, labels }) => lossPerIndividual(crossEntropy, model.call(x), labels),
 *   seed: 1,
 * });
 * for (let i = 0; i < 100; i++) await search.step({ x, labels });
 * search.loadBest();
 */
export class GeneticAlgorithm<M extends AnyModule, B extends object> {
  /** The number of finished generations, a u32 scalar. */
  readonly generation: State;
  /** The losses of the last generation that was evaluated, `[p]`, the best first. */
  readonly losses: State;
  readonly #model: M;
  readonly #loss: (model: M, batch: B) => Tensor;
  readonly #settings: Settings;
  readonly #population: Population;
  readonly #key: Key;
  readonly #compiled: Compiled<[batch: B], void>;

  constructor(options: GeneticAlgorithmOptions<M, B>) {
    this.#settings = settingsOf(options);
    const { model, loss, stepsPerSubmit, onProgress } = options;
    const { populationSize, initialScale, seed } = this.#settings;
    this.#model = model;
    this.#loss = loss;
    this.#key = keyFromSeed(seed, "GeneticAlgorithm");
    const own = foldIn(this.#key, 2 ** 32 - 1); // the draws' keys count from 0
    this.#population = new Population(model.parameters(), populationSize, initialScale, own);
    const { device, dtype } = this.#population.genes;
    this.generation = new State(zeros([], { device, dtype: "u32" }), { name: "generation" });
    this.losses = new State(zeros([populationSize], { device, dtype }), { name: "losses" });
    this.#compiled = compile((batch) => this.#step(batch), {
      stepsPerSubmit,
      onProgress,
      name: "GeneticAlgorithm",
      parameters: ["batch"],
    });
  }

  /**
   * Evaluates the population on a batch and makes the next one. The promise waits for no result,
   * only while plans are built or the device is far behind.
   */
  async step(batch: B): Promise<void> {
    await this.#compiled(batch);
  }

  /** Builds the plan for batches like this one, without a generation. */
  prepare(batch: B): Promise<Plan> {
    return this.#compiled.prepare(batch);
  }

  /** Makes a generation, as `step` does, and tells how long each kernel took. */
  profile(batch: B): Promise<Profile> {
    return this.#compiled.profile(batch);
  }

  /** Assigns the model the best individual of the last step; its own values before the first one. */
  loadBest(): void {
    this.#population.load();
  }

  /** The population `[p, genes]`, best first as far as the elite goes, with counter and losses. */
  state(): ReadonlyMap<string, State> {
    const { generation, losses } = this;
    const states = [this.#population.genes, generation, losses];
    return new Map(states.map((state) => [state.name, state]));
  }

  /** Frees the population and the plans, not the model. */
  dispose(): void {
    this.#compiled.dispose();
    for (const state of this.state().values()) state.dispose();
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }

  #step(batch: B): void {
    const { genes } = this.#population;
    const losses = this.#population.asModel(() => this.#loss(this.#model, batch));
    if (!sameShape(losses.shape, this.losses.shape)) {
      throw new ShapeError(
        `GeneticAlgorithm: losses of shape ${formatShape(losses.shape)}; expected ` +
          `${formatShape(this.losses.shape)}, one for each individual. Use lossPerIndividual`,
      );
    }
    const order = ranking(losses);
    assignAll([
      [genes, this.#next(genes, losses, order)],
      [this.losses, cast(gather(losses, order), genes.dtype)],
      [this.generation, add(this.generation, 1)],
    ]);
  }

  /** The next population: the elite, best first, and children. */
  #next(genes: Tensor, losses: Tensor, order: Tensor): Tensor {
    const settings = this.#settings;
    const { populationSize: n, elite, selection, tournamentSize, mutationRate } = settings;
    const random = { generation: this.generation, key: this.#key };
    const parents =
      selection === "roulette"
        ? roulette(losses, 2 * n, random)
        : tournament(order, 2 * n, tournamentSize, random);
    const isElite = less(arange(n, undefined, 1, { dtype: "u32", device: genes.device }), elite);
    const first = gather(genes, where(isElite, order, slice(parents, [{ end: n }])));
    const second = gather(genes, slice(parents, [{ start: n }]));
    const child = crossed(first, second, settings, random);
    const changed = mutated(child, mutationRate, this.#mutationScale(), random);
    return where(reshape(isElite, [n, 1]), first, changed);
  }

  #mutationScale(): Tensor | number {
    const { mutationScale } = this.#settings;
    if (typeof mutationScale === "number") return mutationScale;
    return mutationScale(cast(this.generation, this.#population.genes.dtype));
  }
}
