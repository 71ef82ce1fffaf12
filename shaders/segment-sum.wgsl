// y[r, c] = Σ of g[order[j], c] over j from starts[r] to before starts[r + 1]: the sums of neighbouring
// rows, in an order. One invocation owns one element of y and adds in order, so that the sum is the
// same every time.
//
// Constants: ROWS, COLUMNS, COUNT (rows of g, and places in the order), WORKGROUP. Type: Acc.
// Accessors: load_starts(r) -> i32 for r up to ROWS, from 0 to COUNT; load_order(j) -> i32,
//   load_g(j, c) -> Acc; store_y(r, c, v). None leaves its tensor.
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
  let end = u32(load_starts(row + 1u));
  var sum = Acc();
  for (var j = u32(load_starts(row)); j < COUNT; j++) {
    if (j >= end) {
      break;
    }
    sum += load_g(u32(load_order(j)), column);
  }
  store_y(row, column, sum);
}
