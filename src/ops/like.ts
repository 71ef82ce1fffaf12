import { checkOptions } from "../core/check.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { CREATION, type CreationOptions, filled } from "./creation.ts";

function like(
  op: string,
  x: Tensor,
  value: number,
  options: CreationOptions,
  surplus: readonly never[],
): Tensor {
  checkOptions(op, options, CREATION, surplus);
  checkTensors(op, [x]);
  const { dtype = x.dtype, device = x.device } = options;
  return filled(op, x.shape, value, { dtype, device }, []);
}

/**
 * Makes a tensor of zeros of another's shape, dtype and device, unless options say otherwise.
 * @example await zerosLike(tensor([1, 2])).toArray(); // [0, 0]
 */
export function zerosLike(x: Tensor, options: CreationOptions = {}, ...surplus: never[]): Tensor {
  return like("zerosLike", x, 0, options, surplus);
}

/**
 * Makes a tensor of ones of another's shape, dtype and device, unless options say otherwise.
 * @example await onesLike(tensor([3, 4])).toArray(); // [1, 1]
 */
export function onesLike(x: Tensor, options: CreationOptions = {}, ...surplus: never[]): Tensor {
  return like("onesLike", x, 1, options, surplus);
}

/**
 * Makes a tensor of one value of another's shape, dtype and device, unless options say otherwise.
 * @example await fullLike(tensor([1, 2]), 7).toArray(); // [7, 7]
 */
export function fullLike(
  x: Tensor,
  value: number,
  options: CreationOptions = {},
  ...surplus: never[]
): Tensor {
  return like("fullLike", x, value, options, surplus);
}
