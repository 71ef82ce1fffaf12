import { type Shape, sizeOf, stridesOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import { copyStrided, writeStrided } from "../core/strided-loops.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Form } from "./form.ts";
import type { AxisMap, IndexMap, MapForm } from "./map.ts";

/** Views what a map that leads outside nowhere gives, or null where strides cannot say it. */
export function viewOf(x: Strided, map: IndexMap, shape: Shape): Strided | null {
  const strides = map === "rowMajor" ? regrouped(x, shape) : shape.map(() => 0);
  if (!strides) return null;
  let { offset } = x;
  if (map !== "rowMajor") {
    map.forEach(({ start, terms }, axis) => {
      offset += start * x.strides[axis];
      for (const [i, step] of terms) strides[i] += step * x.strides[axis];
    });
  }
  return { data: x.data, shape, strides, offset };
}

/** Strides of x in another shape: axes that are split or joined must follow each other in memory. */
function regrouped(x: Strided, shape: Shape): number[] | null {
  if (sizeOf(shape) === 0) return stridesOf(shape);
  const strides = shape.map(() => 0);
  let stride = 0;
  let size = 1;
  let from = x.shape.length;
  for (let axis = shape.length - 1; axis >= 0; axis--) {
    const n = shape[axis];
    // As few axes as hold whole ones of the new axis.
    while (size % n > 0) {
      const next = x.strides[--from];
      if (x.shape[from] === 1) continue;
      if (size === 1) stride = next;
      else if (next !== stride * size) return null;
      size *= x.shape[from];
    }
    if (n === 1) continue;
    strides[axis] = stride;
    stride *= n;
    size /= n;
  }
  return strides;
}

/** The map of an op that gives a view of its input, if it is one. */
export function viewMap<A>(
  form: Form<A>,
  inputs: readonly TensorType[],
  attributes: A,
  y: TensorType,
): IndexMap | null {
  if (form.kind !== "map" || form.outside) return null;
  const maps = form.maps(inputs, attributes, y);
  return maps.length === 1 ? maps[0] : null;
}

/** Computes any op that only moves elements. `y` is contiguous and holds anything. */
export function moveStrided<A>(
  form: MapForm<A>,
  types: readonly TensorType[],
  attributes: A,
  y: Strided,
  inputs: readonly Strided[],
): void {
  const type = { shape: y.shape, dtype: types[0].dtype };
  if (form.outside) y.data.fill(form.outside(attributes));
  // The first input that has an element is written last, for it comes before others.
  for (const [i, map] of [...form.maps(types, attributes, type).entries()].reverse()) {
    if (map === "rowMajor") copyStrided(inputs[i], y.data);
    else writeWhereRead(inputs[i], map, y);
  }
}

/** Writes the elements of x to where in y its map reads them. */
function writeWhereRead(x: Strided, map: readonly AxisMap[], y: Strided): void {
  const walked = walkedAxes(map);
  const at = y.shape.map(() => 0);
  const walk = (depth: number): void => {
    if (depth === walked.length) writePart(x, map, y, at, walked);
    else {
      for (let i = 0; i < y.shape[walked[depth]]; i++) {
        at[walked[depth]] = i;
        walk(depth + 1);
      }
    }
  };
  walk(0);
}

/** Axes of the result that are fixed in turn, so that one is left for each axis of an input. */
function walkedAxes(map: readonly AxisMap[]): number[] {
  const named = map.flatMap(({ terms }) => terms.map(([axis]) => axis));
  const walked = new Set(named.filter((axis, i) => named.indexOf(axis) !== i));
  for (const { terms } of map) {
    const left = terms.filter(([axis]) => !walked.has(axis));
    for (const [axis] of left.slice(1)) walked.add(axis);
  }
  return [...walked];
}

/** Writes what lies at fixed coordinates of the walked axes, as one view to another. */
function writePart(
  x: Strided,
  map: readonly AxisMap[],
  y: Strided,
  at: readonly number[],
  walked: readonly number[],
): void {
  const shape = y.shape.map((n, axis) => (walked.includes(axis) ? 1 : n));
  const from = { data: x.data, shape, strides: shape.map(() => 0), offset: x.offset };
  const to = { data: y.data, shape, strides: [...y.strides], offset: y.offset };
  for (const axis of walked) to.offset += at[axis] * y.strides[axis];
  for (const [i, { start, terms, divisor }] of map.entries()) {
    const fixed = terms.reduce((sum, [axis, step]) => sum + step * at[axis], start);
    const [axis, step] = terms.find(([axis]) => !walked.includes(axis)) ?? [-1, 0];
    const place = (c: number) => (fixed + step * c) / divisor;
    const found = [...new Array(shape[axis] ?? 1).keys()].filter(
      (c) => Number.isInteger(place(c)) && place(c) >= 0 && place(c) < x.shape[i],
    );
    if (found.length === 0) return;
    const [first, second = first] = found;
    from.offset += place(first) * x.strides[i];
    if (axis < 0) continue;
    // Coordinates that lead inside follow each other evenly.
    shape[axis] = found.length;
    from.strides[axis] = (place(second) - place(first)) * x.strides[i];
    to.offset += first * y.strides[axis];
    to.strides[axis] *= second - first;
  }
  writeStrided(from, to);
}
