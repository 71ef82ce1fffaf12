// y[row] = max + log Σ_i exp(x[row, i] − max), one invocation a row.
// An entry of −∞ counts for nothing; a row of nothing else gives −∞.
//
// Constants: ROWS, LENGTH, WORKGROUP. Type: f32. Needs lib/bits.wgsl and lib/exp-log.wgsl.
// Accessors: load_x(row, i), which never leaves the tensor; store_y(row, v).
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
  // Starting from the lowest finite number keeps −∞ − max from being −∞ + ∞.
  var maximum = LOWEST;
  for (var i = 0u; i < LENGTH; i++) {
    maximum = max(maximum, load_x(row, i));
  }
  var sum = 0.0;
  for (var i = 0u; i < LENGTH; i++) {
    sum += g_exp(load_x(row, i) - maximum);
  }
  store_y(row, maximum + g_log(sum));
}
