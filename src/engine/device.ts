import type { DType, NumericArray } from "../core/dtype.ts";
import { GradusError, MemoryError } from "../core/errors.ts";
import { asMemoryError, inMemory } from "../core/host-memory.ts";
import { sizeOf } from "../core/shape.ts";
import type { Backend, DeviceLoss, Storage } from "../graph/backend.ts";
import { type Node, reclaimedCount } from "../graph/node.ts";
import { stateOf } from "../graph/state.ts";
import { isTracing } from "../graph/tracing.ts";
import { watch } from "../graph/watch.ts";
import { Counters } from "./counters.ts";
import type { Plan, PlanOptions } from "./plan.ts";
import { type Program, trace } from "./program.ts";
import { simplify } from "./simplify.ts";

/** What is alive on a device. */
export interface MemoryInfo {
  /** Tensors and states whose values are held. */
  readonly tensors: number;
  /** Buffers, spare ones in the pool included. */
  readonly buffers: number;
  /** Bytes of all buffers. */
  readonly bytes: number;
  /** Plans kept for evaluations; those of compiled functions are in their `plans`. */
  readonly plans: number;
  /** Pipelines of all plans; 0 on the CPU. */
  readonly pipelines: number;
  /** Values that nobody freed and the garbage collector found. */
  readonly reclaimed: number;
}

/** Values to be copied to the host. */
export interface Download {
  readonly storage: Storage;
  readonly dtype: DType;
  readonly size: number;
}

/** How many plans a device keeps; the longest unused one goes first. */
const PLAN_LIMIT = 256;

let devices = 0;

/** A place where graphs are evaluated: plans are cached by the graph's structure. */
export abstract class Device implements Backend {
  abstract readonly kind: "cpu" | "webgpu";
  /** Names the hardware, for people. */
  abstract readonly description: string;
  abstract readonly dtypes: ReadonlySet<DType>;
  /** Settles when the device is lost or disposed. */
  abstract readonly lost: Promise<DeviceLoss>;
  /** What the device was asked to do so far. */
  readonly counters = new Counters();
  readonly number = ++devices;
  readonly #plans = new Map<string, Plan>();
  #tensors = 0;

  /** Makes a program ready to run. */
  protected abstract compile(program: Program, options: PlanOptions): Plan;
  /** Copies values from the host. */
  protected abstract upload(values: NumericArray, dtype: DType): Storage;
  /** Copies values from the host over others, behind all work enqueued before. */
  protected abstract overwrite(storage: Storage, values: NumericArray, dtype: DType): void;
  /** Copies values to the host, all of one moment. */
  protected abstract download(wanted: readonly Download[]): Promise<NumericArray[]>;
  /** Takes storage back. */
  protected abstract free(storage: Storage): void;
  /** Counts buffers, bytes and pipelines. */
  protected abstract usage(): Pick<MemoryInfo, "buffers" | "bytes" | "pipelines">;
  /** Throws a `DeviceError` when the device was lost or disposed. */
  abstract check(op: string): void;
  /** Waits until the device is no longer far behind; undefined when it is not. */
  abstract room(): Promise<void> | undefined;
  /** Frees everything; later calls throw a `DeviceError`. */
  abstract dispose(): void;

  memory(): MemoryInfo {
    const plans = this.#plans.size;
    return { tensors: this.#tensors, ...this.usage(), plans, reclaimed: reclaimedCount() };
  }

  /** Begins what the user called; throws a `DeviceError` when the device was lost or disposed. */
  begin(op: string): void {
    this.check(op);
  }

  /** Runs a function whose evaluations may share a submit with what it runs last. */
  together<T>(fn: () => T): T {
    return fn();
  }

  /** Makes a plan that is going to run many times. */
  plan(program: Program, stepsPerSubmit?: number): Plan {
    return this.compile(simplify(program), { repeated: true, stepsPerSubmit });
  }

  evaluate(nodes: readonly Node[], op = "evaluate"): void {
    if (isTracing()) return; // what a traced function wants evaluated, its plan computes
    this.#evaluate(nodes, op);
  }

  /** Evaluates nodes; `undo` is given what makes one that failed as it was before. */
  #evaluate(nodes: readonly Node[], op: string, undo?: (() => void)[]): void {
    this.begin(op);
    for (const node of nodes) this.provide(node, op, undo);
    const wanted = [...new Set(nodes)].filter((node) => !node.ready);
    this.sound(nodes, op);
    if (wanted.length === 0) return;
    const check = watch?.evaluation(op, wanted);
    const { program, sources, key } = trace(wanted, op);
    const plan = this.#plan(key, program);
    for (const x of sources) this.provide(x, op, undo);
    this.sound(sources, op);
    const storages = inMemory(op, () => plan.run(sources.map((x) => x.storage as Storage)));
    const refs = sources.map((x) => stateOf(x)).filter((state) => state !== undefined);
    wanted.forEach((node, i) => {
      const { op, inputs, vjp } = node;
      undo?.push(() => {
        if (node.storage === storages[i]) this.#revert(node, { op, inputs, vjp });
      });
      this.settle(node, storages[i]);
      if (!node.tracked) node.cut();
      else for (const state of refs) state.follow(node);
    });
    check?.();
  }

