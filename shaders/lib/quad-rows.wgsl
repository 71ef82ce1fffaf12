// Rows of a for matmul-direct.wgsl where each of four neighbours loads one, and gives it to the
// others. Needs subgroups.
//
// Accessors: load_a4(b, m, k): row m of k .. k+3.

fn rows_a(b: u32, m: u32, k: u32, lane: u32) -> mat4x4<Acc> {
  let own = load_a4(b, m + lane, k);
  return mat4x4(
    quadBroadcast(own, 0u),
    quadBroadcast(own, 1u),
    quadBroadcast(own, 2u),
    quadBroadcast(own, 3u),
  );
}
