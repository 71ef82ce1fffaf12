export { crossEntropy } from "./cross-entropy.ts";
export type { LossOptions, Reduction } from "./reduction.ts";
export { meanSquaredError, quadratic } from "./squared-error.ts";
