// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)) if EACH, and z[row] = the logarithm of
// Σ_j exp(x[row, j]), one invocation a row.
// softmax: finish = exp(x − max) / sum; logSoftmax: finish = (x − max) − log(sum).
// An entry of −∞ counts for nothing; a row of nothing else has no softmax, which is NaN, and z = −∞; one
// with +∞ has none either, and z = +∞.
// With lib/pairwise.wgsl, lib/row-exp.wgsl, and lib/given-row.wgsl, lib/product-row.wgsl or
//   lib/product-rows.wgsl: own_row(id, count, local): the row of an invocation, ROWS or more where it
//   has none.
//
// Constants: ROWS, LENGTH, EACH (1 if y is wanted, else 0), BLOCK (how many terms are added in order), STRIDE = 1, WORKGROUP.
//   Type: Acc (f32).
// Functions: finish(x: Acc, maximum: Acc, sum: Acc) -> Acc.
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, i, v), which never leaves it;
//   store_z(row, v).
// Grid: linear, ceil(ROWS / rows of a workgroup) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = own_row(id, count, local);
  if (row >= ROWS) {
    return;
  }
  let maximum = own_maximum(row, 0u);
  let shift = min(maximum, HIGHEST); // ∞ − ∞ would be NaN
  let total = own_sum(row, 0u, shift);
  let sum = select(nan_value(), total, total > 0.0 && g_is_finite(total));
  for (var i = 0u; i < EACH * LENGTH; i++) {
    store_y(row, i, finish(load_x(row, i), maximum, sum));
  }
  store_z(row, shift + g_log(total));
}
