// Rows of a for matmul-direct.wgsl where each of four neighbours loads one row, or one column where memory
// runs along those, and gives it to the others. Needs subgroups.
//
// Accessors: load_a4x4(b, m, k, lane): rows m .. m+3 of k .. k+3, by shared_rows.

fn shared_rows(own: vec4<Acc>) -> mat4x4<Acc> {
  return mat4x4(
    quadBroadcast(own, 0u),
    quadBroadcast(own, 1u),
    quadBroadcast(own, 2u),
    quadBroadcast(own, 3u),
  );
}

fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4<Acc> {
  return load_a4x4(b, m, k, lane);
}
