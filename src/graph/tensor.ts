import { firstValues, MAKE_TENSOR, ON_CPU } from "../core/advice.ts";
import { checkSurplus, describeValue, didYouMean } from "../core/check.ts";
import { describeStranger, TENSOR_MARK, VERSION } from "../core/copies.ts";
import { dispose } from "../core/dispose.ts";
import { DTYPES, type DType, isDType, isHalf, type NumericArray } from "../core/dtype.ts";
import { DeviceError, DisposedError, DTypeError, GradusError, ShapeError } from "../core/errors.ts";
import { getOrInsert } from "../core/get-or-insert.ts";
import { formatShape, type Shape, sizeOf } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { type Tools, tools } from "../core/tools.ts";
import { checkDevice } from "./default-device.ts";
import { type Device, namesOf } from "./device.ts";
import { type NestedArray, nest } from "./nested.ts";
import { Node } from "./node.ts";
import type { Attributes, OpDefinition } from "./op.ts";
import { isTracing } from "./tracing.ts";
import { watch } from "./watch.ts";

/** The ops that tensors have as methods; `init` supplies them, so that this layer needs no op. */
export interface TensorMethods {
  neg(x: Tensor, ...surplus: never[]): Tensor;
  add(a: Tensor, b: Tensor | number, ...surplus: never[]): Tensor;
  sub(a: Tensor, b: Tensor | number, ...surplus: never[]): Tensor;
  mul(a: Tensor, b: Tensor | number, ...surplus: never[]): Tensor;
  div(a: Tensor, b: Tensor | number, ...surplus: never[]): Tensor;
  matmul(a: Tensor, b: Tensor, ...surplus: never[]): Tensor;
  sum(x: Tensor, options?: ReduceOptions, ...surplus: never[]): Tensor;
  mean(x: Tensor, options?: ReduceOptions, ...surplus: never[]): Tensor;
  reshape(x: Tensor, shape: Shape, ...surplus: never[]): Tensor;
  transpose(x: Tensor, ...axes: Axes | readonly []): Tensor;
}

/** Functions that take a tensor first, by their names. */
export type MethodTable = Readonly<Record<string, (x: Tensor, ...rest: never[]) => unknown>>;

/** Axes one by one or in an array. */
export type Axes = readonly number[] | readonly [readonly number[]];

/** Which axes a reduction runs over (all when left out) and whether they stay with size 1. */
export interface ReduceOptions {
  axis?: number | readonly number[];
  keepDims?: boolean;
}

/** Makes methods of ops. */
export function provideMethods(table: MethodTable): void {
  for (const [name, op] of Object.entries(table)) {
    Object.defineProperty(Tensor.prototype, name, {
      configurable: true,
      writable: true,
      value(this: Tensor, ...rest: unknown[]) {
        return op(this, ...(rest as never[]));
      },
    });
  }
}

const observers: ((tensor: Tensor) => void)[] = [];

/** Tells the innermost observer of a tensor, and gives it. */
export function announce(tensor: Tensor): Tensor {
  observers.at(-1)?.(tensor);
  return tensor;
}

/** Runs `fn` and tells `observe` of each tensor created meanwhile, unless an observer inside does. */
export function observeCreation<T>(observe: (tensor: Tensor) => void, fn: () => T): T {
  observers.push(observe);
  try {
    return fn();
  } finally {
    observers.pop();
  }
}

/**
 * Loads what moves values, and tells it whether it is for a function that is being compiled.
 * @internal
 */
export async function loadMove(): Promise<ReturnType<Tools["beginMove"]>> {
  const isTraced = isTracing();
  return (await tools.get()).beginMove(isTraced);
}

/** Under this name Node looks for what its console shows. */
const INSPECT: unique symbol = Symbol.for("nodejs.util.inspect.custom");

/**
 * An immutable array of numbers with a shape, a dtype and a device, computed when it is read.
 * Building one never touches the device. Free it with `using`, `dispose()` or `scope`.
 */
export class Tensor {
  /** The value's place in the graph; replaced only in a `State`. */
  protected current: Node;
  #disposed = false;

  // `init` provides these: graph/ knows no ops.
  /** `neg(this)` */
  declare neg: (...surplus: never[]) => Tensor;
  /** `add(this, b)` */
  declare add: (b: Tensor | number, ...surplus: never[]) => Tensor;
  /** `sub(this, b)` */
  declare sub: (b: Tensor | number, ...surplus: never[]) => Tensor;
  /** `mul(this, b)` */
  declare mul: (b: Tensor | number, ...surplus: never[]) => Tensor;
  /** `div(this, b)` */
  declare div: (b: Tensor | number, ...surplus: never[]) => Tensor;
  /** `matmul(this, b)` */
  declare matmul: (b: Tensor, ...surplus: never[]) => Tensor;
  /** `sum(this, options)` */
  declare sum: (options?: ReduceOptions, ...surplus: never[]) => Tensor;
  /** `mean(this, options)` */
  declare mean: (options?: ReduceOptions, ...surplus: never[]) => Tensor;
  /** `reshape(this, shape)` */
  declare reshape: (shape: Shape, ...surplus: never[]) => Tensor;
  /** `transpose(this, ...axes)` */
  declare transpose: (...axes: Axes | readonly []) => Tensor;

