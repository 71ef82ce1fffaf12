import { sameData } from "../../../core/data-map.ts";
import { callKey, type Program } from "../../../engine/program.ts";
import type { GroupCode } from "./group-code.ts";

/** The code of a program, as far as it has been made. It knows no address, so equal programs share it. */
export interface ProgramCode {
  /** By the group's number; null for those that have none. */
  readonly groups: (GroupCode | null)[];
  module: WebAssembly.Module | null;
}

/** For how many programs code is kept; the longest unused one goes first. */
const LIMIT = 64;

const known: { readonly key: unknown; readonly code: ProgramCode }[] = [];

/** The code of programs that compute the same; `options` are what else it is made by. */
export function programCode(program: Program, options: readonly unknown[]): ProgramCode {
  const { steps, sources, outputs, updates } = program;
  const calls = steps.map((step) => [callKey(step), step.result, step.dtype, step.shape]);
  const key = [options, sources, outputs, updates, calls];
  const at = known.findLastIndex((one) => sameData(one.key, key));
  const [found = { key, code: { groups: [], module: null } }] = at < 0 ? [] : known.splice(at, 1);
  known.push(found);
  if (known.length > LIMIT) known.shift();
  return found.code;
}
