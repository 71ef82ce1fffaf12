// mean[row] = Σ_i x[row, i] / LENGTH, variance[row] = Σ_i (x[row, i] − mean[row])² / LENGTH, one
// invocation a row.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), WORKGROUP. Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, mean), store_z(row, variance).
// Grid: linear, ceil(ROWS / WORKGROUP) workgroups.

// Sums are pairwise, so that rounding grows with the logarithm of a row's length: blocks of elements
// are added in order, then 1, 2, 4, … blocks as a binary counter carries.
const BLOCKS = (LENGTH + BLOCK - 1u) / BLOCK;
const LEVELS = 32u - countLeadingZeros(BLOCKS);

// Σ_i x − center of a row, or of its squares.
fn centered_sum(row: u32, center: Acc, is_squared: bool) -> Acc {
  // carried[l]: the sum of 2^l blocks, where the number of blocks so far has bit l.
  var carried: array<Acc, LEVELS>;
  for (var b = 0u; b < BLOCKS; b++) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK; j++) {
      let i = b * BLOCK + j;
      let x = load_x(row, i) - center;
      block += select(0.0, select(x, x * x, is_squared), i < LENGTH);
    }
    let carries = countTrailingZeros(~b);
    for (var l = 0u; l < carries; l++) {
      block += carried[l];
    }
    carried[carries] = block;
  }
  var sum = 0.0;
  for (var l = 0u; l < LEVELS; l++) {
    sum += select(0.0, carried[l], ((BLOCKS >> l) & 1u) == 1u);
  }
  return sum;
}

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
  let mean = centered_sum(row, 0.0, false) / Acc(LENGTH);
  store_y(row, mean);
  store_z(row, centered_sum(row, mean, true) / Acc(LENGTH));
}
