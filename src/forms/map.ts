import { type Shape, sizeOf } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { type Index, isByLane, sumOf } from "./indices.ts";
import type { ElementContext } from "./pointwise.ts";
import { Position } from "./position.ts";
import type { Scalars } from "./scalars.ts";

/**
 * Where on an axis of an input an element of the result lies:
 * (start + Σ step · coordinate) / divisor, and outside where that is no place on the axis.
 */
export interface AxisMap {
  readonly start: number;
  /** Axes of the result and their steps. */
  readonly terms: readonly (readonly [axis: number, step: number])[];
  readonly divisor: number;
}

/** Where in an input an element of the result lies: on each axis, or at the same row-major number. */
export type IndexMap = readonly AxisMap[] | "rowMajor";

/** An op that only moves elements, by index maps, from which devices work out all that they need. */
export interface MapForm<A> {
  readonly kind: "map";
  /** Gives a map for each input: an element is that of the first inside which its map leads. */
  maps(inputs: readonly TensorType[], attributes: A, y: TensorType): readonly IndexMap[];
  /** For maps that may lead outside: `inside`, which follows them and tests whether they do. */
  readonly follow?: <V>(
    map: IndexMap,
    at: Position<V>,
    shape: Shape,
    words: Scalars<V>,
  ) => GuardedPlace<V>;
  /** Gives the element that lies inside no input; left out where there is none. */
  outside?(attributes: A): number;
}

/** A position in an input, and tests of whether it lies inside. */
export type GuardedPlace<V> = readonly [at: Position<V>, tests: readonly V[]];

/** The place on an axis that goes with one axis of the result. */
export function along(axis: number, start = 0, step = 1, divisor = 1): AxisMap {
  return { start, terms: [[axis, step]], divisor };
}

/** What an op that moves nothing does. */
export const UNMOVED: MapForm<unknown> = { kind: "map", maps: () => ["rowMajor"] };

/** The sum that an axis map divides. */
export function sumAt<V>({ start, terms }: AxisMap, { indices }: Position<V>): Index<V> {
  const steps = terms.map(([, step]) => step);
  return sumOf(
    terms.map(([axis]) => indices[axis]),
    steps,
    start,
  );
}

/** Follows a map that leads inside. */
export function follow<V>(map: IndexMap, at: Position<V>, shape: Shape): GuardedPlace<V> {
  if (map === "rowMajor") return [at.reshape(shape), []];
  return [
    Position.at(
      at.body,
      shape,
      map.map((axis) => sumAt(axis, at)),
    ),
    [],
  ];
}

/**
 * Writes an element, or four lanes if `vector` makes a vector of one value; null where `load` gives
 * none, or where lanes would not lie inside together.
 */
export function writeMoved<A, V>(
  form: MapForm<A>,
  { at, inputs, y, attributes, scalars }: Omit<ElementContext<A, V>, "result" | "load">,
  load: (input: number, at: Position<V>) => V | null,
  vector = (value: V) => value,
): V | null {
  const m = scalars(y.dtype);
  const words = scalars("u32");
  let value = form.outside ? vector(m.number(form.outside(attributes))) : null;
  const maps = form.maps(inputs, attributes, y);
  for (let i = maps.length - 1; i >= 0; i--) {
    const { shape } = inputs[i];
    if (sizeOf(shape) === 0) continue;
    // The last input has what lies inside no other, unless there is a value for that.
    const isGuarded = value !== null && form.follow;
    const [to, tests] = (isGuarded || follow)(maps[i], at, shape, words);
    const own = load(i, to);
    if (own === null || tests.some(isByLane)) return null;
    const isInside = () => tests.reduce((a, b) => words.call("&", a, b));
    value = value !== null && tests.length > 0 ? m.call("select", value, own, isInside()) : own;
  }
  return value;
}
