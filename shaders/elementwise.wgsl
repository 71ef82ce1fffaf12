// y[i] = value(i) for every element of each result: one invocation owns one element.
//
// Constants: SIZE, WORKGROUP.
// Functions: write_y(i), which computes element i of every result and stores it.
// Grid: linear, ceil(SIZE / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  if (i < SIZE) {
    write_y(i);
  }
}
