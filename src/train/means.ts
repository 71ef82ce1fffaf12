import type { StepRecord } from "./train-step.ts";

/** Sums over steps, as a checkpoint keeps them. */
export interface Sums {
  readonly count: number;
  readonly sums: Readonly<Record<string, number>>;
}

/** Means of losses and metrics over steps, in float64, summed one step after the other. */
export class Means {
  #count: number;
  readonly #sums: Record<string, number>;

  constructor({ count, sums }: Sums = { count: 0, sums: {} }) {
    this.#count = count;
    this.#sums = { ...sums };
  }

  add(records: readonly StepRecord[]): void {
    for (const { step: _, ...values } of records) {
      this.#count++;
      for (const [name, x] of Object.entries(values))
        this.#sums[name] = x + (this.#sums[name] ?? 0);
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
    const mean = ([name, sum]: [string, number]) => [name, sum / this.#count] as const;
    return Object.fromEntries(Object.entries(this.#sums).map(mean));
  }

  get sums(): Sums {
    return { count: this.#count, sums: { ...this.#sums } };
  }
}
