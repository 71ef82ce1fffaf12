// Joins what the invocations of a workgroup have into one, as a tree: the upper half of what is left
// joins the lower half, so that the order never varies. All of the workgroup must come here.
//
// Constants: WORKGROUP (a power of two).
// What comes with it declares what is joined, and how: alias or struct Item,
//   fn combine(a: Item, b: Item) -> Item.

const HALVINGS = firstTrailingBit(WORKGROUP);

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
  return items[0];
}
