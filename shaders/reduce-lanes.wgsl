// y[row] = combine over i < LENGTH of x[row, i], as reduce.wgsl with TREE invocations, to the same bits, but
// LANES of a subgroup own one row: each combines for TREE / LANES of those invocations.
// With lib/lanes.wgsl, lib/lane-rows.wgsl and lib/lane-numbers.wgsl.
//
// Constants: ROWS, LENGTH, TREE, LANES (powers of two, LANES at most TREE), WORKGROUP (a power of two).
//   Type: Acc (f32, i32 or u32).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc.
// Accessors: load_x(row, i), identity() outside the row; store_y(row, v).
// Grid: linear, ceil(ROWS · LANES / WORKGROUP) workgroups.

const STEPS = (LENGTH + 4u * TREE - 1u) / (4u * TREE);
const SHARE = TREE / LANES;
const SHARE_HALVINGS = firstTrailingBit(SHARE);
const LANE_HALVINGS = firstTrailingBit(LANES);
// Invocations beyond a short row have nothing.
const USED = min(SHARE, (LENGTH + LANES - 1u) / LANES);

fn own_share(row: u32, first: u32) -> Acc {
  var s0 = identity();
  var s1 = identity();
  var s2 = identity();
  var s3 = identity();
  for (var step = 0u; step < STEPS; step++) {
    let i = step * 4u * TREE + first;
    s0 = combine(s0, load_x(row, i));
    if (LENGTH > TREE) {
      s1 = combine(s1, load_x(row, i + TREE));
      s2 = combine(s2, load_x(row, i + 2u * TREE));
      s3 = combine(s3, load_x(row, i + 3u * TREE));
    }
  }
  return combine(combine(s0, s1), combine(s2, s3));
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
  var shares: array<Acc, SHARE>;
  for (var k = 0u; k < SHARE; k++) {
    shares[k] = identity();
  }
  for (var k = 0u; k < USED; k++) {
    shares[k] = own_share(row, k * LANES + lane);
  }
  for (var level = 1u; level <= SHARE_HALVINGS; level++) {
    let half = SHARE >> level;
    for (var k = 0u; k < SHARE / 2u; k++) {
      if (k < half) {
        shares[k] = combine(shares[k], shares[k + half]);
      }
    }
  }
  var all = shares[0];
  for (var level = 1u; level <= LANE_HALVINGS; level++) {
    all = combine(all, across(all, LANES >> level));
  }
  if (place.is_owned && lane == 0u) {
    store_y(row, all);
  }
}
