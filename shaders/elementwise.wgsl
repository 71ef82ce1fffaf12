// y[i] = value(i) for every element: one invocation owns one element.
//
// Constants: SIZE, WORKGROUP.
// Functions: value_y(i), of y's element type.
// Accessors: store_y(i, v). Neither leaves the tensor.
// Grid: linear, ceil(SIZE / WORKGROUP) workgroups.

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  if (i < SIZE) {
    store_y(i, value_y(i));
  }
}
