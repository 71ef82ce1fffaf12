import { FunctionWriter, I32 } from "./assembler.ts";
import { writeBlocks } from "./blocks.ts";
import { type GroupCode, ownBytes, REFUSED } from "./group-code.ts";
import { ADD, LOAD_I32, MULTIPLY, STORE_I32 } from "./instructions.ts";
import { assembleModule } from "./module.ts";

/** One group: code and where the addresses that it is given stand in a table, or a call of the host. */
export type ModuleTask =
  | {
      readonly code: GroupCode;
      readonly places: readonly number[];
      /** Whether it may refuse values. */
      readonly refuses: boolean;
    }
  | "host";

/** Runs one task of a module from the address of the table; gives 0, or 1 where it refuses a value. */
type RunTask = (table: number) => number;

/** What a module gives. */
export interface ModuleExports {
  /** Runs all tasks in order; gives their count, or the number of one that refused a value. */
  run(table: number): number;
  readonly tasks: readonly RunTask[];
  /** Computes a thread's share of a task that is shared out, in memory of the thread's own. */
  readonly parts: readonly (RunPart | undefined)[];
}

/** Computes units of a task, from one up to another. */
type RunPart = (table: number, from: number, to: number, thread: number) => void;

const RETURN = 0x0f;
const DROP = 0x1a;
/** In so many parts one thread computes a task that takes long: see `ALONE`. */
const PARTS = 16;
/** One character a byte. */
const decoder = /* @__PURE__ */ new TextDecoder("latin1");

/**
 * Makes a module of a plan's tasks. Groups that differ in nothing but addresses share a function;
 * addresses are read from a table, so that a run on the same memory has nothing to do before it. The
 * host is called for what has no code, and to share out what threads share.
 *
 * @param isShared whether threads share the memory.
 */
export function moduleOf(tasks: readonly ModuleTask[], isShared = false): Uint8Array<ArrayBuffer> {
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
  const exports: [name: string, index: number][] = [];
  const callers = tasks.map((task, i): number => {
    const f = new FunctionWriter([I32], [I32]);
    const callHost = () => add(f.i32(i).call(0).i32(0));
    if (task === "host") return callHost();
    const { code, places, refuses } = task;
    const index = codeFunction(code);
    const g = code.units ? new FunctionWriter([I32, I32, I32, I32]) : f;
    for (const place of places) g.get(0).memory(LOAD_I32, 2, 4 * place);
    if (code.units) {
      g.get(3).i32(ownBytes(code)).emit(MULTIPLY, ADD).get(1).get(2).call(index);
      const part = add(g);
      exports.push([`p${i}`, part]);
      if (isShared) return callHost();
      const [from, size] = [f.local(I32), code.units];
      const body = (count: number) => {
        f.get(0).get(from).get(from).i32(count).emit(ADD).i32(0).call(part);
      };
      writeBlocks(f, { counter: from, step: Math.ceil(size / PARTS), size, body });
      return add(f.i32(0));
    }
    f.call(index);
    if (!refuses) return add(f.i32(0));
    f.i32(REFUSED).memory(LOAD_I32, 2, 0);
    return add(f.i32(REFUSED).i32(0).memory(STORE_I32, 2, 0));
  });
  const run = new FunctionWriter([I32], [I32]);
  for (const [i, caller] of callers.entries()) {
    run.get(0).call(caller);
    const task = tasks[i];
    if (task !== "host" && task.refuses) run.when(() => run.i32(i).emit(RETURN));
    else run.emit(DROP);
  }
  run.i32(tasks.length);
  exports.push(["run", add(run)]);
  callers.forEach((caller, i) => {
    exports.push([`t${i}`, caller]);
  });
  return assembleModule([host], functions, exports, isShared);
}

/** What a module is given: the memory on which it works, and what does the tasks that it calls for. */
export function importsOf(memory: WebAssembly.Memory, host: (task: number) => void) {
  return { e: { m: memory, h: host } };
}

/** The functions of a module of so many tasks that has been started. */
export function exportsOf({ exports }: WebAssembly.Instance, count: number): ModuleExports {
  const functions = exports as Record<string, (...numbers: number[]) => number>;
  const all = (name: string) => Array.from({ length: count }, (_, i) => functions[`${name}${i}`]);
  return { run: functions.run, tasks: all("t"), parts: all("p") };
}

/** What a module would give whose host computes all of its tasks. */
export function hostExports(tasks: readonly (() => void)[]): ModuleExports {
  return {
    run: () => {
      for (const task of tasks) task();
      return tasks.length;
    },
    tasks: tasks.map((task) => () => {
      task();
      return 0;
    }),
    parts: [],
  };
}
