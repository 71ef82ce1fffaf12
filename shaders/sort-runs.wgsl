// Sorts runs of RUN elements of each row and keeps the first KEEP of each: y their values, z what
// order[row, i] said of them. One workgroup owns one run; each invocation counts those that come
// before its element.
//
// Constants: ROWS, LENGTH, RUN (at most WORKGROUP; the last of a row may be shorter), RUNS of a row,
//   KEEP, WORKGROUP. Type: Acc.
// Functions: order_key(x: Acc) -> u32, by which elements are sorted; equal ones stay in their order.
// Accessors: load_x(row, i), anything outside the row; load_order(row, i); store_y(row, i, v),
//   store_z(row, i, v), whose rows hold what is kept of each run, one run after the other.
// Grid: linear, ROWS · RUNS workgroups.

var<workgroup> keys: array<u32, WORKGROUP>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let owned = linear_workgroup(id, count);
  if (owned >= ROWS * RUNS) {
    return;
  }
  let row = owned / RUNS;
  let run = owned % RUNS;
  let i = run * RUN + local;
  let x = load_x(row, i);
  let key = order_key(x);
  keys[local] = key;
  workgroupBarrier();
  var rank = 0u;
  for (var j = 0u; j < RUN; j++) {
    let other = keys[j];
    let is_before = other < key || (other == key && j < local);
    rank += select(0u, 1u, is_before && run * RUN + j < LENGTH);
  }
  if (local < RUN && i < LENGTH && rank < KEEP) {
    let place = run * KEEP + rank;
    store_y(row, place, x);
    store_z(row, place, load_order(row, i));
  }
}
