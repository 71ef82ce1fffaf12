import { describeValue, didYouMean } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { list, quote } from "../core/quote.ts";
import type { Batches, Fingerprint } from "./batches.ts";

/** What tells a run from others: what fixes its batches, its optimizer's kind, and `accumulate`. */
export function fingerprintOf(
  batches: Batches<unknown>,
  optimizer: string | undefined,
  accumulate: number,
): Fingerprint {
  const { fingerprint, stepsPerEpoch } = batches;
  const counted: Fingerprint = Number.isFinite(stepsPerEpoch) ? { stepsPerEpoch } : {};
  return { ...(fingerprint ?? counted), ...(optimizer && { optimizer }), accumulate };
}

/**
 * Throws a `GradusError`, as `op`, that names both values of what is not the same in a checkpoint and
 * in the run that goes on, except for what may differ.
 */
export function checkFingerprint(
  op: string,
  saved: Fingerprint,
  own: Fingerprint,
  allowed: readonly string[],
): void {
  const names = [...new Set([...Object.keys(own), ...Object.keys(saved)])];
  for (const name of allowed) {
    if (names.includes(name)) continue;
    throw new GradusError(
      `${op}: allowMismatch of ${describeValue(name)}; expected some of ${list(names)}` +
        didYouMean(String(name), names),
    );
  }
  const wrong = names.filter(
    (name) => !Object.is(saved[name], own[name]) && !allowed.includes(name),
  );
  if (wrong.length === 0) return;
  const told = (values: Fingerprint) =>
    list(wrong.map((name) => `${name} ${Object.hasOwn(values, name) ? values[name] : "none"}`));
  throw new GradusError(
    `${op}: a checkpoint of a run with ${told(saved)} for one with ${told(own)}; expected the ` +
      `same. Give the options of that run, or allowMismatch: ${quote(wrong)}`,
  );
}
