// y[row, order[row, j]] = g[row, j], where each row of order is a permutation of 0, …, LENGTH − 1.
// One invocation owns one element of g.
//
// Constants: ROWS, LENGTH, WORKGROUP. Type: Acc.
// Accessors: load_g(row, j), load_order(row, j); store_y(row, i, v).
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
  let j = owned % LENGTH;
  store_y(row, u32(load_order(row, j)), load_g(row, j));
}
