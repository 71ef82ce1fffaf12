import type { Tensor } from "../graph/tensor.ts";
import type { Layer } from "./module.ts";

let observer: ((layer: Layer, y: Tensor) => void) | null = null;

/** Tells who observes what a layer gave, and gives it. */
export function announceCall(layer: Layer, y: Tensor): Tensor {
  observer?.(layer, y);
  return y;
}

/** Runs `fn`, and tells meanwhile what each layer that is called gives. */
export function observeCalls(tell: (layer: Layer, y: Tensor) => void, fn: () => void): void {
  const before = observer;
  observer = tell;
  try {
    fn();
  } finally {
    observer = before;
  }
}
