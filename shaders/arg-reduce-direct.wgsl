// y[row] = the first i at which x[row, i] is best (argmax: largest, argmin: smallest), z[row] = what is
// there, 0 of zeros of both signs, one invocation a row.
//
// Constants: ROWS, LENGTH (at least 1), WORKGROUP. Type: Acc (f32, i32 or u32).
// Functions: better(a: Acc, b: Acc) -> bool, a strictly better than b.
// Accessors: load_x(row, i), which never leaves the tensor; store_y(row, v: i32); store_z(row, v).
// Grid: linear, ceil(ROWS / WORKGROUP) workgroups.

const QUADS = (LENGTH - 1u) / 4u;
const REST = (LENGTH - 1u) % 4u;

struct Best {
  value: Acc,
  index: u32,
}

// What two equal numbers have in common: either of them, and 0 of zeros of both signs.
fn both_of(a: Acc, b: Acc) -> Acc {
  return bitcast<Acc>(bitcast<u32>(a) & bitcast<u32>(b));
}

fn better_of(best: Best, value: Acc, index: u32) -> Best {
  let wins = better(value, best.value);
  let kept = select(best.value, both_of(best.value, value), value == best.value);
  return Best(select(kept, value, wins), select(best.index, index, wins));
}

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
  var best = Best(load_x(row, 0u), 0u);
  for (var q = 0u; q < QUADS; q++) {
    let i = q * 4u + 1u;
    best = better_of(best, load_x(row, i), i);
    best = better_of(best, load_x(row, i + 1u), i + 1u);
    best = better_of(best, load_x(row, i + 2u), i + 2u);
    best = better_of(best, load_x(row, i + 3u), i + 3u);
  }
  for (var q = 0u; q < REST; q++) {
    let i = QUADS * 4u + q + 1u;
    best = better_of(best, load_x(row, i), i);
  }
  store_y(row, i32(best.index));
  store_z(row, best.value);
}
