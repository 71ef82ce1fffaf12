import type { DType } from "./dtype.ts";
import type { Shape } from "./shape.ts";

/** Shape and dtype: all that shape inference and the choice of a kernel may look at. */
export interface TensorType {
  readonly shape: Shape;
  readonly dtype: DType;
}
