// Stands for advice.ts in builds for production.
import type * as advice from "./advice.ts";

function none(): string {
  return "";
}

export const didYouMean: typeof advice.didYouMean = none;
export const asOption: typeof advice.asOption = none;
export const numbersOf: typeof advice.numbersOf = none;
export const inPlaceOf: typeof advice.inPlaceOf = none;
export const announceCopy: typeof advice.announceCopy = none;
export const UNSEEDED = "";
export const PARAMETERS = "";
export const NO_PARAMETERS = "";
export const CLIP = "";
export const FORWARD = "";
export const MAKE_AGAIN = "";
export const DOTS = "";
export const SUM_IT = "";
export const GO_ON = "";
export const AWAIT_IT = "";
export const constantAdvice: typeof advice.constantAdvice = none;
export const MAKE_TENSOR = "";
export const SCALARS = "";
export const ON_CPU = "";
export const AVERAGE_IT = "";
export const SEVERAL_TARGETS = "";
export const OWN_GRADIENTS = "";
export const SECOND_DEVICE = "";
export const DISPOSE = "";
export const INIT_AGAIN = "";
export const NO_ANSWER = "";
export const USE_CPU = "";
export const firstValues: typeof advice.firstValues = none;
export const unreached: typeof advice.unreached = none;
export const warnOfNoState: typeof advice.warnOfNoState = none;
export const TRANSFERRED = "";
export const READ_OUTSIDE = "";
export const KEEP_A_TENSOR = "";
export const TENSOR_OF_ARRAY = "";
export const cutBy: typeof advice.cutBy = none;
export const transposed: typeof advice.transposed = none;
export const instanceOf: typeof advice.instanceOf = none;
