// y[row, i] = (x[row, i] − mean[row]) · scale[row] and z[row] = scale[row] = scale_of(Σ_i (x[row, i] −
// mean[row])² / LENGTH), one invocation a row. With lib/pairwise.wgsl and lib/row-standard.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), STRIDE = 1, WORKGROUP.
//   Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, i, v), which never leaves it;
//   store_z(row, v).
// Functions: scale_of(variance: Acc) -> Acc.
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
  let first = load_x(row, 0u);
  let shift = Shift(first, own_sum(row, 0u, Shift(first, Acc())).x / n);
  let means = own_sum(row, 0u, shift) / n;
  let scale = scale_of(means.y);
  for (var i = 0u; i < LENGTH; i++) {
    store_y(row, i, centered(row, i, shift, means.x) * scale);
  }
  store_z(row, scale);
}
