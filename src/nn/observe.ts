import type { Tensor } from "../graph/tensor.ts";

/** Runs the call of a layer, a module or a function; `name` is that of a function among the layers of a module. */
export type Observer = (layer: object, call: () => Tensor, name?: string) => Tensor;

let observer: Observer | null = null;

/** Calls a layer, through whoever observes calls. */
export function callLayer(layer: object, call: () => Tensor, name?: string): Tensor {
  return observer ? observer(layer, call, name) : call();
}

/** Lets calls go through `next`, and gives through whom they went before. */
export function observe(next: Observer | null): Observer | null {
  const before = observer;
  observer = next;
  return before;
}
