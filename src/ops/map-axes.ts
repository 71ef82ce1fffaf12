import { describeValue } from "../core/check.ts";
import { GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { mapTree, type Parts, partsOf, walk } from "../core/tree.ts";
import { Tensor } from "../graph/tensor.ts";

/** An axis, or null for none, of all tensors in a value, or of what is in it by places and names. */
export type MapAxes = number | null | readonly MapAxes[] | { readonly [name: string]: MapAxes };

/** Axes by their option's name. */
export type NamedAxes = readonly [name: "inAxes" | "outAxes", axes: MapAxes];

type Names = readonly string[];

/** Throws a `GradusError` unless axes are integers or null, or arrays and objects of such. */
export function checkAxes([name, axes]: NamedAxes): void {
  walk(axes, partsOf, (axis) => {
    if (axis === null || Number.isInteger(axis)) return;
    throw new GradusError(
      `vmap: ${name} ${describeValue(axis)}; expected an integer, null, or arrays and objects of these`,
    );
  });
}

/**
 * Builds a value like another one with something in place of its tensors, of which each has an axis.
 * What has null for an axis stays as it is, and where `of` is to be asked about that, its tensors are too.
 * @param whatIs names what lies on a path.
 */
export function replaceTensors<T>(
  value: T,
  named: NamedAxes,
  whatIs: (path: Names) => string,
  of: (x: Tensor, axis: number | null, what: string) => unknown,
  asksOfNull = false,
): T {
  const open = (part: unknown, { path, isCycle }: { path: Names; isCycle: boolean }) => {
    const own = axesAt(named, path, whatIs);
    const parts = isCycle || (own === null && !asksOfNull) ? null : partsOf(part);
    if (parts) checkPlaces(parts, own, named, whatIs(path));
    return parts;
  };
  return mapTree(value, open, (part, { path }) => {
    const axis = axesAt(named, path, whatIs);
    const isTensor = part instanceof Tensor;
    if (axis === null && !(asksOfNull && isTensor)) return part;
    const what = whatIs(path);
    if (!isTensor) {
      throw new GradusError(
        `vmap: ${what} is ${describeValue(part)}; expected tensors, in arrays and plain objects, or ` +
          `${named[0]} null for it`,
      );
    }
    if (typeof axis === "object" && axis !== null) throw tooDeep(axis, named, what);
    return of(part, axis, what);
  });
}

/** The axes of what lies on a path. */
function axesAt(named: NamedAxes, path: Names, whatIs: (path: Names) => string): MapAxes {
  let own = named[1];
  for (const key of path) {
    if (typeof own !== "object" || own === null) return own;
    const inner: MapAxes | undefined = (own as Readonly<Record<string, MapAxes>>)[key];
    if (inner === undefined) {
      throw new GradusError(
        `vmap: ${named[0]} has none for ${whatIs(path)}; expected one for each`,
      );
    }
    own = inner;
  }
  return own;
}

/** Throws where there are axes for what is not there. */
function checkPlaces(parts: Parts, axes: MapAxes, [name]: NamedAxes, what: string): void {
  if (typeof axes !== "object" || axes === null) return;
  const names = new Set(parts.map(([own]) => own));
  const stranger = Object.keys(axes).find((own) => !names.has(own));
  if (stranger === undefined) return;
  throw new GradusError(
    `vmap: ${name} has ${describeValue(stranger)} for ${what}, in which it is not; expected one for each`,
  );
}

function tooDeep(axes: MapAxes, [name]: NamedAxes, what: string): GradusError {
  return new GradusError(
    `vmap: ${name} ${describeValue(axes)} for ${what}, a tensor; expected an integer or null`,
  );
}

/** Throws a `ShapeError` for an axis that a tensor does not have. */
export function checkAxis(axis: number, shape: readonly number[], what: string): void {
  const rank = shape.length;
  if (axis >= -rank && axis < rank) return;
  throw new ShapeError(
    `vmap: axis ${axis} of ${what}, ${formatShape(shape)}; expected ` +
      (rank > 0 ? `an integer in [${-rank}, ${rank - 1}]` : "null for a scalar"),
  );
}
