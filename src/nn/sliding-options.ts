import { checkWords } from "../core/check.ts";
import { batchAxes } from "../ops/channels.ts";
import { type EdgePadding, edgesOf, forEachAxis, type PerAxis } from "../ops/sliding.ts";
import { rankOf } from "./rank.ts";

/** What layers are told of the windows that slide over their inputs. */
export interface SlidingOptions {
  readonly stride?: PerAxis;
  readonly dilation?: PerAxis;
  readonly padding?: EdgePadding | "same" | "valid";
  readonly outputPadding?: PerAxis;
  readonly outputSize?: PerAxis;
  readonly layout?: string;
}

/**
 * Throws what a call of a layer throws for how its windows lie, where that does not depend on its input.
 * @param words whether padding may be a word.
 * @returns the axes of a batch that windows slide along.
 */
export function checkSliding(
  name: string,
  { stride, dilation, padding, outputPadding, outputSize, layout }: SlidingOptions,
  words: boolean,
): readonly number[] {
  const axes = batchAxes(name, rankOf(name), layout);
  const least = { stride: 1, dilation: 1, outputPadding: 0, outputSize: 1 };
  const given = { stride, dilation, outputPadding, outputSize };
  for (const [key, low] of Object.entries(least)) {
    const own = given[key as keyof typeof given] ?? null;
    if (own !== null) forEachAxis(name, key, own, axes, low);
  }
  if (typeof padding === "string" && words) checkWords(name, { padding }, ["same", "valid"]);
  else if ((padding ?? null) !== null) edgesOf(name, padding as EdgePadding, axes);
  return axes;
}
