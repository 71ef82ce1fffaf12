// Running totals of each row: those of its first i + 1 items are stored at i.
// One workgroup owns one row: each invocation joins neighbouring items, then the totals of all before
// it are found in steps of 1, 2, 4, … (Hillis, Steele 1986, "Data parallel algorithms"), and each
// goes over its own once more.
//
// Constants: ROWS, LENGTH, WORKGROUP (a power of two). Type: Acc.
// With lib/scan-numbers.wgsl or lib/scan-steps.wgsl: alias or struct Item; item(row, i), which changes
//   nothing outside the row; joined(before, after); store(row, i, x).
// Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc, where items are numbers.
// Grid: linear, ROWS workgroups.

const OWN = (LENGTH + WORKGROUP - 1u) / WORKGROUP;
const DOUBLINGS = firstTrailingBit(WORKGROUP);

var<workgroup> totals: array<Item, WORKGROUP>;

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
  let first = local * OWN;
  var total = item(row, first);
  for (var j = 1u; j < OWN; j++) {
    total = joined(total, item(row, first + j));
  }
  totals[local] = total;
  for (var doubling = 0u; doubling < DOUBLINGS; doubling++) {
    let reach = 1u << doubling;
    workgroupBarrier();
    let before = totals[max(local, reach) - reach];
    workgroupBarrier();
    if (local >= reach) {
      total = joined(before, total);
      totals[local] = total;
    }
  }
  workgroupBarrier();
  let before = totals[max(local, 1u) - 1u];
  total = item(row, first);
  if (local > 0u) {
    total = joined(before, total);
  }
  store(row, first, total);
  for (var j = 1u; j < OWN; j++) {
    total = joined(total, item(row, first + j));
    store(row, first + j, total);
  }
}
