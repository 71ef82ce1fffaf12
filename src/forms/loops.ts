/** Loops that the CPU device has: products of matrices, and loops over float32. */
export type LoopName = "matmul" | F32LoopName;

/** Loops over float32 that the CPU device has. */
export type F32LoopName =
  | "add"
  | "sub"
  | "mul"
  | "div"
  | "maximum"
  | "minimum"
  | "greater"
  | "where"
  | "neg"
  | "abs"
  | "square"
  | "sqrt"
  | "exp"
  | "log"
  | "sigmoid"
  | "tanh"
  | "relu";
