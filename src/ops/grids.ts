import {
  checkEach,
  checkFinite,
  checkOptions,
  checkWords,
  isInteger,
  type Known,
} from "../core/check.ts";
import { allocate } from "../core/dtype.ts";
import { ShapeError } from "../core/errors.ts";
import { inMemory } from "../core/host-memory.ts";
import { checkShape, formatShape } from "../core/shape.ts";
import { defaultDevice } from "../graph/default-device.ts";
import { checkDType, sourceTensor, type Tensor } from "../graph/tensor.ts";
import { stretch } from "./broadcast.ts";
import { CREATION, type CreationOptions } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { reshape } from "./reshape.ts";
import { checkTensorList } from "./tensor-list.ts";

/** Options of `linspace`. */
export interface LinspaceOptions extends CreationOptions {
  /** Whether the last number is the end; true when left out. */
  endpoint?: boolean;
}

/** Options of `logspace`. */
export interface LogspaceOptions extends LinspaceOptions {
  /** What is raised to the powers, above 0; 10 when left out. */
  base?: number;
}

const LINSPACE: Known<LinspaceOptions> = { ...CREATION, endpoint: "boolean" };
const LOGSPACE: Known<LogspaceOptions> = { ...LINSPACE, base: "number" };

/** Numbers at equal distances, each mapped and rounded once. */
function spaced(
  op: string,
  bounds: { start: number; end: number },
  count: number,
  options: LinspaceOptions,
  map: (x: number) => number,
): Tensor {
  const { dtype = "f32", device = defaultDevice(), endpoint = true } = options;
  checkDType(op, dtype, device);
  checkDomain(op, dtype, "float");
  checkFinite(op, bounds);
  checkEach(op, { count }, (n) => isInteger(n, 0), "an integer from 0", ShapeError);
  const shape = checkShape(op, [count]);
  const values = inMemory(op, () => allocate(dtype, count));
  const { start, end } = bounds;
  const last = endpoint ? count - 1 : count;
  for (let i = 0; i < count; i++) {
    const place = last === 0 ? start : start + ((end - start) * i) / last;
    values[i] = map(i === last && i > 0 ? end : place);
  }
  return sourceTensor(device, shape, dtype, values);
}

/**
 * Gives `count` numbers at equal distances from `start` to `end`, both of which are among them,
 * computed in float64 and rounded once.
 * @param count from 0; 1 gives the start.
 * @throws GradusError for bounds that are not finite; ShapeError for another count; DTypeError for
 * a dtype that is no float.
 * @example await linspace(0, 1, 5).toArray(); // [0, 0.25, 0.5, 0.75, 1]
 */
export function linspace(
  start: number,
  end: number,
  count: number,
  options: LinspaceOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("linspace", options, LINSPACE, surplus);
  return spaced("linspace", { start, end }, count, options, (x) => x);
}

/**
 * Gives `count` powers of a base, from base^start to base^end at equal ratios: base^(`linspace`).
 * @param count from 0; 1 gives the first.
 * @throws as `linspace` does, and GradusError for a base that is not above 0.
 * @example await logspace(0, 3, 4).toArray(); // [1, 10, 100, 1000]
 */
export function logspace(
  start: number,
  end: number,
  count: number,
  options: LogspaceOptions = {},
  ...surplus: never[]
): Tensor {
  checkOptions("logspace", options, LOGSPACE, surplus);
  const { base = 10 } = options;
  checkEach(
    "logspace",
    { base },
    (x) => Number.isFinite(x) && (x as number) > 0,
    "a finite number above 0",
  );
  return spaced("logspace", { start, end }, count, options, (x) => base ** x);
}

/** Options of `meshgrid`. */
export interface MeshgridOptions {
  /**
   * `xy`, when left out: the first tensor's numbers lie along the second axis and the second's
   * along the first, as x and y do in pictures. `ij`: each tensor's lie along its own axis.
   */
  indexing?: "xy" | "ij";
}

const MESHGRID: Known<MeshgridOptions> = { indexing: "string" };

/**
 * Makes grids of coordinates, one of each tensor, as NumPy's `meshgrid` does. No elements are
 * copied.
 * @param tensors vectors or scalars.
 * @throws ShapeError for others.
 * @example
 * const [gx, gy] = meshgrid([tensor([1, 2, 3]), tensor([10, 20])]);
 * await gx.toArray(); // [[1, 2, 3], [1, 2, 3]]
 * await gy.toArray(); // [[10, 10, 10], [20, 20, 20]]
 */
export function meshgrid(
  tensors: readonly Tensor[],
  options: MeshgridOptions = {},
  ...surplus: never[]
): Tensor[] {
  checkOptions("meshgrid", options, MESHGRID, surplus);
  checkTensorList("meshgrid", tensors);
  const { indexing = "xy" } = options;
  checkWords("meshgrid", { indexing }, ["xy", "ij"]);
  const wrong = tensors.find(({ rank }) => rank > 1);
  if (wrong) {
    throw new ShapeError(`meshgrid: shape ${formatShape(wrong.shape)}; expected vectors`);
  }
  const axisOf = (i: number) => (indexing === "xy" && i < 2 && tensors.length > 1 ? 1 - i : i);
  const shape = tensors.map((_, i) => tensors[axisOf(i)].size);
  checkShape("meshgrid", shape);
  return tensors.map((x, i) => {
    const own = shape.map((_, axis) => (axis === axisOf(i) ? x.size : 1));
    return stretch(reshape(x, own), shape);
  });
}