  /** Wraps a node; use `tensor`, `zeros` or an op instead. */
  constructor(node: Node) {
    this.current = node;
  }

  /** The value's place in the graph. Throws a `DisposedError` after `dispose()`. */
  get node(): Node {
    if (this.#disposed) {
      throw new DisposedError(
        `tensor: ${formatShape(this.current.shape)} was disposed; expected a live tensor`,
      );
    }
    return this.current;
  }

  /** Gives the node to who builds on it or reads it, so that a state lets it keep its value. */
  use(): Node {
    return this.node;
  }

  /** @internal */
  get [TENSOR_MARK](): string {
    return VERSION;
  }

  /** The lengths of the axes, `[]` of a scalar. */
  get shape(): Shape {
    return this.current.shape;
  }
  /** What the elements are: "f32" where nothing else was asked for. */
  get dtype(): DType {
    return this.current.dtype;
  }
  /** Where the values are, or will be computed. */
  get device(): Device {
    return this.current.device;
  }
  /** The number of axes. */
  get rank(): number {
    return this.shape.length;
  }
  /** The number of elements. */
  get size(): number {
    return sizeOf(this.shape);
  }
  /** Whether `dispose()` was called; nothing can be built on it or read from it then. */
  get disposed(): boolean {
    return this.#disposed;
  }

  /**
   * Reads the values row-major into a new typed array; `bool` comes as 0 and 1, `f16` as a `Float32Array`.
   */
  async data(...surplus: never[]): Promise<NumericArray> {
    checkSurplus("data()", surplus);
    return (await readAll("data", [this]))[0];
  }

  /** Reads the values as nested arrays of numbers, a bare number for a scalar. */
  async toArray(...surplus: never[]): Promise<NestedArray> {
    checkSurplus("toArray()", surplus);
    return nest((await readAll("toArray", [this]))[0], this.shape);
  }

  /** Reads the one value of a tensor of size 1. */
  async item(...surplus: never[]): Promise<number> {
    checkSurplus("item()", surplus);
    if (this.size !== 1) {
      throw new ShapeError(`item: shape ${formatShape(this.shape)}; expected a tensor of size 1`);
    }
    return (await readAll("item", [this]))[0][0];
  }

  /**
   * Copies the values to another device, without the graph: no gradient reaches this tensor from
   * there. On the device where they are, it gives the tensor itself, as PyTorch does.
   * @throws DTypeError for a dtype that the device lacks; GradusError in a compiled function.
   * @example
   * const { device: cpu } = await init({ device: "cpu", isolated: true });
   * const y = await tensor([1, 2]).to(cpu);
   * await add(y, 1).toArray(); // [2, 3]
   */
  async to(device: Device, ...surplus: never[]): Promise<Tensor> {
    return (await loadMove()).copyTo(this, device, surplus);
  }

