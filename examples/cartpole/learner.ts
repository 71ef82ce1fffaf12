/** How long and by what chance a method learns. */
export interface LearningOptions {
  /** Updates by policy gradient, or pushes of deep Q-learning, at the most. */
  readonly steps: number;
  /** Steps after which an episode is ended. */
  readonly limit: number;
  readonly seed: number;
  readonly onProgress?: (progress: Progress) => void;
  readonly signal?: AbortSignal;
}

/** How far learning has come. */
export interface Progress {
  readonly step: number;
  /** Episodes played so far. */
  readonly episodes: number;
  readonly loss: number;
  /** The mean return of the episodes that say whether it is enough. */
  readonly meanReturn: number;
}

/** The share of an episode's limit at which Gym takes the task for solved: 195 of 200, 475 of 500. */
const SOLVED = { 200: 195, 500: 475 } as Readonly<Record<number, number>>;

/** The mean return at which the task counts as solved: Gym's for its limits, else 95 %. */
export function goalOf(limit: number): number {
  return SOLVED[limit] ?? 0.95 * limit;
}
