import { numbersOf } from "./advice.ts";
import { checkAttached } from "./attached.ts";
import { DTYPE_NAMES, DTYPES, type DType, dtypesOf, either, is } from "./dtype.ts";
import { DTypeError } from "./errors.ts";
import { kindOf } from "./kind.ts";

/**
 * Names the dtype that a typed array's elements have; `Uint8Array` is `u8`, `Float16Array` `f16`. Throws a `DTypeError` for
 * other arrays, a `GradusError` for one whose buffer was transferred away.
 */
export function dtypeOfArray(op: string, data: ArrayBufferView): DType {
  const kind = kindOf(data);
  const nameOf = (dtype: DType) => DTYPES[dtype].array.name;
  const isOwn = (dtype: DType) =>
    (DTYPES[dtype].numbers ?? nameOf(dtype)) === kind.replace("Clamped", "") && !is(dtype, "bool");
  const own = DTYPE_NAMES.find(isOwn);
  if (!own) {
    const expected = either([...dtypesOf("float"), ...dtypesOf("integer")].map(nameOf));
    throw new DTypeError(`${op}: data is a ${kind}; expected ${expected}${numbersOf(data)}`);
  }
  checkAttached(op, data);
  return own;
}
