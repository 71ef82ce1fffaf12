// y[row, i] = finish(x[row, i], max, Σ_j exp(x[row, j] − max)) if EACH, and z[row] = the logarithm of
// Σ_j exp(x[row, j]), where LANES of a subgroup own one row. What softmax.wgsl says of −∞ and
// +∞ holds here. Σ is that of softmax.wgsl with TREE invocations (lib/lane-tree.wgsl), or that of
// softmax-direct.wgsl (lib/lane-turns.wgsl). With lib/lanes.wgsl, lib/lane-rows.wgsl, lib/pairwise.wgsl
// and lib/row-exp.wgsl.
//
// Constants: ROWS, LENGTH, EACH (1 if y is wanted, else 0), BLOCK (how many terms are added in order),
//   STRIDE = TREE or 1, TREE (if there is one), LANES, WORKGROUP (powers of two). Type: Acc (f32).
// Functions: finish(x: Acc, maximum: Acc, sum: Acc) -> Acc.
// Accessors: load_x(row, i), −∞ outside the row; store_y(row, i, v), which never leaves it;
//   store_z(row, v).
// Grid: linear, ceil(ROWS · LANES / WORKGROUP) workgroups.

const TURNS_OF_ROW = (LENGTH + LANES - 1u) / LANES;
const MAXIMUM_HALVINGS = firstTrailingBit(LANES);

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let workgroup = linear_workgroup(id, count);
  if (workgroup * OWNERS >= ROWS) {
    return;
  }
  let place = owner_of(workgroup, local, ROWS);
  let row = place.owner;
  let lane = place.lane;
  var maximum = LOWEST; // see lib/row-exp.wgsl
  for (var turn = 0u; turn < TURNS_OF_ROW; turn++) {
    maximum = max(maximum, load_x(row, turn * LANES + lane));
  }
  for (var level = 1u; level <= MAXIMUM_HALVINGS; level++) {
    maximum = max(maximum, subgroupShuffleXor(maximum, LANES >> level));
  }
  let shift = min(maximum, HIGHEST); // ∞ − ∞ would be NaN
  let total = row_sum(row, lane, shift);
  let sum = select(nan_value(), total, total > 0.0 && g_is_finite(total));
  for (var turn = 0u; turn < EACH * TURNS_OF_ROW; turn++) {
    let i = turn * LANES + lane;
    if (place.is_owned && i < LENGTH) {
      store_y(row, i, finish(load_x(row, i), maximum, sum));
    }
  }
  if (place.is_owned && lane == 0u) {
    store_z(row, shift + g_log(total));
  }
}
