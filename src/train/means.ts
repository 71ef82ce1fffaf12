import type { StepRecord } from "./train-step.ts";

/** Sums over the examples of some steps, as a checkpoint keeps them. */
export interface Sums {
  readonly examples: number;
  /** Of the loss and each metric: Σ n · mean over a step's n examples. */
  readonly sums: Readonly<Record<string, number>>;
}

/** Means of losses and metrics over examples, in float64, summed one step after the other. */
export class Means {
  #examples: number;
  readonly #sums: Map<string, number>;

  constructor({ examples, sums }: Sums = { examples: 0, sums: {} }) {
    this.#examples = examples;
    this.#sums = new Map(Object.entries(sums));
  }

  /** Takes in what some steps gave, each on its number of examples. */
  add(records: readonly StepRecord[], examples: readonly number[]): void {
    for (const [i, { step: _, ...values }] of records.entries()) {
      const n = examples[i];
      this.#examples += n;
      for (const [name, x] of Object.entries(values)) {
        this.#sums.set(name, n * x + (this.#sums.get(name) ?? 0));
      }
    }
  }

  get loss(): number {
    return this.values.loss ?? Number.NaN;
  }

  /** Means by name, without the loss; undefined where there is no metric. */
  get metrics(): Record<string, number> | undefined {
    const { loss: _, ...metrics } = this.values;
    return Object.keys(metrics).length > 0 ? metrics : undefined;
  }

  get values(): Record<string, number> {
    const mean = ([name, sum]: [string, number]) => [name, sum / this.#examples] as const;
    return Object.fromEntries([...this.#sums].map(mean));
  }

  get sums(): Sums {
    return { examples: this.#examples, sums: Object.fromEntries(this.#sums) };
  }
}
