// Running totals of each row: those of its first i + 1 items are stored at i, without workgroup memory
// or barrier. One invocation owns one row.
//
// Constants: ROWS, LENGTH, WORKGROUP. Type: Acc.
// With lib/scan-numbers.wgsl or lib/scan-steps.wgsl: alias or struct Item; item(row, i);
//   joined(before, after); store(row, i, x).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc, where items are numbers.
// Grid: linear, ceil(ROWS / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_workgroup(id, count) * WORKGROUP + local;
  if (row >= ROWS) {
    return;
  }
  var total = item(row, 0u);
  store(row, 0u, total);
  for (var i = 1u; i < LENGTH; i++) {
    total = joined(total, item(row, i));
    store(row, i, total);
  }
}
