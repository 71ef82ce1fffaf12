// Merges each two neighbouring runs of RUN sorted elements of a row: y the values, z what
// order[row, i] said of them. One invocation owns one element of the result, and finds by halving how
// many of the elements before it come from the first run (Odeh, Green et al. 2012, "Merge Path").
//
// Constants: ROWS, LENGTH, RUN (the last of a row may be shorter), WORKGROUP. Type: Acc.
// Functions: order_key(x: Acc) -> u32, by which elements are sorted; equal ones stay in their order.
// Accessors: load_x(row, i), load_order(row, i); store_y(row, i, v), store_z(row, i, v).
// Grid: linear, ceil(ROWS · LENGTH / WORKGROUP) workgroups.

// Halvings until nothing is left of RUN + 1 possible numbers.
const STEPS = 32u - countLeadingZeros(RUN);

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
  let first = i / (2u * RUN) * (2u * RUN);
  let second = min(first + RUN, LENGTH);
  let end = min(second + RUN, LENGTH);
  let before = i - first;
  // How many of those before come from the first run lies in [low, high].
  var low = before - min(before, end - second);
  var high = min(before, second - first);
  for (var step = 0u; step < STEPS; step++) {
    let middle = (low + high) / 2u;
    // Where nothing is left to halve, both loads are of no use, but may be made.
    let of_first = order_key(load_x(row, min(first + middle, LENGTH - 1u)));
    let of_second = order_key(load_x(row, min(second + before - 1u - middle, LENGTH - 1u)));
    let is_open = low < high;
    let takes_first = of_first <= of_second;
    low = select(low, middle + 1u, is_open && takes_first);
    high = select(high, middle, is_open && !takes_first);
  }
  let from_first = first + low;
  let from_second = second + before - low;
  let first_key = order_key(load_x(row, min(from_first, LENGTH - 1u)));
  let second_key = order_key(load_x(row, min(from_second, LENGTH - 1u)));
  let is_first = from_first < second && (from_second >= end || first_key <= second_key);
  let place = select(from_second, from_first, is_first);
  store_y(row, i, load_x(row, place));
  store_z(row, i, load_order(row, place));
}
