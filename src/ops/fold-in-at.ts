import type { Key } from "../core/random.ts";
import type { Scalars } from "../forms/scalars.ts";

/** Writes `foldIn(key, data)` of a word that the device knows; `m` has the operations on words. */
export function foldInAt<V>(m: Scalars<V>, [a, b]: Key, data: V): V {
  const key = m.call("vec2u", m.number(a), m.number(b));
  return m.call("threefry2x32", key, m.call("vec2u", data, m.literal(1)));
}
