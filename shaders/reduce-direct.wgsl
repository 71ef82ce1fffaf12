// y[row, chunk] = combine over the chunk's i of x[row, i], without workgroup memory or barrier.
// One invocation owns one chunk of a row and keeps four independent chains, so that the rounding
// error grows with √CHUNK at most. What chunks give is combined again where there are several.
//
// Constants: ROWS, LENGTH, CHUNK (length of a chunk), CHUNKS = ceil(LENGTH / CHUNK), WORKGROUP.
// Type: Acc (f32, i32 or u32).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc.
// Accessors: load_x(row, i), identity() outside the row; store_y(row · CHUNKS + chunk, v).
// Grid: linear, ceil(ROWS · CHUNKS / WORKGROUP) workgroups.

const QUADS = CHUNK / 4u;
const REST = CHUNK % 4u;

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

  var s0 = identity();
  var s1 = identity();
  var s2 = identity();
  var s3 = identity();
  for (var q = 0u; q < QUADS; q++) {
    let i = start + q * 4u;
    s0 = combine(s0, load_x(row, i));
    s1 = combine(s1, load_x(row, i + 1u));
    s2 = combine(s2, load_x(row, i + 2u));
    s3 = combine(s3, load_x(row, i + 3u));
  }
  for (var q = 0u; q < REST; q++) {
    s0 = combine(s0, load_x(row, start + QUADS * 4u + q));
  }
  store_y(owned, combine(combine(s0, s1), combine(s2, s3)));
}
