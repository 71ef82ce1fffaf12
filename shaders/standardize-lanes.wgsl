// y[row, i] = (x[row, i] − mean[row]) · scale[row] and z[row] = scale[row] = scale_of(Σ_i (x[row, i] −
// mean[row])² / LENGTH), where LANES of a subgroup own one row. Sums are those of
// standardize.wgsl with TREE invocations (lib/lane-tree.wgsl), or of standardize-direct.wgsl
// (lib/lane-turns.wgsl). With lib/lanes.wgsl, lib/lane-rows.wgsl, lib/pairwise.wgsl and
// lib/row-standard.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), STRIDE = TREE or 1, TREE (if there
//   is one), LANES, WORKGROUP (powers of two). Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, i, v), which never leaves it;
//   store_z(row, v).
// Functions: scale_of(variance: Acc) -> Acc.
// Grid: linear, ceil(ROWS · LANES / WORKGROUP) workgroups.

const TURNS_OF_ROW = (LENGTH + LANES - 1u) / LANES;

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
  let n = Acc(LENGTH);
  let first = load_x(row, 0u);
  let shift = Shift(first, row_sum(row, lane, Shift(first, Acc())).x / n);
  let means = row_sum(row, lane, shift) / n;
  let scale = scale_of(means.y);
  for (var turn = 0u; turn < TURNS_OF_ROW; turn++) {
    let i = turn * LANES + lane;
    if (place.is_owned && i < LENGTH) {
      store_y(row, i, centered(row, i, shift, means.x) * scale);
    }
  }
  if (place.is_owned && lane == 0u) {
    store_z(row, scale);
  }
}
