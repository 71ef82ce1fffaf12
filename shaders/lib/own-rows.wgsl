// Rows of a for matmul-direct.wgsl where each invocation loads all that it multiplies.
//
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3.

fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4<Acc> {
  return load_a4x4(b, m, k);
}
