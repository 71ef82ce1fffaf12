// mean[row] = Σ_i x[row, i] / LENGTH, variance[row] = Σ_i (x[row, i] − mean[row])² / LENGTH, where LANES
// of a subgroup own one row. Sums are those of moments.wgsl with TREE invocations
// (lib/lane-tree.wgsl), or of moments-direct.wgsl (lib/lane-turns.wgsl). With lib/lanes.wgsl,
// lib/lane-rows.wgsl, lib/pairwise.wgsl and lib/row-moments.wgsl.
//
// Constants: ROWS, LENGTH, BLOCK (how many terms are added in order), STRIDE = TREE or 1, TREE (if there
//   is one), LANES, WORKGROUP (powers of two). Type: Acc (f32).
// Accessors: load_x(row, i), anything outside the row; store_y(row, mean), store_z(row, variance).
// Grid: linear, ceil(ROWS · LANES / WORKGROUP) workgroups.

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
  let mean = row_sum(row, lane, Shift(Acc(), false)) / n;
  let variance = row_sum(row, lane, Shift(mean, true)) / n;
  if (place.is_owned && lane == 0u) {
    store_y(row, mean);
    store_z(row, variance);
  }
}
