// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)), one invocation a row.
// softmax: finish = exp(x − max) / sum; logSoftmax: finish = (x − max) − log(sum).
// An entry of −∞ counts for nothing; a row of nothing else has no softmax and gives NaN.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), WORKGROUP.
// Type: Acc (f32).
// Functions: finish(x: Acc, maximum: Acc, sum: Acc) -> Acc. Needs lib/bits.wgsl and
//   lib/exp-log.wgsl.
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, i, v), which never leaves it.
// Grid: linear, ceil(ROWS / WORKGROUP) workgroups.

// Sums are pairwise, so that rounding grows with the logarithm of a row's length: blocks of elements
// are added in order, then 1, 2, 4, … blocks as a binary counter carries.
const BLOCKS = (LENGTH + BLOCK - 1u) / BLOCK;
const LEVELS = 32u - countLeadingZeros(BLOCKS);

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
  // carried[l]: the sum of 2^l blocks, where the number of blocks so far has bit l.
  var carried: array<Acc, LEVELS>;
  for (var b = 0u; b < BLOCKS; b++) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK; j++) {
      block += g_exp(load_x(row, b * BLOCK + j) - maximum);
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
  sum = select(sum, nan_value(), sum == 0.0);
  for (var i = 0u; i < LENGTH; i++) {
    store_y(row, i, finish(load_x(row, i), maximum, sum));
  }
}
