// y[row] = the first i at which x[row, i] is best (argmax: largest, argmin: smallest), one
// invocation a row.
//
// Constants: ROWS, LENGTH (at least 1), WORKGROUP. Type: Acc (f32, i32 or u32).
// Functions: better(a: Acc, b: Acc) -> bool, a strictly better than b.
// Accessors: load_x(row, i), which never leaves the tensor; store_y(row, v: i32).
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
  var index = 0u;
  var value = load_x(row, 0u);
  for (var i = 1u; i < LENGTH; i++) {
    let candidate = load_x(row, i);
    let wins = better(candidate, value);
    index = select(index, i, wins);
    value = select(value, candidate, wins);
  }
  store_y(row, i32(index));
}
