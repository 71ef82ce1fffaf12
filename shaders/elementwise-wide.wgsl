// y[4q .. 4q+3] = value(4q .. 4q+3): one invocation owns four neighbours.
//
// Constants: QUADS = ceil(size / 4), WORKGROUP.
// Functions: value_y4(q), four of y's elements.
// Accessors: store_y4(q, v), which drops lanes beyond the size unless 4 divides it.
// Grid: linear, ceil(QUADS / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let q = linear_workgroup(id, count) * WORKGROUP + local;
  if (q < QUADS) {
    store_y4(q, value_y4(q));
  }
}
