import { type MethodTable, provideMethods } from "../graph/tensor.ts";
import * as ops from "../ops/index.ts";

/** What is exported among the ops and is no method, beside what draws by a seed: `random…`. */
const FREE = [
  // They make tensors of numbers.
  "arange",
  "eye",
  "full",
  "linspace",
  "logspace",
  "ones",
  "tensor",
  "zeros",
  // They take several tensors in a list, or a text before them.
  "broadcastTensors",
  "concat",
  "einsum",
  "meshgrid",
  "stack",
  // They draw, and of a tensor take no more than the number of a step.
  "batchIndices",
  "bernoulliAt",
  "categoricalAt",
  "exponentialAt",
  "gammaAt",
  "integersAt",
  "normalAt",
  "permutationAt",
  "setSeed",
  "uniformAt",
  // It takes functions.
  "customGrad",
] as const;

type Ops = typeof ops;
type Free = (typeof FREE)[number] | `random${string}`;

/** What is left of a function when its first argument stands before the dot. */
type Method<F> = F extends (x: infer _, ...rest: infer Rest extends readonly unknown[]) => infer R
  ? (...rest: Rest) => R
  : never;

/**
 * The methods that `import "gradus/fluent"` adds to every tensor: the ops that take a tensor first, by
 * their names. `x.relu()` is `relu(x)`, and takes and throws what that does.
 * @example
 * const x = tensor([-1, 2, 3]);
 * await x.relu().sum().item(); // 5
 */
export type FluentMethods = {
  readonly [K in keyof Ops as Exclude<K, Free>]: Method<Ops[K]>;
};

declare module "../graph/tensor.ts" {
  interface Tensor extends FluentMethods {}
}

const free: ReadonlySet<string> = new Set(FREE);
const isMethod = (name: string) => !free.has(name) && !name.startsWith("random");
const methods = Object.entries(ops).filter(([name]) => isMethod(name));
provideMethods(Object.fromEntries(methods) as unknown as MethodTable);
