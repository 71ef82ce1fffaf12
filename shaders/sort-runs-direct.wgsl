// Sorts runs of RUN elements of each row and keeps the first KEEP of each: y their values, z what
// order[row, i] said of them. One invocation owns one element, and counts those that come before it.
//
// Constants: ROWS, LENGTH, RUN (the last of a row may be shorter), KEEP, WORKGROUP. Type: Acc.
// Functions: order_key(x: Acc) -> u32, by which elements are sorted; equal ones stay in their order.
// Accessors: load_x(row, i), load_order(row, i); store_y(row, i, v), store_z(row, i, v), whose rows
//   hold what is kept of each run, one run after the other.
// Grid: linear, ceil(ROWS · LENGTH / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let owned = linear_workgroup(id, count) * WORKGROUP + local;
  if (owned >= ROWS * LENGTH) {
    return;
  }
  let row = owned / LENGTH;
  let i = owned % LENGTH;
  let start = i / RUN * RUN;
  let x = load_x(row, i);
  let key = order_key(x);
  var rank = 0u;
  for (var j = 0u; j < RUN; j++) {
    let other = start + j;
    let other_key = order_key(load_x(row, min(other, LENGTH - 1u)));
    let is_before = other_key < key || (other_key == key && other < i);
    rank += select(0u, 1u, is_before && other < LENGTH);
  }
  if (rank < KEEP) {
    let place = i / RUN * KEEP + rank;
    store_y(row, place, x);
    store_z(row, place, load_order(row, i));
  }
}
