// Which row an invocation owns where the rows are there: one for each.

fn own_row(id: vec3u, count: vec3u, local: u32) -> u32 {
  return linear_workgroup(id, count) * WORKGROUP + local;
}
