// y[row] = max + log Σ_i exp(x[row, i] − max), one workgroup a row.
// An entry of −∞ counts for nothing; a row of nothing else gives −∞, one with +∞ gives +∞.
// With lib/workgroup.wgsl, lib/pairwise.wgsl and lib/row-exp.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms an invocation adds in order), STRIDE = WORKGROUP,
//   WORKGROUP (a power of two). Type: Acc (f32).
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, v).
// Grid: linear, ROWS workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_workgroup(id, count);
  if (row >= ROWS) {
    return;
  }
  let maximum = join_workgroup(local, vec2(own_maximum(row, local), 0.0)).x;
  workgroupBarrier(); // all have read it
  let shift = min(maximum, HIGHEST); // ∞ − ∞ would be NaN
  let sum = join_workgroup(local, vec2(maximum, own_sum(row, local, shift))).y;
  if (local == 0u) {
    store_y(row, shift + g_log(sum));
  }
}
