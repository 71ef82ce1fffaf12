// Σ of a term over a row for each of its four lanes, in the order in which one invocation adds, so to the same
// bits: four terms at a time are made by four lanes, and added by each of them. Needs subgroups and
// lib/pairwise.wgsl.
//
// Constants: BLOCK (how many terms are added in order), LANES = 4, STRIDE = 1.

const TURNS = (BLOCK + LANES - 1u) / LANES;

fn row_sum(row: u32, lane: u32, shift: Shift) -> Term {
  // As in lib/pairwise.wgsl.
  var carried: array<Term, LEVELS>;
  for (var b = 0u; b < BLOCKS; b++) {
    var block = Term();
    for (var turn = 0u; turn < TURNS; turn++) {
      let j = turn * LANES + lane;
      let own = select(Term(), term(row, b * BLOCK + j, shift), j < BLOCK);
      block += quadBroadcast(own, 0u);
      block += quadBroadcast(own, 1u);
      block += quadBroadcast(own, 2u);
      block += quadBroadcast(own, 3u);
    }
    let carries = countTrailingZeros(~b);
    for (var l = 0u; l < carries; l++) {
      block += carried[l];
    }
    carried[carries] = block;
  }
  var sum = Term();
  for (var l = 0u; l < LEVELS; l++) {
    sum += select(Term(), carried[l], ((BLOCKS >> l) & 1u) == 1u);
  }
  return sum;
}
