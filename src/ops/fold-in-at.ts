import type { Key } from "../core/random.ts";
import type { ElementContext } from "../forms/pointwise.ts";
import { Position } from "../forms/position.ts";
import type { Scalars } from "../forms/scalars.ts";

/** Writes `foldIn(key, data)` of a word that the device knows; `m` has the operations on words. */
export function foldInAt<V>(m: Scalars<V>, [a, b]: Key, data: V): V {
  const key = m.call("vec2u", m.number(a), m.number(b));
  return m.call("threefry2x32", key, m.call("vec2u", data, m.literal(1)));
}

/** Writes `foldIn(key, step)` for an op whose input is the step, a scalar. */
export function keyAtStep<V>(context: ElementContext<{ readonly key: Key }, V>): V {
  const { at, attributes, load, scalars } = context;
  const step = load(0, Position.at(at.body, [], []));
  return at.body.bind(foldInAt(scalars("u32"), attributes.key, step));
}
