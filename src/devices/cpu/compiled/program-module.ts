import { FunctionWriter, I32 } from "./assembler.ts";
import type { GroupCode } from "./group-code.ts";
import { assembleModule } from "./module.ts";

/** One group: code and where the addresses that it is given stand in a table, or a call of the host. */
export type ModuleTask =
  | { readonly code: GroupCode; readonly places: readonly number[] }
  | { readonly host: number };

/** What a module gives: all tasks in order, and each alone, from the address of the table. */
export interface ModuleExports {
  run(table: number): void;
  readonly tasks: readonly ((table: number) => void)[];
}

const LOAD_I32 = 0x28;

/**
 * Makes a module of a plan's tasks. Groups that differ in nothing but addresses share a function;
 * addresses are read from a table, so that a run on the same memory has nothing to do before it.
 */
export function moduleOf(tasks: readonly ModuleTask[]): Uint8Array<ArrayBuffer> {
  const host = { name: "h", function: new FunctionWriter([I32]) };
  const functions: FunctionWriter[] = [];
  const known = new Map<string, number>();
  const add = (f: FunctionWriter) => functions.push(f); // behind the host's
  const codeFunction = ({ function: f }: GroupCode): number => {
    const key = `${f.parameters.length}:${f.entry}`;
    const index = known.get(key) ?? add(f);
    known.set(key, index);
    return index;
  };
  const callers = tasks.map((task): number => {
    const f = new FunctionWriter([I32]);
    if ("host" in task) f.i32(task.host).call(0);
    else {
      const index = codeFunction(task.code);
      for (const place of task.places) f.get(0).memory(LOAD_I32, 2, 4 * place);
      f.call(index);
    }
    return add(f);
  });
  const run = new FunctionWriter([I32]);
  for (const caller of callers) run.get(0).call(caller);
  const exports = callers.map((caller, i) => [`t${i}`, caller] as const);
  return assembleModule([host], functions, [["run", add(run)], ...exports]);
}

/** Starts a module on a memory; `host` does what has no code. */
export function startModule(
  module: WebAssembly.Module,
  memory: WebAssembly.Memory,
  host: (task: number) => void,
): ModuleExports {
  const { exports } = new WebAssembly.Instance(module, { e: { m: memory, h: host } });
  const functions = exports as Record<string, (table: number) => void>;
  const { length } = Object.keys(functions);
  const tasks = Array.from({ length: length - 1 }, (_, i) => functions[`t${i}`]);
  return { run: functions.run, tasks };
}
