/** What counts as which outcome of a fault. */

import { FINDINGS, type Outcome } from "./fault-life.ts";
import type { Fault } from "./faults.ts";

/** What no engine can notice: one command of those that run, and nothing depends on it. */
const UNNOTICED = new Set([
  "GPUCommandEncoder.copyBufferToBuffer dropped",
  "GPUCommandEncoder.copyTextureToBuffer dropped",
  "GPUQueue.copyExternalImageToTexture dropped",
  "GPUComputePassEncoder.dispatchWorkgroups dropped",
]);

/** What became of a fault, as a column of the table says. */
export const COLUMNS = ["right", "refused", "not noticed", ...FINDINGS, "not reached"] as const;

type Column = (typeof COLUMNS)[number];

/** The columns in which an outcome counts. */
export function columnsOf({ fault, reached, refused, findings }: Outcome): Column[] {
  const cannotBe = ({ method, mode }: Fault) => UNNOTICED.has(`${method} ${mode}`);
  const wrong = new Set(["silently wrong", "wrong after"]);
  const found = [...findings.keys()].map((finding): Column => {
    return fault && cannotBe(fault) && wrong.has(finding) ? "not noticed" : finding;
  });
  if (found.length > 0) return [...new Set(found)];
  if (!reached) return ["not reached"];
  return [refused ? "refused" : "right"];
}

/** Whether an outcome is what is promised. */
export function isPromised(outcome: Outcome): boolean {
  const good: ReadonlySet<Column> = new Set(["right", "refused", "not noticed", "not reached"]);
  return columnsOf(outcome).every((column) => good.has(column));
}

/** A fault, what is wrong with its outcome, in one line. */
export function describeOutcome({ fault, findings }: Outcome): string {
  const { method, n, mode } = fault as Fault;
  const found = [...findings].map(([finding, detail]) => `${finding} (${detail.split("\n")[0]})`);
  return `${method} ${n} ${mode}: ${found.join("; ")}`;
}
