// What a lane of the own subgroup has; the same lane for all of the workgroup. Needs subgroups.

fn of_lane(own: vec4<Acc>, lane: u32) -> vec4<Acc> {
  return subgroupShuffle(own, lane);
}
