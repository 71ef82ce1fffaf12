// y[r, c] = Σ over j with index[j] == r of g[j, c]: the adjoint of gathering rows.
// One invocation owns one element of y and walks all indices in order, so that the sum is the same
// every time. An index outside 0 .. ROWS − 1 matches no row.
//
// Constants: ROWS, COLUMNS, COUNT (number of indices), WORKGROUP. Type: Acc.
// Accessors: load_index(j) -> i32, load_g(j, c) -> Acc, store_y(r, c, v); none leaves its tensor.
// Grid: linear, ceil(ROWS · COLUMNS / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  if (i >= ROWS * COLUMNS) {
    return;
  }
  let row = i / COLUMNS;
  let column = i % COLUMNS;
  var sum = Acc();
  for (var j = 0u; j < COUNT; j++) {
    if (load_index(j) == i32(row)) {
      sum += load_g(j, column);
    }
  }
  store_y(row, column, sum);
}
