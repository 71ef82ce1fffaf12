import { type Tools, tools } from "../core/tools.ts";

/** What is wrong with a call that gives a promise: an error whose message is written on demand. */
export class Refusal {
  constructor(readonly error: (by: Tools["words"]) => unknown) {}
}

/** Gives the error that a refusal stands for, and any other as it is. */
export async function written(error: unknown): Promise<unknown> {
  return error instanceof Refusal ? error.error((await tools.get()).words) : error;
}
