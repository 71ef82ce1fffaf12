import { checkEach, checkOptions, type Known } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape } from "../core/shape.ts";
import { checkArguments, checkTensors, type Tensor } from "../graph/tensor.ts";
import { sub } from "./arithmetic.ts";
import { orderedAxes } from "./axes.ts";
import { greaterEqual, lessEqual } from "./compare.ts";
import { iota } from "./creation.ts";
import { checkDomain } from "./domain.ts";
import { permute, reshape } from "./reshape.ts";
import { embed, slice } from "./slice.ts";
import { where } from "./where.ts";

function checkOffset(op: string, offset: number): void {
  checkEach(op, { offset }, Number.isSafeInteger, "an integer", ShapeError);
}

/** How far each place of matrices lies to the right of the main diagonal: column − row. */
function distances(op: string, x: Tensor, offset: number): Tensor {
  checkDomain(op, x.dtype, "any");
  checkOffset(op, offset);
  if (x.rank < 2) {
    throw new ShapeError(`${op}: shape ${formatShape(x.shape)}; expected at least two axes`);
  }
  const [rows, columns] = x.shape.slice(-2);
  const row = reshape(iota(rows, "i32", x.device), [rows, 1]);
  return sub(iota(columns, "i32", x.device), row);
}

/** The offset, or one that is as far outside of matrices. */
function clippedTo(offset: number, { shape }: Tensor): number {
  const [rows, columns] = shape.slice(-2);
  return Math.min(columns, Math.max(-rows, offset));
}

/**
 * Keeps the lower triangle of matrices `[…, m, n]` and makes the rest zeros.
 * @param offset up to which diagonal: 0 is the main one, 1 the one above it, -1 the one below.
 * @throws ShapeError for fewer than two axes and an offset that is no integer.
 * @example await tril(tensor([[1, 2], [3, 4]])).toArray(); // [[1, 0], [3, 4]]
 */
export function tril(x: Tensor, offset = 0, ...surplus: never[]): Tensor {
  checkArguments("tril(x, offset)", [x], surplus);
  return where(lessEqual(distances("tril", x, offset), clippedTo(offset, x)), x, 0);
}

/**
 * Keeps the upper triangle of matrices `[…, m, n]` and makes the rest zeros.
 * @param offset from which diagonal: 0 is the main one, 1 the one above it, -1 the one below.
 * @throws ShapeError for fewer than two axes and an offset that is no integer.
 * @example await triu(tensor([[1, 2], [3, 4]]), 1).toArray(); // [[0, 2], [0, 0]]
 */
export function triu(x: Tensor, offset = 0, ...surplus: never[]): Tensor {
  checkArguments("triu(x, offset)", [x], surplus);
  return where(greaterEqual(distances("triu", x, offset), clippedTo(offset, x)), x, 0);
}

/** Options of `diagonal`. */
export interface DiagonalOptions {
  /** Which diagonal: 0, when left out, is the main one, 1 the one above it, -1 the one below. */
  offset?: number;
  /** The axes of rows and columns; the last two when left out, as in the array API. */
  axis?: readonly [number, number];
}

const DIAGONAL: Known<DiagonalOptions> = { offset: "number", axis: true };

/** Where a diagonal begins, row-major, in a matrix of m · n, and how many elements it has. */
function placeOf(m: number, n: number, offset: number): { start: number; size: number } {
  const size = Math.max(0, offset < 0 ? Math.min(m + offset, n) : Math.min(m, n - offset));
  return { start: size === 0 ? 0 : offset < 0 ? -offset * n : offset, size };
}

/**
 * Takes a diagonal of matrices, which becomes the last axis: `[…, m, n]` to `[…, size]`.
 * @throws ShapeError for axes that are not two of x's, and an offset that is no integer.
 * @example await diagonal(tensor([[1, 2], [3, 4]])).toArray(); // [1, 4]
 */
export function diagonal(x: Tensor, options: DiagonalOptions = {}, ...surplus: never[]): Tensor {
  checkOptions("diagonal", options, DIAGONAL, surplus);
  checkTensors("diagonal", [x]);
  const { offset = 0, axis = [-2, -1] } = options;
  checkOffset("diagonal", offset);
  if (!Array.isArray(axis) || axis.length !== 2) {
    throw new ShapeError(`diagonal: axis ${quote(axis)}; expected two axes`);
  }
  const [row, column] = orderedAxes("diagonal", axis, x.rank);
  const rest = [...x.shape.keys()].filter((i) => i !== row && i !== column);
  const [m, n] = [x.shape[row], x.shape[column]];
  const { start, size } = placeOf(m, n, offset);
  const outer = rest.map((i) => x.shape[i]);
  // Row-major, its elements lie n + 1 apart.
  const flat = reshape(permute(x, [...rest, row, column]), [...outer, m * n]);
  const end = start + (n + 1) * Math.max(0, size - 1) + Math.min(1, size);
  return slice(flat, [...outer.map(() => ({})), { start, end, step: n + 1 }]);
}

/**
 * Makes a square matrix with a vector on a diagonal and zeros elsewhere, or takes a matrix's
 * diagonal.
 * @param offset which one: 0 is the main diagonal, 1 the one above it, -1 the one below.
 * @throws ShapeError for other than one or two axes, and an offset that is no integer.
 * @example await diag(tensor([1, 2])).toArray(); // [[1, 0], [0, 2]]
 */
export function diag(x: Tensor, offset = 0, ...surplus: never[]): Tensor {
  checkArguments("diag(x, offset)", [x], surplus);
  checkOffset("diag", offset);
  if (x.rank === 2) return diagonal(x, { offset });
  if (x.rank !== 1) {
    throw new ShapeError(`diag: shape ${formatShape(x.shape)}; expected one or two axes`);
  }
  const n = x.size + Math.abs(offset);
  return reshape(embed(x, [n * n], [placeOf(n, n, offset).start], [n + 1]), [n, n]);
}
