// y[row] = max + log Σ_i exp(x[row, i] − max), one invocation a row.
// An entry of −∞ counts for nothing; a row of nothing else gives −∞, one with +∞ gives +∞.
// With lib/pairwise.wgsl and lib/row-exp.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), STRIDE = 1, WORKGROUP.
//   Type: Acc (f32).
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, v).
// Grid: linear, ceil(ROWS / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_workgroup(id, count) * WORKGROUP + local;
  if (row >= ROWS) {
    return;
  }
  let shift = min(own_maximum(row, 0u), HIGHEST); // ∞ − ∞ would be NaN
  store_y(row, shift + g_log(own_sum(row, 0u, shift)));
}
