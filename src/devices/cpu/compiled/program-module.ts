import { FunctionWriter, I32 } from "./assembler.ts";
import { type GroupCode, REFUSED } from "./group-code.ts";
import { assembleModule } from "./module.ts";

/** One group: code and where the addresses that it is given stand in a table, or a call of the host. */
export type ModuleTask =
  | {
      readonly code: GroupCode;
      readonly places: readonly number[];
      /** Whether it may refuse values. */
      readonly refuses: boolean;
    }
  | { readonly host: number };

/** Runs one task of a module from the address of the table; gives 0, or 1 where it refuses a value. */
type RunTask = (table: number) => number;

/** What a module gives. */
export interface ModuleExports {
  /** Runs all tasks in order; gives their count, or the number of one that refused a value. */
  run(table: number): number;
  readonly tasks: readonly RunTask[];
}

const LOAD_I32 = 0x28;
const STORE_I32 = 0x36;
const RETURN = 0x0f;
const DROP = 0x1a;
/** One character a byte. */
const decoder = /* @__PURE__ */ new TextDecoder("latin1");

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
    const key = `${f.parameters.length}:${decoder.decode(f.body)}`;
    const index = known.get(key) ?? add(f);
    known.set(key, index);
    return index;
  };
  const callers = tasks.map((task): number => {
    const f = new FunctionWriter([I32], [I32]);
    if ("host" in task) return add(f.i32(task.host).call(0).i32(0));
    const index = codeFunction(task.code);
    for (const place of task.places) f.get(0).memory(LOAD_I32, 2, 4 * place);
    f.call(index);
    if (!task.refuses) return add(f.i32(0));
    f.i32(REFUSED).memory(LOAD_I32, 2, 0);
    return add(f.i32(REFUSED).i32(0).memory(STORE_I32, 2, 0));
  });
  const run = new FunctionWriter([I32], [I32]);
  for (const [i, caller] of callers.entries()) {
    run.get(0).call(caller);
    const task = tasks[i];
    if ("refuses" in task && task.refuses) run.when(() => run.i32(i).emit(RETURN));
    else run.emit(DROP);
  }
  run.i32(tasks.length);
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
  const functions = exports as Record<string, RunTask>;
  const { length } = Object.keys(functions);
  const tasks = Array.from({ length: length - 1 }, (_, i) => functions[`t${i}`]);
  return { run: functions.run, tasks };
}