  /** Makes a node whose value failed what it was without it. */
  #revert(node: Node, before: Partial<Node>): void {
    const { storage } = node;
    if (!storage?.failure) return;
    node.surrender();
    this.release(storage);
    Object.assign(node, before);
  }

  async read(node: Node, op = "read"): Promise<NumericArray> {
    return (await this.readAll([node], op))[0];
  }

  async readAll(nodes: readonly Node[], op = "read"): Promise<NumericArray[]> {
    if (isTracing()) {
      throw new GradusError(
        `${op}: called in a function that is being compiled; expected no reads there. ` +
          "Return the tensor and read it outside",
      );
    }
    let failure: MemoryError | null = null;
    for (;;) {
      const undo: (() => void)[] = [];
      try {
        return await this.#read(nodes, op, undo);
      } catch (thrown) {
        const error = asMemoryError(op, thrown);
        if (error instanceof MemoryError) for (const revert of undo) revert();
        if (failure || !(error instanceof MemoryError)) throw failure ?? error;
        failure = error; // what was spare has been freed: a second try may find room
      }
    }
  }

  async #read(nodes: readonly Node[], op: string, undo: (() => void)[]): Promise<NumericArray[]> {
    this.check(op);
    const hosts = nodes.map(({ host }) => host?.slice());
    const wanted = nodes.filter((_, i) => !hosts[i]);
    if (wanted.length === 0) return hosts as NumericArray[];
    this.counters.add("reads");
    this.#evaluate(wanted, op, undo);
    const downloads = wanted.map(({ storage, dtype, shape }) => {
      return { storage: storage as Storage, dtype, size: sizeOf(shape) };
    });
    const values = (await this.download(downloads)).values();
    await watch?.settled(nodes);
    return hosts.map((host) => host ?? (values.next().value as NumericArray));
  }

  write(storage: Storage, values: NumericArray, dtype: DType): void {
    this.begin("write");
    this.counters.add("writes");
    this.overwrite(storage, values, dtype);
  }

  release(storage: Storage): void {
    this.#tensors--;
    this.free(storage);
  }

  /** Brings values that are on the host to the device. */
  provide(node: Node, op = "tensor", undo?: (() => void)[]): void {
    const { host } = node;
    if (!host) return;
    this.counters.add("writes");
    this.settle(
      node,
      inMemory(op, () => this.upload(host, node.dtype)),
    );
    undo?.push(() => this.#revert(node, { host }));
  }

  /** Throws why the values of a node are not what they should be; what was lost on its way is sent again. */
  sound(nodes: readonly Node[], op: string): void {
    for (const node of nodes) {
      const { failure = null, source } = node.storage ?? {};
      if (!failure) continue;
      if (!source || stateOf(node)) throw failure;
      this.#revert(node, { host: source });
      this.provide(node, op);
    }
  }

  /** Gives a node its values. */
  settle(node: Node, storage: Storage): void {
    this.#tensors++;
    node.hold(storage);
  }

  #plan(key: string, program: Program): Plan {
    let plan = this.#plans.get(key);
    if (plan) this.#plans.delete(key);
    else plan = this.compile(simplify(program), { repeated: false });
    this.#plans.set(key, plan);
    if (this.#plans.size > PLAN_LIMIT) this.#forgetPlan(this.#plans.keys().next().value as string);
    return plan;
  }

  #forgetPlan(key: string): void {
    this.#plans.get(key)?.dispose();
    this.#plans.delete(key);
  }
}
