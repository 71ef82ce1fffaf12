import { checkEach, checkOptions, checkSurplus, type Known } from "../core/check.ts";
import type { NumericArray } from "../core/dtype.ts";
import { DeviceError, DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { type Device, namesOf, type StateChange } from "./device.ts";
import { identity } from "./identity.ts";
import { Node } from "./node.ts";
import { checkTensors, Tensor } from "./tensor.ts";
import { isTracing, traceAssignment, tracePurpose } from "./tracing.ts";

/** Options of a `State` or `Parameter`. */
export interface StateOptions {
  /** How messages and files call it, for example `hidden.weight`. */
  name?: string;
  /** How files of PyTorch hold it, where that differs; null where they do not. */
  pytorch?: PyTorchForm | null;
}

/** How a state lies in files of PyTorch. */
export interface PyTorchForm {
  /** The last part of its name there; its own when left out. */
  readonly name?: string;
  /** Axis i of the file's tensor is the state's axis `axes[i]`; as here when left out. */
  readonly axes?: readonly number[];
  /** Whether files may lack it, and it stays as it is then; false when left out. */
  readonly optional?: boolean;
}

const STATE: Known<StateOptions> = { name: "string", pytorch: true };

/**
 * The only kind of tensor that can be assigned: weights, optimizer slots, counters.
 * It takes over the memory of the initial value, which may be disposed after and gives the state's
 * value until that changes. Another state given as initial value is copied.
 */
export class State extends Tensor {
  name: string;
  /** How files of PyTorch hold it, where that differs; null where they do not. */
  readonly pytorch: PyTorchForm | null | undefined;
  /** How often it has been assigned. */
  version = 0;
  /** Evaluated nodes that keep their graph while this version lives. */
  #followers: Followers[] = [];
  #followerLimit = 64;
  /** Whether something was built on the present value. */
  #used = false;

  constructor(initial: Tensor, options: StateOptions = {}, ...surplus: never[]) {
    checkOptions("State", options, STATE, surplus);
    checkTensors("State", [initial]);
    super(adopt(initial));
    this.name = options.name ?? "state";
    this.pytorch = options.pytorch;
    this.current.owner = this;
    this.device.register(this);
  }

  override use(): Node {
    this.device.catchUp(this.node);
    this.#used = true;
    return this.node;
  }

  /** Points at another node and gives the one before: for traces only. */
  point(node: Node): Node {
    const before = this.current;
    this.current = node;
    node.owner = this;
    return before;
  }

  /** Replaces the value; everything built on the old one and not evaluated yet becomes an error. */
  assign(value: Tensor, ...surplus: never[]): void {
    checkSurplus("assign(value)", surplus);
    assignAll([[this, value]]);
  }

  /** Remembers evaluated nodes whose graph is to be cut when the state is assigned. */
  follow(nodes: Followers): void {
    if (this.#followers.length >= this.#followerLimit) {
      this.#followers = this.#followers.filter((others) => others.isThere);
      this.#followerLimit = Math.max(64, this.#followers.length * 2);
    }
    this.#followers.push(nodes);
  }

  /** Takes an evaluated node's storage as the new value; the node gives the state's from then on. */
  replace(value: Node): void {
    const next = this.#nextNode(value);
    value.become(identity, [next]);
    this.#turn(next);
  }

  /** Goes on with another node's values, on whatever device. */
  move(next: Node): void {
    this.#turn(next);
    this.device.register(this);
  }

  /** Says that the values in its memory have been replaced, as a compiled step does. */
  advance(): void {
    if (this.#used) this.#turn(this.#nextNode(this.current));
    else this.version++;
    this.current.lineage = null;
  }

  /** Copies values from the host into its memory; into other memory where a failure spoiled that. */
  write(values: NumericArray): void {
    const { storage } = this.current;
    if (storage && !storage.failure) {
      this.device.overwrite(storage, values, this.dtype);
      this.advance();
      this.current.lineage = values;
    } else {
      const next = this.#nextNode();
      next.host = values.slice();
      this.#turn(next);
    }
  }

  /** Makes its value an error to whoever needs it, until it is assigned. */
  spoil(failure: GradusError): void {
    const { storage } = this.current;
    if (storage) storage.failure ??= failure;
    else this.current.retire(`"${this.name}", which could not be assigned; assign it anew`);
  }

  /** The node of the next version, with the storage of another one if it is to have that. */
  #nextNode(from?: Node): Node {
    const next = new Node(this.device, this.shape, this.dtype, null, undefined, undefined, true);
    from?.passTo(next);
    return next;
  }

  /** Goes on to the next version: what was built on this one and not evaluated is an error. */
  #turn(next: Node): void {
    for (const nodes of this.#followers) nodes.cut();
    this.#followers = [];
    const old = this.current;
    this.current = next;
    this.#used = false;
    this.version++;
    old.owner = null;
    next.owner = this;
    old.retire(new Outdated(this.name, this.version));
  }
}

/** Says that a value was that of a state, which has gone on; written when somebody asks for it. */
class Outdated {
  constructor(
    readonly name: string,
    readonly version: number,
  ) {}

  toString(): string {
    return `"${this.name}" as it was before step ${this.version}; evaluate it first`;
  }
}

/** Nodes that were evaluated together, of the same states: cut when the first of these is assigned. */
export class Followers {
  #nodes: readonly WeakRef<Node>[];

  constructor(nodes: readonly Node[]) {
    this.#nodes = nodes.map((node) => new WeakRef(node));
  }

  /** Whether any of them is there with its values. */
  get isThere(): boolean {
    return this.#nodes.some((ref) => ref.deref()?.ready);
  }

  cut(): void {
    for (const ref of this.#nodes) {
      const node = ref.deref();
      if (node?.ready) node.cut();
    }
    this.#nodes = [];
  }
}

/** A `State` that training changes: `Module`s collect them and optimizers update them. */
export class Parameter extends State {
  /** Whether modules list it among their parameters; `Module.freeze` clears it. */
  trainable = true;

  constructor(initial: Tensor, options: StateOptions = {}, ...surplus: never[]) {
    checkOptions("Parameter", options, STATE, surplus);
    checkTensors("Parameter", [initial]);
    super(initial, { ...options, name: options.name ?? "parameter" });
  }
}

/** Finds the state whose present value a node is. */
export function stateOf(node: Node): State | undefined {
  return (node.owner as State | null) ?? undefined;
}

/** A node with the initial value; another state's is copied, a tensor's is taken over. */
function adopt(initial: Tensor): Node {
  if (isTracing()) {
    throw new GradusError(
      `state: made in a function that is being ${tracePurpose ?? "compiled"}; expected states made before it runs`,
    );
  }
  const { device, shape, dtype } = initial;
  const given = initial.use();
  device.catchUp(given, true); // calls that wait are given it as it is
  const from = stateOf(given) ? new Node(device, shape, dtype, identity, [given], {}) : given;
  if (!from.ready) device.evaluate([from], "state");
  const node = new Node(device, shape, dtype, null, undefined, undefined, true);
  node.host = from.host;
  node.lineage = from.lineage ?? device.journal?.trail(from) ?? null;
  if (from.storage) {
    from.passTo(node);
    from.become(identity, [node]);
  }
  return node;
}

/**
 * Assigns several states at once, as an optimizer's step does: every new value is computed from the
 * old ones, together with `also` (say, the loss), in one plan.
 */
export function assignAll(
  pairs: readonly (readonly [State, Tensor])[],
  also: readonly Tensor[] = [],
  ...surplus: never[]
): void {
  checkSurplus("assignAll([[state, value], …], also)", surplus);
  checkEach("assignAll", { pairs, also }, Array.isArray, "an array");
  checkPairs(pairs);
  checkTensors("assign", [...pairs.flat(), ...also]);
  if (pairs.length === 0) return;
  const device = pairs[0][0].device;
  for (const [state, value] of pairs) checkAssignable(state, value, device);
  const once = new Set<State>();
  const repeated = pairs.find(([state]) => once.size === once.add(state).size);
  if (repeated) {
    throw new GradusError(`assign: "${repeated[0].name}" is given twice; expected each state once`);
  }
  if (isTracing()) {
    assignTraced(pairs);
    return;
  }
  for (const [state] of pairs) device.catchUp(state.node, true);
  const taken = new Set<Node>();
  const changes = pairs.map(([state, value]): PlannedChange => {
    const node = value.use();
    device.catchUp(node, true);
    const host = state.node.storage && node.host;
    return { state, host, node: host ? node : takenNode(state, node, taken) };
  });
  const noted = device.journal?.note(changes);
  const computed = changes.filter(({ host }) => !host);
  const nodes = computed.map(({ node }) => node);
  device.evaluate([...nodes, ...also.map((x) => x.use())], "assign", true);
  for (const x of also) x.node.cut();
  for (const { state, node } of computed) state.replace(node);
  const states = changes.map(({ state }) => state);
  allOrNone(states, () => {
    for (const { state, host } of changes) if (host) state.write(host);
  });
  noted?.();
}

/** What becomes of a state. */
interface PlannedChange extends StateChange {
  /**
   * Values on the host that are written to its memory; they are uploaded, and no longer on the host,
   * where another formula reads them.
   */
  readonly host: NumericArray | null;
}

/**
 * Assigns states by `fn`; where a device fails half-way, the values of all are that error. Other
 * errors are refusals, which come before anything is assigned.
 */
export function allOrNone(states: Iterable<State>, fn: () => void): void {
  try {
    fn();
  } catch (error) {
    if (error instanceof DeviceError) for (const state of states) state.spoil(error);
    throw error;
  }
}

/** New values for the rest of a trace: all are computed from the old ones. */
function assignTraced(pairs: readonly (readonly [State, Tensor])[]): void {
  const nodes = pairs.map(([{ device, shape, dtype }, value]) => {
    return new Node(device, shape, dtype, identity, [value.use()], {}, true);
  });
  for (const [i, [state]] of pairs.entries()) traceAssignment(state, nodes[i]);
}

/** Throws a `GradusError` unless these are pairs that begin with states. */
function checkPairs(pairs: readonly unknown[]): void {
  const isPair = (x: unknown) => Array.isArray(x) && x[0] instanceof State;
  const i = pairs.findIndex((pair) => !isPair(pair));
  if (i >= 0) checkEach("assignAll", { [`pair ${i}`]: pairs[i] }, isPair, "[State, value]");
}

function checkAssignable(state: State, value: Tensor, device: Device): void {
  if (value.device !== state.device || state.device !== device) {
    const isValue = value.device !== state.device;
    const [own, its] = namesOf([state.device, isValue ? value.device : device]);
    const what = isValue ? "the value" : "another state";
    throw new DeviceError(
      `assign: "${state.name}" lives on ${own}, ${what} on ${its}; expected one device`,
    );
  }
  if (!sameShape(value.shape, state.shape)) {
    throw new ShapeError(
      `assign: "${state.name}" has shape ${formatShape(state.shape)}, the value ` +
        `${formatShape(value.shape)}; expected the same shape`,
    );
  }
  if (value.dtype !== state.dtype) {
    throw new DTypeError(
      `assign: "${state.name}" has dtype ${state.dtype}, the value ${value.dtype}; ` +
        "expected the same dtype. cast the value",
    );
  }
}

/** The node whose storage the state takes: the value's own, or a copy if others need it to stay. */
function takenNode(state: State, value: Node, taken: Set<Node>): Node {
  const stays = value.ready || taken.has(value);
  taken.add(value);
  if (!stays) return value;
  return new Node(state.device, state.shape, state.dtype, identity, [value], {});
}
