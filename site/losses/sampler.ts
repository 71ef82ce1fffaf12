/** Computes what the pictures show, in a worker of the same script as the job. */
import type { LossName } from "./catalogue.ts";
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

/** Answers what the page asks for, one question after the other. */
export function answerQuestions(): void {
  let last: Promise<unknown> = Promise.resolve();
  addEventListener("message", ({ data }: MessageEvent<Question>) => {
    if (!("chosen" in data)) return; // the page asks for training
    last = last.then(async () => {
      const sampled = await sample(data.name, data.n, data.chosen);
      postMessage({ id: data.id, sampled } satisfies Answer);
    });
  });
}