  /** Frees the values now. What was built on them and not evaluated yet says so when it is read. */
  dispose(): void {
    if (this.#disposed) return;
    this.device.catchUp(this.current, true);
    this.#disposed = true;
    if (isTracing() && this.current.host) return; // a constant, which the plan takes over
    this.current.retire("a tensor that was disposed; evaluate it before disposing");
  }

  /** Does what `dispose()` does, at the end of the block of a `using`. */
  [dispose](): void {
    this.dispose();
  }

  /** Reads the values and prints them as NumPy prints arrays. */
  async print(...surplus: never[]): Promise<void> {
    checkSurplus("print()", surplus);
    const { shape, dtype } = this;
    const values = (await readAll("print", [this]))[0];
    const { formatValues } = await tools.get();
    console.log(formatValues(values, shape, DTYPES[dtype]));
  }

  /** Shows type and place, never the values: reading waits for the device. */
  toString(): string {
    return `Tensor(${formatShape(this.shape)}, ${this.dtype}, ${this.device.kind})`;
  }

  /**
   * Type and place, and the first values where they are on the host: what Node's console shows.
   * Builds for production leave the values out.
   */
  get preview(): string {
    if (this.#disposed) return `${this} disposed`;
    const { host, storage, device, dtype } = this.current;
    return this + firstValues(host ?? (storage && device.peek(storage)), dtype);
  }

  /** What Node's console shows. */
  [INSPECT](): string {
    return this.preview;
  }
}

/** Applies an op: checks devices and dtypes, infers the result's type and adds a node. */
export function apply<A extends Attributes>(
  op: OpDefinition<A>,
  inputs: readonly Tensor[],
  attributes: A,
  on?: Device,
): Tensor {
  const nodes = nodesOf(op.name, inputs, on);
  const type = (op.infer?.(nodes, attributes) ?? nodes[0]) as TensorType;
  return addNode(op, nodes, attributes, type, on);
}

/** Does what `apply` does of an op with several results, and gives all of them. */
export function applyAll<A extends Attributes>(
  op: OpDefinition<A>,
  inputs: readonly Tensor[],
  attributes: A,
): Tensor[] {
  const nodes = nodesOf(op.name, inputs);
  const types = op.infer?.(nodes, attributes) as readonly TensorType[];
  return types.map((type, result) => addNode(op, nodes, attributes, type, undefined, result));
}

/** The inputs' nodes, when all of them are found to be on one device that works. */
function nodesOf(op: string, inputs: readonly Tensor[], on?: Device): Node[] {
  checkTensors(op, inputs);
  const device = on ?? inputs[0].device;
  const nodes = inputs.map(useOf);
  device.check(op);
  for (let i = 0; i < nodes.length; i++) {
    if (nodes[i].device === device) continue;
    const [own, its] = namesOf([device, nodes[i].device]);
    throw new DeviceError(
      `${op}: input 0 lives on ${own}, input ${i} on ${its}; expected one device`,
    );
  }
  return nodes;
}

function useOf(x: Tensor): Node {
  return x.use();
}

function addNode<A extends Attributes>(
  op: OpDefinition<A>,
  nodes: readonly Node[],
  attributes: A,
  { shape, dtype }: TensorType,
  device = nodes[0].device,
  result = 0,
): Tensor {
  // What is of an input's dtype is on its device.
  if (dtype !== nodes[0]?.dtype) checkDType(op.name, dtype, device);
  // The engine hands attributes back to the op they came with, so their type may be forgotten here.
  const erased = op as unknown as OpDefinition<Attributes>;
  const node = new Node(device, shape, dtype, erased, nodes, attributes, false, result);
  watch?.added(node);
  return announce(new Tensor(node));
}

/**
 * Throws a `GradusError` unless all inputs of an op are tensors.
 * @param op its name, or how it is called.
 */
export function checkTensors(op: string, inputs: readonly unknown[]): void {
  for (let i = 0; i < inputs.length; i++) {
    if (inputs[i] instanceof Tensor) continue;
    throw new GradusError(
      `${op.split("(")[0]}: input ${i} is ${describeStranger(inputs[i])}; expected a tensor${MAKE_TENSOR}`,
    );
  }
}

/**
 * Throws a `GradusError` unless all inputs of an op are tensors and nothing was given beside.
 * @param call how the op is called, such as `clip(x, low, high)`.
 */
export function checkArguments(
  call: string,
  inputs: readonly unknown[],
  surplus: readonly unknown[],
): void {
  checkSurplus(call, surplus);
  checkTensors(call, inputs);
}

/** Throws a `DTypeError` unless the device has the dtype, a `DeviceError` for what is no device. */
export function checkDType(op: string, dtype: DType, device: Device): void {
  checkDevice(op, device);
  if (device.dtypes.has(dtype)) return;
  const all = [...device.dtypes];
  const given = describeValue(dtype);
  const [what, advice] = isDType(dtype)
    ? [`${dtype} on ${device.kind}`, ON_CPU]
    : [given, didYouMean(given, all)];
  throw new DTypeError(`${op}: dtype ${what}; expected one of ${all.join(", ")}${advice}`);
}

/** Makes a tensor of values on the host, which go to the device when they are first needed. */
export function sourceTensor(
  device: Device,
  shape: Shape,
  dtype: DType,
  values: NumericArray,
): Tensor {
  device.check("tensor");
  const node = new Node(device, shape, dtype);
  node.host = values;
  return announce(new Tensor(node));
}

/** Reads the numbers of tensors as `op`, those of one device as they are at one moment. */
export async function readAll(op: string, tensors: readonly Tensor[]): Promise<NumericArray[]> {
  const nodes = tensors.map((x) => x.use());
  const devices = [...new Set(nodes.map(({ device }) => device))];
  const read = await Promise.all(
    devices.map((device) =>
      device.readAll(
        nodes.filter((x) => x.device === device),
        op,
      ),
    ),
  );
  const values = read.map((all) => all.values());
  const ordered = nodes.map((x) => values[devices.indexOf(x.device)].next().value as NumericArray);
  if (!nodes.some(({ dtype }) => isHalf(dtype))) return ordered;
  const { numbersIn } = await tools.get();
  return ordered.map((own, i) => numbersIn(own, nodes[i].dtype));
}

/** Enqueues the computation of tensors, all in one plan, and waits for nothing. */
export function evaluate(...tensors: readonly Tensor[]): void {
  evaluateAll(tensors);
}

/** Does what `evaluate` does of any number of tensors: a call takes some ten thousands. */
export function evaluateAll(tensors: readonly Tensor[]): void {
  checkTensors("evaluate", tensors);
  const groups = new Map<Device, Node[]>();
  for (const x of tensors) getOrInsert(groups, x.device, () => []).push(x.use());
  for (const [device, nodes] of groups) device.evaluate(nodes, "evaluate");
}
