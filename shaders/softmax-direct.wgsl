// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)), one invocation a row.
// softmax: finish = exp(x − max) / sum; logSoftmax: finish = (x − max) − log(sum).
// An entry of −∞ counts for nothing; a row of nothing else has no softmax and gives NaN.
//
// Constants: ROWS, LENGTH, WORKGROUP. Type: f32.
// Functions: finish(x: f32, maximum: f32, sum: f32) -> f32. Needs lib/bits.wgsl and
//   lib/exp-log.wgsl.
// Accessors: load_x(row, i), store_y(row, i, v); neither leaves the tensor.
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
  sum = select(sum, nan_value(), sum == 0.0);
  for (var i = 0u; i < LENGTH; i++) {
    store_y(row, i, finish(load_x(row, i), maximum, sum));
  }
}
