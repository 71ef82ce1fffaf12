import { isFloat } from "../core/dtype.ts";
import { type Shape, sizeOf } from "../core/shape.ts";
import type { Tensor } from "../graph/tensor.ts";
import { mul } from "./arithmetic.ts";
import { matmul } from "./matmul.ts";
import { sum } from "./reduce.ts";
import { permute, reshape } from "./reshape.ts";

/** A name of an axis: axes that have one are the same index. */
export type Label = number;

/** A tensor whose axes have labels, each another one. */
export interface Labelled {
  readonly x: Tensor;
  readonly labels: readonly Label[];
}

/** The tensor with its axes in the order of labels that it has. */
export function permuted({ x, labels }: Labelled, order: readonly Label[]): Tensor {
  return permute(
    x,
    order.map((label) => labels.indexOf(label)),
  );
}

/** Sums over all axes but those that are kept. */
export function reducedTo(given: Labelled, kept: ReadonlySet<Label>): Labelled {
  const { x, labels } = given;
  const axis = [...labels.keys()].filter((i) => !kept.has(labels[i]));
  if (axis.length === 0) return given;
  return { x: sum(x, { axis }), labels: labels.filter((label) => kept.has(label)) };
}

/** What the axes of two factors are in their product. */
interface Roles {
  /** Of both, and kept. */
  readonly batch: readonly Label[];
  /** Of the first alone, and kept. */
  readonly rows: readonly Label[];
  /** Of the second alone, and kept. */
  readonly columns: readonly Label[];
  /** Of both, and summed over. */
  readonly inner: readonly Label[];
}

function rolesOf(a: Labelled, b: Labelled, kept: ReadonlySet<Label>): Roles {
  const shared = a.labels.filter((label) => b.labels.includes(label));
  return {
    batch: shared.filter((label) => kept.has(label)),
    inner: shared.filter((label) => !kept.has(label)),
    rows: a.labels.filter((label) => !shared.includes(label)),
    columns: b.labels.filter((label) => !shared.includes(label)),
  };
}

/**
 * Σ a · b over the labels that `order` lacks, with axes in that order. All of one kind are one axis
 * of a product of matrices; where there is nothing to sum, or nothing but sums, elements multiply.
 */
export function contract(first: Labelled, second: Labelled, order: readonly Label[]): Tensor {
  const kept = new Set(order);
  const own = (labelled: Labelled, other: Labelled) =>
    reducedTo(labelled, new Set([...order, ...other.labels]));
  const [a, b] = [own(first, second), own(second, first)];
  const roles = rolesOf(a, b, kept);
  const { batch, rows, columns, inner } = roles;
  const sizes = new Map<Label, number>();
  for (const { x, labels } of [a, b]) {
    for (const [i, label] of labels.entries()) sizes.set(label, x.shape[i]);
  }
  const shape = (labels: readonly Label[]): Shape => labels.map((label) => sizes.get(label) ?? 1);
  const isProduct =
    isFloat(a.x.dtype) && inner.length > 0 && (rows.length > 0 || columns.length > 0);
  const labels = [...batch, ...rows, ...columns];
  const y = isProduct ? byMatmul(a, b, roles, shape) : byElements(a, b, roles, shape);
  return permuted({ x: reshape(y, shape(labels)), labels }, order);
}

/** As `[batch, rows, inner] · [batch, inner, columns]`. */
function byMatmul(
  a: Labelled,
  b: Labelled,
  { batch, rows, columns, inner }: Roles,
  shape: (labels: readonly Label[]) => Shape,
): Tensor {
  const [count, m, n, k] = [batch, rows, columns, inner].map((labels) => sizeOf(shape(labels)));
  const outer = batch.length > 0 ? [count] : [];
  const left = reshape(permuted(a, [...batch, ...rows, ...inner]), [...outer, m, k]);
  const right = reshape(permuted(b, [...batch, ...inner, ...columns]), [...outer, k, n]);
  return matmul(left, right);
}

/** As a product of elements `[batch, rows, columns, inner]`, summed over the last. */
function byElements(
  a: Labelled,
  b: Labelled,
  { batch, rows, columns, inner }: Roles,
  shape: (labels: readonly Label[]) => Shape,
): Tensor {
  const [count, m, n, k] = [batch, rows, columns, inner].map((labels) => sizeOf(shape(labels)));
  const left = reshape(permuted(a, [...batch, ...rows, ...inner]), [count, m, 1, k]);
  const right = reshape(permuted(b, [...batch, ...columns, ...inner]), [count, 1, n, k]);
  const products = mul(left, right);
  return inner.length > 0 ? sum(products, { axis: 3 }) : products;
}
