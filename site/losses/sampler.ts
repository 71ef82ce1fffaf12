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

/** What was asked for, or why it can't be had. */
export type Answer =
  | { readonly id: number; readonly sampled: Sampled }
  | { readonly id: number; readonly problem: string };

/** Answers what the page asks for, one question after the other; one that fails is told and ends none of the rest. */
export function answerQuestions(): void {
  let last: Promise<unknown> = Promise.resolve();
  addEventListener("message", ({ data }: MessageEvent<Question>) => {
    if (!("chosen" in data)) return; // the page asks for training
    last = last.then(async () => postMessage(await answer(data)));
  });
}

/** Answers one question. */
export async function answer({ id, name, n, chosen }: Question): Promise<Answer> {
  try {
    return { id, sampled: await sample(name, n, chosen) };
  } catch (error) {
    return { id, problem: (error as Error).message };
  }
}
