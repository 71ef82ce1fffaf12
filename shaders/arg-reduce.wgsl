// y[row] = the first i at which x[row, i] is best (argmax: largest, argmin: smallest).
// One workgroup owns one row: each invocation keeps the best of every WORKGROUP-th element, then
// the workgroup halves what is left. Of equals the lowest index wins.
//
// Constants: ROWS, LENGTH (at least 1), WORKGROUP (a power of two). Type: Acc (f32, i32 or u32).
// Functions: better(a: Acc, b: Acc) -> bool, a strictly better than b.
// Accessors: load_x(row, i), which never leaves the tensor; store_y(row, v: i32).
// Grid: linear, ROWS workgroups.

const STEPS = (LENGTH + WORKGROUP - 1u) / WORKGROUP;
const LEVELS = firstTrailingBit(WORKGROUP);

var<workgroup> values: array<Acc, WORKGROUP>;
var<workgroup> indices: array<u32, WORKGROUP>;

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
  // An invocation beyond a short row takes its last element too.
  var index = min(local, LENGTH - 1u);
  var value = load_x(row, index);
  for (var step = 1u; step < STEPS; step++) {
    let i = step * WORKGROUP + local;
    if (i < LENGTH) {
      let candidate = load_x(row, i);
      let wins = better(candidate, value);
      index = select(index, i, wins);
      value = select(value, candidate, wins);
    }
  }
  values[local] = value;
  indices[local] = index;

  for (var level = 1u; level <= LEVELS; level++) {
    let stride = WORKGROUP >> level;
    workgroupBarrier();
    if (local < stride) {
      let a = values[local];
      let b = values[local + stride];
      let is_earlier = indices[local + stride] < indices[local];
      if (better(b, a) || (is_earlier && !better(a, b))) {
        values[local] = b;
        indices[local] = indices[local + stride];
      }
    }
  }
  if (local == 0u) {
    store_y(row, i32(indices[0]));
  }
}
