// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)), one workgroup a row.
// softmax: finish = exp(x − max) / sum; logSoftmax: finish = (x − max) − log(sum).
// An entry of −∞ counts for nothing; a row of nothing else has no softmax and gives NaN.
//
// Constants: ROWS, LENGTH, WORKGROUP (a power of two). Type: f32.
// Functions: finish(x: f32, maximum: f32, sum: f32) -> f32. Needs lib/bits.wgsl and
//   lib/exp-log.wgsl.
// Accessors: load_x(row, i), store_y(row, i, v); neither leaves the tensor.
// Grid: linear, ROWS workgroups.

const STEPS = (LENGTH + WORKGROUP - 1u) / WORKGROUP;
const LEVELS = firstTrailingBit(WORKGROUP);

var<workgroup> maxima: array<f32, WORKGROUP>;
var<workgroup> sums: array<f32, WORKGROUP>;

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
    let i = step * WORKGROUP + local;
    if (i < LENGTH) {
      own_maximum = max(own_maximum, load_x(row, i));
    }
  }
  maxima[local] = own_maximum;
  for (var level = 1u; level <= LEVELS; level++) {
    let stride = WORKGROUP >> level;
    workgroupBarrier();
    if (local < stride) {
      maxima[local] = max(maxima[local], maxima[local + stride]);
    }
  }
  workgroupBarrier();
  let maximum = maxima[0];

  var own_sum = 0.0;
  for (var step = 0u; step < STEPS; step++) {
    let i = step * WORKGROUP + local;
    if (i < LENGTH) {
      own_sum += g_exp(load_x(row, i) - maximum);
    }
  }
  sums[local] = own_sum;
  for (var level = 1u; level <= LEVELS; level++) {
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
