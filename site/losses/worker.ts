/** Computes what the pictures show, beside the page. */
import { CATALOGUE, type LossName } from "./catalogue.ts";
import { type Sampled, sample } from "./curve.ts";

/** What the page asks for: a loss over `n` places along each axis. */
export interface Question {
  readonly id: number;
  readonly name: LossName;
  readonly n: number;
  readonly chosen: number;
}

export interface Answer {
  readonly id: number;
  readonly sampled: Sampled;
}

let last: Promise<unknown> = Promise.resolve();
addEventListener("message", ({ data }: MessageEvent<Question>) => {
  last = last.then(async () => {
    const sampled = await sample(CATALOGUE[data.name], data.n, data.chosen);
    postMessage({ id: data.id, sampled } satisfies Answer);
  });
});
