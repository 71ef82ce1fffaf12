import { isFloat } from "../core/dtype.ts";
import { DTypeError, ShapeError } from "../core/errors.ts";
import { formatShape, sameShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";

/** Throws unless `x` holds floats of shape `[n, …]` with as many axes as the names given. */
export function checkMatrix(op: string, name: string, x: Tensor, columns: string): void {
  checkTensors(op, [x]);
  if (!isFloat(x.dtype)) {
    throw new DTypeError(`${op}: ${name} have dtype ${x.dtype}; expected f32 or f64`);
  }
  if (x.rank === 2) return;
  throw new ShapeError(`${op}: ${name} ${formatShape(x.shape)}; expected [n, ${columns}]`);
}

/** Throws unless all have the shape `[n, features]` of the first. */
export function checkEmbeddings(op: string, all: readonly Tensor[]): void {
  checkTensors(op, all);
  for (const x of all) checkMatrix(op, "embeddings", x, "features");
  if (all.every((x) => sameShape(x.shape, all[0].shape))) return;
  const shapes = all.map((x) => formatShape(x.shape)).join(", ");
  throw new ShapeError(`${op}: embeddings ${shapes}; expected equal shapes`);
}
