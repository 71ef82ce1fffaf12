import { checkArguments, readAll, sourceTensor, type Tensor } from "../graph/tensor.ts";

/**
 * Reads a tensor and finds where its elements are not 0, in row-major order, as PyTorch's `nonzero` and
 * TensorFlow's `whereAsync` do: NaN is not 0, −0 is. What it gives is a new tensor on x's device: its size
 * is known only once x is.
 * @param x of any shape and dtype.
 * @returns i32 `[count, rank]`: the indices of each on all axes.
 * @throws GradusError in a function that is being compiled, which may read nothing.
 * @example await (await nonzero(tensor([[0, 5], [7, 0]]))).toArray(); // [[0, 1], [1, 0]]
 */
export async function nonzero(x: Tensor, ...surplus: never[]): Promise<Tensor> {
  checkArguments("nonzero(x)", [x], surplus);
  const { device, shape, rank } = x;
  const [values] = await readAll("nonzero", [x]);
  let count = 0;
  for (const value of values) if (value !== 0) count++;
  const places = new Int32Array(count * rank);
  let end = 0;
  for (let i = 0; i < values.length; i++) {
    if (values[i] === 0) continue;
    end += rank;
    for (let axis = rank - 1, rest = i; axis >= 0; axis--) {
      places[end - rank + axis] = rest % shape[axis];
      rest = Math.floor(rest / shape[axis]);
    }
  }
  return sourceTensor(device, [count, rank], "i32", places);
}
