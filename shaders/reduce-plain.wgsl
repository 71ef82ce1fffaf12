// y[row, chunk] = combine over the chunk's i of x[row, i], as reduce-direct.wgsl, with as little code
// as can be, for first runs. One invocation owns one chunk of a row and keeps four independent
// chains, in the same order, to the same bits.
//
// Constants: ROWS, LENGTH, CHUNK (length of a chunk), CHUNKS = ceil(LENGTH / CHUNK), WORKGROUP.
// Type: Acc (f32, i32 or u32).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc.
// Accessors: load_x(row, i), identity() outside the row; store_y(row · CHUNKS + chunk, v).
// Grid: linear, ceil(ROWS · CHUNKS / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let owned = linear_workgroup(id, count) * WORKGROUP + local;
  if (owned >= ROWS * CHUNKS) {
    return;
  }
  let row = owned / CHUNKS;
  let start = owned % CHUNKS * CHUNK;

  var s = array(identity(), identity(), identity(), identity());
  for (var i = 0u; i < CHUNK; i++) {
    let chain = select(0u, i % 4u, i < CHUNK / 4u * 4u);
    s[chain] = combine(s[chain], load_x(row, start + i));
  }
  store_y(owned, combine(combine(s[0], s[1]), combine(s[2], s[3])));
}
