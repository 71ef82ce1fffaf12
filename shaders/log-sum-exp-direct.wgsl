// y[row] = max + log Σ_i exp(x[row, i] − max), one invocation a row.
// An entry of −∞ counts for nothing; a row of nothing else gives −∞, one with +∞ gives +∞.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), WORKGROUP.
// Type: Acc (f32). Needs lib/bits.wgsl and lib/exp-log.wgsl.
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, v).
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
  let shift = min(maximum, HIGHEST); // ∞ − ∞ would be NaN
  // carried[l]: the sum of 2^l blocks, where the number of blocks so far has bit l.
  var carried: array<Acc, LEVELS>;
  for (var b = 0u; b < BLOCKS; b++) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK; j++) {
      block += g_exp(load_x(row, b * BLOCK + j) - shift);
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
  store_y(row, shift + g_log(sum));
}
