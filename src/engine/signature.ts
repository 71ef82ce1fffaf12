import { State } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";

/** Arguments taken apart: what changes from call to call, and what a trace may rely on. */
export interface Signature {
  /** Equal for arguments with which a trace may be used again. */
  readonly key: string;
  /** The tensors in the arguments, in order. */
  readonly tensors: readonly Tensor[];
}

const identities = new WeakMap<object, number>();
let known = 0;

/**
 * Describes arguments: tensors by shape and dtype; numbers, texts and plain objects by their
 * contents; states, functions and other objects without tensors by which one they are.
 */
export function signatureOf(args: readonly unknown[]): Signature {
  const tensors: Tensor[] = [];
  const key = args.map((arg) => describe(arg, tensors, [])).join();
  return { key, tensors };
}

/** Rebuilds a value with other tensors in place of its own, in `signatureOf`'s order. */
export function replaceTensors<T>(value: T, next: (tensor: Tensor) => Tensor): T {
  return replace(value, next, []) as T;
}

function describe(value: unknown, tensors: Tensor[], parents: object[]): string {
  if (value instanceof Tensor && !(value instanceof State)) {
    tensors.push(value);
    return `${value.dtype}[${value.shape}]`;
  }
  if (typeof value === "function" || value instanceof State) return identityOf(value);
  if (typeof value === "string") return JSON.stringify(value);
  if (Object.is(value, -0)) return "number -0";
  if (typeof value !== "object" || value === null) return `${typeof value} ${String(value)}`;
  if (parents.includes(value)) return identityOf(value);
  const before = tensors.length;
  const inner = Object.entries(value).map(
    ([name, item]) => `${JSON.stringify(name)}:${describe(item, tensors, [...parents, value])}`,
  );
  const isPlain = Array.isArray(value) || Object.getPrototypeOf(value) === Object.prototype;
  if (tensors.length === before && !isPlain) return identityOf(value);
  return `${Array.isArray(value) ? "array" : value.constructor?.name}{${inner}}`;
}

function identityOf(value: object): string {
  let identity = identities.get(value);
  if (identity === undefined) {
    identity = known++;
    identities.set(value, identity);
  }
  return `#${identity}`;
}

function replace(value: unknown, next: (tensor: Tensor) => Tensor, parents: object[]): unknown {
  if (value instanceof Tensor) return value instanceof State ? value : next(value);
  if (typeof value !== "object" || value === null || parents.includes(value)) return value;
  const entries = Object.entries(value);
  const replaced = entries.map(([, item]) => replace(item, next, [...parents, value]));
  if (replaced.every((item, i) => item === entries[i][1])) return value;
  if (Array.isArray(value)) return replaced;
  const copy = Object.create(Object.getPrototypeOf(value)) as Record<string, unknown>;
  for (const [i, [name]] of entries.entries()) copy[name] = replaced[i];
  return copy;
}
