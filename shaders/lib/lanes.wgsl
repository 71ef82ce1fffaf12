// Which invocations of a workgroup are lanes of one subgroup. Needs subgroups. Where the subgroups' sizes
// divide a number, so many places in a row are of whole subgroups, however a GPU deals invocations out to these.

// The places that are taken.
var<workgroup> taken: array<atomic<u32>, 1>;

// A place in the workgroup, side by side with the other lanes of the subgroup, and which lane it is. All of
// the workgroup must come here, once.
fn place_of(local: u32) -> vec2u {
  let lane = subgroupExclusiveAdd(1u);
  let size = subgroupAdd(1u);
  var first = 0u;
  if (lane == 0u) {
    first = atomicAdd(&taken[0], size);
  }
  return vec2u(subgroupBroadcastFirst(first) + lane, lane);
}
