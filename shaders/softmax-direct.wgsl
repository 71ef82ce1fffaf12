// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)), one invocation a row.
// softmax: finish = exp(x − max) / sum; logSoftmax: finish = (x − max) − log(sum).
// An entry of −∞ counts for nothing; a row of nothing else has no softmax and gives NaN.
// With lib/pairwise.wgsl and lib/row-exp.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), STRIDE = 1, WORKGROUP.
//   Type: Acc (f32).
// Functions: finish(x: Acc, maximum: Acc, sum: Acc) -> Acc.
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, i, v), which never leaves it.
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
  let maximum = own_maximum(row, 0u);
  let total = own_sum(row, 0u, maximum);
  let sum = select(total, nan_value(), total == 0.0);
  for (var i = 0u; i < LENGTH; i++) {
    store_y(row, i, finish(load_x(row, i), maximum, sum));
  }
}
