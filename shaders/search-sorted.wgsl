// y[i] = how many of the sorted x are less than v[i]: where the first that is not would be.
// One invocation owns one of these numbers and finds it by halving.
//
// Constants: LENGTH (elements of x, at least 1), COUNT (elements of v), WORKGROUP. Type: Acc.
// Accessors: load_x(i), load_v(i); store_y(i, v).
// Grid: linear, ceil(COUNT / WORKGROUP) workgroups.

// Halvings until nothing is left of LENGTH + 1 possible numbers.
const STEPS = 32u - countLeadingZeros(LENGTH);

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  if (i >= COUNT) {
    return;
  }
  let v = load_v(i);
  var low = 0u;
  var high = LENGTH;
  for (var step = 0u; step < STEPS; step++) {
    let middle = (low + high) / 2u;
    // Where nothing is left to halve, the load is of no use, but may be made.
    let is_less = load_x(min(middle, LENGTH - 1u)) < v;
    high = select(middle, high, is_less);
    low = select(low, min(middle + 1u, high), is_less);
  }
  store_y(i, i32(low));
}
