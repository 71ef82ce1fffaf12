// Joins what the invocations of a workgroup have into one, by the pairs of lib/workgroup.wgsl, so to the
// same bits: the upper half of what is left joins the lower half, until LANES are left. These each
// subgroup joins by itself, without barriers. All of the workgroup must come here.
//
// Constants: WORKGROUP, LANES (powers of two; LANES at most the size of a subgroup, all of whose invocations
//   there are).
// What comes with it declares what is joined, and how: alias Item, a number or a vector;
//   fn combine(a: Item, b: Item) -> Item.

const HALVINGS = firstTrailingBit(WORKGROUP / LANES);
const LANE_HALVINGS = firstTrailingBit(LANES);

var<workgroup> items: array<Item, WORKGROUP>;

// All that the workgroup has, for each invocation. Before it is used again, all must have read that.
fn join_workgroup(local: u32, own: Item) -> Item {
  items[local] = own;
  for (var level = 1u; level <= HALVINGS; level++) {
    let stride = WORKGROUP >> level;
    workgroupBarrier();
    if (local < stride) {
      items[local] = combine(items[local], items[local + stride]);
    }
  }
  workgroupBarrier();
  let lane = subgroupExclusiveAdd(1u);
  var left = items[lane % LANES];
  for (var level = 1u; level <= LANE_HALVINGS; level++) {
    left = combine(left, subgroupShuffleXor(left, LANES >> level));
  }
  return subgroupBroadcastFirst(left); // the first lane's pairs are those of the tree
}
