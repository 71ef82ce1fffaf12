// y[row] = the first i at which x[row, i] is best (argmax: largest, argmin: smallest), z[row] = what is
// there, 0 of zeros of both signs.
// LANES of a subgroup own one row: each keeps the best of every LANES-th element. Of equals
// the lowest index wins. With lib/lanes.wgsl and lib/lane-rows.wgsl.
//
// Constants: ROWS, LENGTH (at least 1), LANES, WORKGROUP (powers of two). Type: Acc (f32, i32 or u32).
// Functions: better(a: Acc, b: Acc) -> bool, a strictly better than b.
// Accessors: load_x(row, i), which never leaves the tensor; store_y(row, v: i32);
//   store_z(row, v).
// Grid: linear, ceil(ROWS · LANES / WORKGROUP) workgroups.

const STEPS = (LENGTH + LANES - 1u) / LANES;
const LANE_HALVINGS = firstTrailingBit(LANES);

// What two equal numbers have in common: either of them, and 0 of zeros of both signs.
fn both_of(a: Acc, b: Acc) -> Acc {
  return bitcast<Acc>(bitcast<u32>(a) & bitcast<u32>(b));
}

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
  // A lane beyond a short row takes its last element too.
  var index = min(lane, LENGTH - 1u);
  var value = load_x(row, index);
  for (var step = 1u; step < STEPS; step++) {
    let i = min(step * LANES + lane, LENGTH - 1u);
    let candidate = load_x(row, i);
    let wins = better(candidate, value);
    index = select(index, i, wins);
    let kept = select(value, both_of(value, candidate), candidate == value);
    value = select(kept, candidate, wins);
  }
  for (var level = 1u; level <= LANE_HALVINGS; level++) {
    let other = subgroupShuffleXor(value, LANES >> level);
    let place_of_other = subgroupShuffleXor(index, LANES >> level);
    let is_earlier = place_of_other < index;
    let wins = better(other, value) || (is_earlier && !better(value, other));
    let are_equal = other == value;
    index = select(index, place_of_other, select(wins, is_earlier, are_equal));
    value = select(select(value, other, wins), both_of(value, other), are_equal);
  }
  if (place.is_owned && lane == 0u) {
    store_y(row, i32(index));
    store_z(row, value);
  }
}
