// y[row] = the first i at which x[row, i] is best (argmax: largest, argmin: smallest), z[row] = what is
// there, 0 of zeros of both signs.
// One workgroup owns one row: each invocation keeps the best of every WORKGROUP-th element, and
// lib/workgroup.wgsl finds the best of these. Of equals the lowest index wins.
//
// Constants: ROWS, LENGTH (at least 1), WORKGROUP (a power of two). Type: Acc (f32, i32 or u32).
// Functions: better(a: Acc, b: Acc) -> bool, a strictly better than b.
// Accessors: load_x(row, i), which never leaves the tensor; store_y(row, v: i32);
//   store_z(row, v).
// Grid: linear, ROWS workgroups.

const STEPS = (LENGTH + WORKGROUP - 1u) / WORKGROUP;

struct Item {
  value: Acc,
  index: u32,
}

// What two equal numbers have in common: either of them, and 0 of zeros of both signs.
fn both_of(a: Acc, b: Acc) -> Acc {
  return bitcast<Acc>(bitcast<u32>(a) & bitcast<u32>(b));
}

fn combine(a: Item, b: Item) -> Item {
  if (a.value == b.value) {
    return Item(both_of(a.value, b.value), min(a.index, b.index));
  }
  let is_earlier = b.index < a.index;
  if (better(b.value, a.value) || (is_earlier && !better(a.value, b.value))) {
    return b;
  }
  return a;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let row = linear_workgroup(id, count);
  if (row >= ROWS) {
    return;
  }
  // An invocation beyond a short row takes its last element too.
  var index = min(local, LENGTH - 1u);
  var value = load_x(row, index);
  for (var step = 1u; step < STEPS; step++) {
    let i = step * WORKGROUP + local;
    if (i < LENGTH) {
      let candidate = load_x(row, i);
      let wins = better(candidate, value);
      index = select(index, i, wins);
      let kept = select(value, both_of(value, candidate), candidate == value);
      value = select(kept, candidate, wins);
    }
  }
  let best = join_workgroup(local, Item(value, index));
  if (local == 0u) {
    store_y(row, i32(best.index));
    store_z(row, best.value);
  }
}
