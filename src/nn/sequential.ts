import { instanceOf } from "../core/advice.ts";
import { describeValue } from "../core/check.ts";
import { GradusError } from "../core/errors.ts";
import { isPlainObject } from "../core/kind.ts";
import type { Tensor } from "../graph/tensor.ts";
import { type Layer, Module } from "./module.ts";
import { callLayer } from "./observe.ts";

/**
 * Applies layers one after the other: modules, or functions of a tensor. States are named
 * `0.weight`, or by the keys when the layers are given as an object.
 * @param layers one by one, in an array or in an object.
 * @throws GradusError for anything that is neither module nor function.
 * @example new Sequential(new Linear(784, 50), sigmoid, new Linear(50, 10));
 * @example new Sequential([new Linear(784, 50), sigmoid, new Linear(50, 10)]);
 * @example new Sequential({ hidden: new Linear(784, 50), sigmoid, output: new Linear(50, 10) });
 */
export class Sequential extends Module {
  readonly #layers: readonly (readonly [string, Layer])[];

  constructor(...layers: Layer[] | [readonly Layer[]] | [Readonly<Record<string, Layer>>]) {
    super();
    const [first] = layers;
    const isOne = layers.length === 1 && (Array.isArray(first) || isPlainObject(first));
    this.#layers = Object.entries(isOne ? first : layers) as [string, Layer][];
    for (const [name, layer] of this.#layers) {
      if (layer instanceof Module || (typeof layer === "function" && !isClass(layer))) continue;
      const given = typeof layer === "function" ? `the class ${layer.name}` : describeValue(layer);
      throw new GradusError(
        `Sequential: layer ${name} is ${given}; expected a module or a function${instanceOf(layer)}`,
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
    return this.#layers.reduce((y, [name, layer]) => {
      return layer instanceof Module ? layer.call(y) : callLayer(layer, () => layer(y), name);
    }, x);
  }
}

function isClass(layer: object): boolean {
  return (layer as { prototype?: unknown }).prototype instanceof Module;
}
