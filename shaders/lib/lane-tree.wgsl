// Σ of a term over a row for each of its LANES, by the pairs of lib/workgroup.wgsl with TREE invocations, so
// to the same bits: each lane sums for TREE / LANES of these, and joins what it has itself first. Needs
// subgroups and lib/pairwise.wgsl.
//
// Constants: LENGTH, LANES, TREE (powers of two, LANES at most TREE), STRIDE = TREE.

const SHARE = TREE / LANES;
const SHARE_HALVINGS = firstTrailingBit(SHARE);
const LANE_HALVINGS = firstTrailingBit(LANES);
// Invocations beyond a short row sum nothing.
const USED = min(SHARE, (LENGTH + LANES - 1u) / LANES);

fn row_sum(row: u32, lane: u32, shift: Shift) -> Term {
  var sums: array<Term, SHARE>;
  for (var k = 0u; k < USED; k++) {
    sums[k] = own_sum(row, k * LANES + lane, shift);
  }
  for (var level = 1u; level <= SHARE_HALVINGS; level++) {
    let half = SHARE >> level;
    for (var k = 0u; k < SHARE / 2u; k++) {
      if (k < half) {
        sums[k] += sums[k + half];
      }
    }
  }
  var sum = sums[0];
  for (var level = 1u; level <= LANE_HALVINGS; level++) {
    sum += subgroupShuffleXor(sum, LANES >> level);
  }
  return sum;
}
