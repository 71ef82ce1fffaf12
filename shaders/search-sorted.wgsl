// y[r, i] = how many of the sorted x[r, …] come before v[r, i]: where it would be put among them.
// One invocation owns one of these numbers and finds it by halving.
//
// Constants: ROWS, LENGTH (elements of a row of x, at least 1), COUNT (of a row of v), WORKGROUP.
// Type: Acc.
// Functions: comes_before(x: Acc, v: Acc) -> bool, of x in order: first true, then false.
// Accessors: load_x(r, i), load_v(r, i); store_y(r, i, v).
// Grid: linear, ceil(ROWS · COUNT / WORKGROUP) workgroups.

// Halvings until nothing is left of LENGTH + 1 possible numbers.
const STEPS = 32u - countLeadingZeros(LENGTH);

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  if (i >= ROWS * COUNT) {
    return;
  }
  let row = i / COUNT;
  let v = load_v(row, i % COUNT);
  var low = 0u;
  var high = LENGTH;
  for (var step = 0u; step < STEPS; step++) {
    let middle = (low + high) / 2u;
    // Where nothing is left to halve, the load is of no use, but may be made.
    let is_before = comes_before(load_x(row, min(middle, LENGTH - 1u)), v);
    high = select(middle, high, is_before);
    low = select(low, min(middle + 1u, high), is_before);
  }
  store_y(row, i % COUNT, i32(low));
}
