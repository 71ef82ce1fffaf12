// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)), one workgroup a row.
// softmax: finish = exp(x − max) / sum; logSoftmax: finish = (x − max) − log(sum).
// An entry of −∞ counts for nothing; a row of nothing else has no softmax and gives NaN.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms an invocation adds in order), WORKGROUP (a
//   power of two). Type: Acc (f32).
// Functions: finish(x: Acc, maximum: Acc, sum: Acc) -> Acc. Needs lib/bits.wgsl and
//   lib/exp-log.wgsl.
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, i, v), which never leaves it.
// Grid: linear, ROWS workgroups.

const STEPS = (LENGTH + WORKGROUP - 1u) / WORKGROUP;
const HALVINGS = firstTrailingBit(WORKGROUP);

// Sums are pairwise, so that rounding grows with the logarithm of a row's length: blocks of elements
// are added in order, then 1, 2, 4, … blocks as a binary counter carries.
const BLOCKS = (STEPS + BLOCK - 1u) / BLOCK;
const LEVELS = 32u - countLeadingZeros(BLOCKS);

var<workgroup> maxima: array<Acc, WORKGROUP>;
var<workgroup> sums: array<Acc, WORKGROUP>;

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
  // Starting from the lowest finite number keeps −∞ − max from being −∞ + ∞.
  var own_maximum = LOWEST;
  for (var step = 0u; step < STEPS; step++) {
    own_maximum = max(own_maximum, load_x(row, step * WORKGROUP + local));
  }
  maxima[local] = own_maximum;
  for (var level = 1u; level <= HALVINGS; level++) {
    let stride = WORKGROUP >> level;
    workgroupBarrier();
    if (local < stride) {
      maxima[local] = max(maxima[local], maxima[local + stride]);
    }
  }
  workgroupBarrier();
  let maximum = maxima[0];

  // carried[l]: the sum of 2^l blocks, where the number of blocks so far has bit l.
  var carried: array<Acc, LEVELS>;
  for (var b = 0u; b < BLOCKS; b++) {
    var block = 0.0;
    for (var j = 0u; j < BLOCK; j++) {
      block += g_exp(load_x(row, (b * BLOCK + j) * WORKGROUP + local) - maximum);
    }
    let carries = countTrailingZeros(~b);
    for (var l = 0u; l < carries; l++) {
      block += carried[l];
    }
    carried[carries] = block;
  }
  var own_sum = 0.0;
  for (var l = 0u; l < LEVELS; l++) {
    own_sum += select(0.0, carried[l], ((BLOCKS >> l) & 1u) == 1u);
  }
  sums[local] = own_sum;
  for (var level = 1u; level <= HALVINGS; level++) {
    let stride = WORKGROUP >> level;
    workgroupBarrier();
    if (local < stride) {
      sums[local] += sums[local + stride];
    }
  }
  workgroupBarrier();
  let sum = select(sums[0], nan_value(), sums[0] == 0.0);

  for (var step = 0u; step < STEPS; step++) {
    let i = step * WORKGROUP + local;
    if (i < LENGTH) {
      store_y(row, i, finish(load_x(row, i), maximum, sum));
    }
  }
}
