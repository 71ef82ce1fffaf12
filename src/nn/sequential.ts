import { GradusError } from "../core/errors.ts";
import type { Tensor } from "../graph/tensor.ts";
import { Module } from "./module.ts";

/** A step of a `Sequential`: a module or a plain function such as `sigmoid`. */
export type Layer = Module | ((x: Tensor) => Tensor);

/**
 * Applies layers one after the other. States are named `0.weight`, or by the keys when the layers
 * are given as an object.
 * @throws GradusError for anything that is neither module nor function.
 * @example new Sequential(new Linear(784, 50), sigmoid, new Linear(50, 10));
 * @example new Sequential({ hidden: new Linear(784, 50), sigmoid, output: new Linear(50, 10) });
 */
export class Sequential extends Module {
  readonly #layers: readonly (readonly [string, Layer])[];

  constructor(...layers: Layer[] | [Readonly<Record<string, Layer>>]) {
    super();
    const [first] = layers;
    const named = layers.length === 1 && typeof first === "object" && !(first instanceof Module);
    this.#layers = Object.entries(named ? first : layers) as [string, Layer][];
    for (const [name, layer] of this.#layers) {
      if (layer instanceof Module || typeof layer === "function") continue;
      throw new GradusError(
        `Sequential: layer ${name} is ${String(layer)}; expected a module or a function`,
      );
    }
  }

  /** The layers in order. */
  get layers(): readonly Layer[] {
    return this.#layers.map(([, layer]) => layer);
  }

  override children(): Iterable<readonly [string, unknown]> {
    return this.#layers;
  }

  override forward(x: Tensor): Tensor {
    return this.layers.reduce(
      (y, layer) => (layer instanceof Module ? layer.call(y) : layer(y)),
      x,
    );
  }
}
