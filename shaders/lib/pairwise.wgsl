// Σ of a term for each STRIDE-th element of a row, from `first` on: what one invocation sums. One that
// owns the row has STRIDE 1, one of many WORKGROUP.
//
// Constants: LENGTH, STRIDE, BLOCK (how many terms are added in order).
// What comes with it declares the terms: alias Term, a number or a vector; alias or struct Shift;
//   fn term(row: u32, i: u32, shift: Shift) -> Term, 0 outside the row.

const STEPS = (LENGTH + STRIDE - 1u) / STRIDE;

// Sums are pairwise, so that rounding grows with the logarithm of a row's length: blocks of elements
// are added in order, then 1, 2, 4, … blocks as a binary counter carries.
const BLOCKS = (STEPS + BLOCK - 1u) / BLOCK;
const LEVELS = 32u - countLeadingZeros(BLOCKS);

fn own_sum(row: u32, first: u32, shift: Shift) -> Term {
  // carried[l]: the sum of 2^l blocks, where the number of blocks so far has bit l.
  var carried: array<Term, LEVELS>;
  for (var b = 0u; b < BLOCKS; b++) {
    var block = Term();
    for (var j = 0u; j < BLOCK; j++) {
      block += term(row, (b * BLOCK + j) * STRIDE + first, shift);
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
