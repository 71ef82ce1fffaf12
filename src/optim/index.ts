export {
  type Assignment,
  Optimizer,
  type OptimizerOptions,
  type Parameters,
} from "./optimizer.ts";
export { SGD, type SGDOptions } from "./sgd.ts";
