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

/** Has code made anew, where there is more of it; plans keep theirs. */
export function forgetCodes(): void {
  known.length = 0;
}

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

/** So many bytes are compiled sooner than others can be told to do it. */
const SMALL = 2 ** 16;

/** Compiles a module: a small one at once, unless the engine refuses that here, as some do above 4 kB. */
export function moduleFrom(
  bytes: Uint8Array<ArrayBuffer>,
): WebAssembly.Module | Promise<WebAssembly.Module> {
  try {
    if (bytes.length <= SMALL) return new WebAssembly.Module(bytes);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
  }
  return WebAssembly.compile(bytes);
}
