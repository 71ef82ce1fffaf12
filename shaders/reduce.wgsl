// y[row] = combine over i < LENGTH of x[row, i], as a tree.
// One workgroup owns one row: each invocation combines every WORKGROUP-th element in four
// independent chains, which lib/workgroup.wgsl joins. The order never varies.
//
// Constants: ROWS, LENGTH, WORKGROUP (a power of two). Type: Acc (f32, i32 or u32).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc.
// Accessors: load_x(row, i), identity() outside the row; store_y(row, v).
// Grid: linear, ROWS workgroups.

const STEPS = (LENGTH + 4u * WORKGROUP - 1u) / (4u * WORKGROUP);

alias Item = Acc;

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
  var s0 = identity();
  var s1 = identity();
  var s2 = identity();
  var s3 = identity();
  for (var step = 0u; step < STEPS; step++) {
    let i = step * 4u * WORKGROUP + local;
    s0 = combine(s0, load_x(row, i));
    s1 = combine(s1, load_x(row, i + WORKGROUP));
    s2 = combine(s2, load_x(row, i + 2u * WORKGROUP));
    s3 = combine(s3, load_x(row, i + 3u * WORKGROUP));
  }
  let all = join_workgroup(local, combine(combine(s0, s1), combine(s2, s3)));
  if (local == 0u) {
    store_y(row, all);
  }
}
