import type { Check } from "../context.ts";
import { adapter } from "./adapter.ts";
import { candidates } from "./candidates.ts";
import { ceilings } from "./ceilings.ts";
import { compiler } from "./compiler.ts";
import { costs } from "./costs.ts";
import { digits } from "./digits.ts";
import { life } from "./life.ts";
import { loops } from "./loops.ts";
import { memoryCeiling } from "./memory.ts";
import { ops } from "./ops.ts";
import { productCurve } from "./products.ts";
import { specialValues } from "./special.ts";
import { training } from "./training.ts";

/** All that the doctor looks at, in the order in which it does. */
export const CHECKS: readonly Check[] = [
  adapter,
  compiler,
  loops,
  specialValues,
  life,
  costs,
  ceilings,
  productCurve,
  training,
  memoryCeiling,
  digits,
  candidates,
  ops,
];
