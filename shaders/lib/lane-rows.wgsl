// Which of the owners of a workgroup, rows or their chunks, an invocation works for, and as which of its
// LANES. These are side by side in a subgroup, of any size that a subgroup has, so that nobody waits for
// others. With lib/lanes.wgsl.
//
// Constants: WORKGROUP, LANES (powers of two; LANES at most the size of a subgroup).

// Owners of a workgroup.
const OWNERS = WORKGROUP / LANES;

struct Place {
  owner: u32, // the last one for invocations that are left over, which go along and store nothing
  lane: u32,
  is_owned: bool,
}

// All of the workgroup must come here, once.
fn owner_of(workgroup: u32, local: u32, owners: u32) -> Place {
  let place = place_of(local).x;
  let owner = workgroup * OWNERS + place / LANES;
  return Place(min(owner, owners - 1u), place % LANES, owner < owners);
}
