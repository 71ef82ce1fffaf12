// mean[row] = Σ_i x[row, i] / LENGTH, variance[row] = Σ_i (x[row, i] − mean[row])² / LENGTH, one
// workgroup a row. With lib/workgroup.wgsl, lib/pairwise.wgsl and lib/row-moments.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms an invocation adds in order), STRIDE = WORKGROUP,
//   WORKGROUP (a power of two). Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, mean), store_z(row, variance).
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
  let n = Acc(LENGTH);
  let mean = join_workgroup(local, own_sum(row, local, Shift(Acc(), false))) / n;
  workgroupBarrier(); // all have read it
  let variance = join_workgroup(local, own_sum(row, local, Shift(mean, true))) / n;
  if (local == 0u) {
    store_y(row, mean);
    store_z(row, variance);
  }
}
