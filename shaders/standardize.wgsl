// y[row, i] = (x[row, i] − mean[row]) · scale[row] and z[row] = scale[row] = scale_of(Σ_i (x[row, i] −
// mean[row])² / LENGTH), one workgroup a row.
// With lib/workgroup.wgsl, lib/pairwise.wgsl and lib/row-standard.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms an invocation adds in order), STRIDE = WORKGROUP,
//   WORKGROUP (a power of two). Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, i, v), which never leaves it;
//   store_z(row, v).
// Functions: scale_of(variance: Acc) -> Acc.
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
  let first = load_x(row, 0u);
  let mean = join_workgroup(local, own_sum(row, local, Shift(first, Acc()))).x / n;
  workgroupBarrier(); // all have read it
  let shift = Shift(first, mean);
  let means = join_workgroup(local, own_sum(row, local, shift)) / n;
  let scale = scale_of(means.y);
  for (var step = 0u; step < STEPS; step++) {
    let i = step * WORKGROUP + local;
    if (i < LENGTH) {
      store_y(row, i, centered(row, i, shift, means.x) * scale);
    }
  }
  if (local == 0u) {
    store_z(row, scale);
  }
}
