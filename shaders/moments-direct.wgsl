// mean[row] = Σ_i x[row, i] / LENGTH, variance[row] = Σ_i (x[row, i] − mean[row])² / LENGTH, one
// invocation a row. With lib/pairwise.wgsl and lib/row-moments.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), STRIDE = 1, WORKGROUP.
//   Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, mean), store_z(row, variance).
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
  let n = Acc(LENGTH);
  let mean = own_sum(row, 0u, Shift(Acc(), false)) / n;
  store_y(row, mean);
  store_z(row, own_sum(row, 0u, Shift(mean, true)) / n);
}
