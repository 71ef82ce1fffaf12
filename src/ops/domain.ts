import type { DType } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";

/** Which dtypes an op takes. */
export type Domain = "float" | "signed" | "number" | "bool" | "any";

const DOMAINS: Record<Domain, readonly DType[]> = {
  float: ["f32", "f64"],
  signed: ["f32", "f64", "i32"],
  number: ["f32", "f64", "i32", "u32"],
  bool: ["bool"],
  any: ["f32", "f64", "i32", "u32", "bool"],
};

/** Throws a `DTypeError` unless a dtype is in an op's domain. */
export function checkDomain(op: string, dtype: DType, domain: Domain): void {
  if (DOMAINS[domain].includes(dtype)) return;
  const advice = dtype === "u8" || dtype === "bool" ? ". cast it first" : "";
  throw new DTypeError(`${op}: dtype ${dtype}; expected ${DOMAINS[domain].join(", ")}${advice}`);
}
