import { DeviceError, GradusError } from "../core/errors.ts";
import type { Storage } from "../graph/backend.ts";
import { Node, nextNodeId } from "../graph/node.ts";
import { type State, stateOf } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { traceFunction } from "../graph/tracing.ts";
import { Device } from "./device.ts";
import type { Plan, Progress } from "./plan.ts";
import type { Profile } from "./profile.ts";
import { inputsOf, trace } from "./program.ts";
import { replaceTensors } from "./signature.ts";

/** Options of `compile`. */
export interface CompileOptions {
  /** Told how many pipelines have been built, each time that a plan is made. */
  onProgress?: Progress;
  /** How many calls share a submit; as many as take 2 to 8 ms when left out. */
  stepsPerSubmit?: number;
}

/** Where a plan's source comes from in each run. */
type Source =
  | { readonly kind: "argument"; readonly index: number }
  | { readonly kind: "state"; readonly state: State }
  | { readonly kind: "constant"; readonly node: Node };

/** A compiled function for one signature: traced when it is made, replayed by each run. */
export class Replay<Args extends readonly unknown[], R> {
  readonly device: Device;
  readonly plan: Plan;
  /** Settles when the plan is built; null afterwards. */
  ready: Promise<void> | null;
  readonly #sources: readonly Source[];
  readonly #storages: Storage[] = [];
  readonly #assigned: readonly State[];
  readonly #outputs: readonly Node[];
  readonly #result: R;

  constructor(
    fn: (...args: Args) => R,
    args: Args,
    tensors: readonly Tensor[],
    { onProgress, stepsPerSubmit }: CompileOptions,
  ) {
    const start = nextNodeId();
    const places = tensors.map(({ device, shape, dtype }) => {
      return new Tensor(new Node(device, shape, dtype, null, [], {}));
    });
    let next = 0;
    const given = replaceTensors(args, () => places[next++]);
    const { result, assignments } = traceFunction<State, { value: R; nodes: Node[] }>(() => {
      const value = fn(...given);
      return { value, nodes: nodesOf(value) };
    });
    const parameters = new Set(places.map((x) => x.node));
    const roots = [...result.nodes, ...assignments.flatMap((a) => [a.original, a.value])];
    this.device = deviceOf(roots, parameters);
    this.device.evaluate(madeBefore(roots, start), "compile");
    const { program, sources } = trace(result.nodes, "compile", {
      parameters,
      replacements: assignments,
    });
    const arguments_ = [...parameters];
    this.#sources = sources.map((node) => sourceOf(node, arguments_));
    this.#assigned = assignments.map(({ state }) => state);
    this.#outputs = result.nodes;
    this.#result = result.value;
    this.plan = this.device.plan(program, stepsPerSubmit);
    this.ready = this.plan.prepare(onProgress).then(() => {
      this.ready = null;
    });
  }

  /** Runs the plan once on tensors in place of those in the arguments. */
  run(tensors: readonly Tensor[]): R {
    return this.device.together(() => {
      this.#place(tensors);
      return this.#settle(this.plan.run(this.#storages));
    });
  }

  /** Runs the plan once, and takes the time of each kernel. */
  async profile(tensors: readonly Tensor[]): Promise<Profile> {
    this.#place(tensors);
    const { outputs, profile } = await this.plan.profile(this.#storages);
    mapResult(this.#settle(outputs), (tensor) => {
      tensor.dispose();
      return tensor;
    });
    return profile;
  }

  #place(tensors: readonly Tensor[]): void {
    this.device.begin("compile");
    const nodes = this.#sources.map((source) => nodeOf(source, tensors));
    // Values on the host are uploaded, lazy ones computed; those that were freed say so.
    if (nodes.some(({ storage }) => !storage)) this.device.evaluate(nodes, "compile");
    nodes.forEach(({ storage }, i) => {
      this.#storages[i] = storage as Storage;
    });
  }

  /** Lets states and results have what a run has made. */
  #settle(storages: readonly Storage[]): R {
    const { device } = this;
    for (const state of this.#assigned) state.advance();
    if (storages.length === 0) return this.#result;
    let next = 0;
    return mapResult(this.#result, () => {
      const { shape, dtype } = this.#outputs[next];
      const node = new Node(device, shape, dtype, null, [], {});
      device.settle(node, storages[next++]);
      return new Tensor(node);
    });
  }
}

function nodeOf(source: Source, tensors: readonly Tensor[]): Node {
  if (source.kind === "argument") return tensors[source.index].node;
  return source.kind === "state" ? source.state.place : source.node;
}

function sourceOf(node: Node, parameters: readonly Node[]): Source {
  const index = parameters.indexOf(node);
  if (index >= 0) return { kind: "argument", index };
  const state = stateOf(node);
  return state?.place === node ? { kind: "state", state } : { kind: "constant", node };
}

/** The nodes of the tensors in a result, states among them. */
function nodesOf(result: unknown): Node[] {
  const nodes: Node[] = [];
  mapResult(result, (tensor) => {
    nodes.push(tensor.node);
    return tensor;
  });
  return nodes;
}

/** Rebuilds a result of tensors in arrays and objects, or of nothing. */
function mapResult<R>(result: R, next: (tensor: Tensor) => Tensor): R {
  if (result instanceof Promise) {
    result.catch(() => {}); // what went wrong in it follows from being called here
    throw new GradusError("compile: fn returned a promise; expected a synchronous function");
  }
  const visit = (value: unknown): unknown => {
    if (value instanceof Tensor) return next(value);
    if (Array.isArray(value)) return value.map(visit);
    if (typeof value !== "object" || value === null) return value;
    return Object.fromEntries(Object.entries(value).map(([name, item]) => [name, visit(item)]));
  };
  return visit(result) as R;
}

function deviceOf(roots: readonly Node[], parameters: ReadonlySet<Node>): Device {
  const devices = new Set([...roots, ...parameters].map(({ device }) => device));
  const [device] = devices;
  if (devices.size !== 1 || !(device instanceof Device)) {
    throw new DeviceError(
      `compile: tensors and states on ${devices.size} devices; expected all on one`,
    );
  }
  return device;
}

/** Values that a trace uses, which were made before it and are not there yet. */
function madeBefore(roots: readonly Node[], start: number): Node[] {
  const found = new Set<Node>();
  const seen = new Set<Node>();
  const stack = [...roots];
  for (let node = stack.pop(); node; node = stack.pop()) {
    if (seen.has(node) || node.ready) continue;
    seen.add(node);
    if (node.id < start && node.op) found.add(node);
    else stack.push(...inputsOf(node));
  }
  return [...found];
}
