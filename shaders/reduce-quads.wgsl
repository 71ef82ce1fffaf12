// y[row, chunk] = combine over the chunk's i of x[row, i], as reduce-direct.wgsl, to the same bits, but four
// lanes of a subgroup own one chunk of a row, and keep one of its four chains each.
// With lib/lanes.wgsl, lib/lane-rows.wgsl and lib/lane-numbers.wgsl.
//
// Constants: ROWS, LENGTH, CHUNK (length of a chunk), CHUNKS = ceil(LENGTH / CHUNK), LANES = 4, WORKGROUP.
//   Type: Acc (f32, i32 or u32).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc.
// Accessors: load_x(row, i), identity() outside the row; store_y(row · CHUNKS + chunk, v).
// Grid: linear, ceil(ROWS · CHUNKS · LANES / WORKGROUP) workgroups.

const QUADS = CHUNK / 4u;
const REST = CHUNK % 4u;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let workgroup = linear_workgroup(id, count);
  if (workgroup * OWNERS >= ROWS * CHUNKS) {
    return;
  }
  let place = owner_of(workgroup, local, ROWS * CHUNKS);
  let row = place.owner / CHUNKS;
  let start = place.owner % CHUNKS * CHUNK;

  var own = identity();
  for (var q = 0u; q < QUADS; q++) {
    own = combine(own, load_x(row, start + q * 4u + place.lane));
  }
  if (place.lane == 0u) {
    for (var q = 0u; q < REST; q++) {
      own = combine(own, load_x(row, start + QUADS * 4u + q));
    }
  }
  let pair = combine(own, across(own, 1u));
  let all = combine(pair, across(pair, 2u));
  if (place.is_owned && place.lane == 0u) {
    store_y(place.owner, all);
  }
}
