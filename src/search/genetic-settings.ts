import {
  checkEach,
  checkFunctions,
  checkNotNegative,
  checkOptions,
  checkSteps,
  checkWords,
  isInteger,
} from "../core/check.ts";
import type { Progress } from "../engine/plan.ts";
import type { Tensor } from "../graph/tensor.ts";
import type { AnyModule } from "../nn/module.ts";
import type { Schedule } from "../optim/learning-rate.ts";
import { checkMethods } from "../train/check-options.ts";
import { CROSSOVER_NAMES, type Crossover, type Selection } from "./genetic-operators.ts";

/** What a genetic algorithm consists of. */
export interface GeneticAlgorithmOptions<M extends AnyModule, B> {
  /** Its parameters are searched for; all have one dtype. */
  model: M;
  /**
   * Computes the loss of each individual, `[p]`, the smaller the fitter. Inside, each parameter
   * stands for its values in all p individuals: `[a, b]` is `[p, a, b]`, `[b]` is `[p, 1, b]`, so that
   * `Linear` and functions of single elements give `[p, n, b]` from inputs `[n, a]`.
   */
  loss: (model: M, batch: B) => Tensor;
  /** p, an integer from 2; 100 when left out. */
  populationSize?: number;
  /** How many of the best go on untouched, from 1 and below p; 2 when left out. */
  elite?: number;
  /** `tournament` when left out. */
  selection?: Selection;
  /** Individuals in a tournament, from 1 (any is chosen); 3 when left out. */
  tournamentSize?: number;
  /** `uniform` when left out. */
  crossover?: Crossover;
  /** The share of children with two parents, in [0, 1]; 0.9 when left out. */
  crossoverRate?: number;
  /** The share of genes that change, in [0, 1]; 0.1 when left out. */
  mutationRate?: number;
  /** Standard deviation of a change, from 0, or a schedule over the generations; 0.3 when left out. */
  mutationScale?: number | Schedule;
  /** Standard deviation of the first individuals around the model's values; 1 when left out. */
  initialScale?: number;
  /** Fixes all that is random; 0 when left out. */
  seed?: number;
  /** Generations in one submit; as many as take 2 to 8 ms when left out. */
  stepsPerSubmit?: number;
  /** Told how many pipelines have been built before the first generation. */
  onProgress?: Progress;
}

/** The options that numbers and names make up, completed. */
export type Settings = Required<
  Omit<
    GeneticAlgorithmOptions<AnyModule, unknown>,
    "model" | "loss" | "stepsPerSubmit" | "onProgress"
  >
>;

/** What is taken where an option is left out. */
const DEFAULTS: Settings = {
  populationSize: 100,
  elite: 2,
  selection: "tournament",
  tournamentSize: 3,
  crossover: "uniform",
  crossoverRate: 0.9,
  mutationRate: 0.1,
  mutationScale: 0.3,
  initialScale: 1,
  seed: 0,
};

/** Throws a `GradusError` for a setting out of its range. */
function checkSettings(settings: Settings): void {
  const op = "GeneticAlgorithm";
  const { populationSize, elite, selection, crossover, mutationScale } = settings;
  checkSteps(op, { tournamentSize: settings.tournamentSize });
  checkEach(op, { populationSize }, (x) => isInteger(x, 2), "an integer from 2");
  const most = populationSize - 1;
  checkEach(op, { elite }, (x) => isInteger(x, 1, most), `an integer from 1 to ${most}`);
  const { crossoverRate, mutationRate } = settings;
  const isShare = (x: unknown) => typeof x === "number" && x >= 0 && x <= 1;
  checkEach(op, { crossoverRate, mutationRate }, isShare, "a number from 0 to 1");
  checkNotNegative(op, { initialScale: settings.initialScale });
  if (typeof mutationScale === "number") checkNotNegative(op, { mutationScale });
  checkWords(op, { selection }, ["tournament", "roulette"]);
  checkWords(op, { crossover }, CROSSOVER_NAMES);
}

/** Checks options and gives the settings, with defaults for those that are left out. */
export function settingsOf<M extends AnyModule, B>(
  options: GeneticAlgorithmOptions<M, B>,
): Settings {
  const names = Object.fromEntries(Object.keys(DEFAULTS).map((name) => [name, true]));
  checkOptions<GeneticAlgorithmOptions<M, B>>("GeneticAlgorithm", options, {
    model: true,
    loss: true,
    ...(names as Record<keyof Settings, true>),
    stepsPerSubmit: true,
    onProgress: true,
  });
  const { model, loss, stepsPerSubmit: _, onProgress: __, ...given } = options;
  checkMethods("GeneticAlgorithm", { model }, ["call", "parameters"], "a Module");
  checkFunctions("GeneticAlgorithm", { loss });
  const set = Object.entries(given).filter(([, value]) => value !== undefined);
  const settings = { ...DEFAULTS, ...Object.fromEntries(set) };
  checkSettings(settings);
  return settings;
}
