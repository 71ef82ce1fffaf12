// What the moments of a row are sums of: what is left of x without the row's first element, so that
// numbers far from 0 keep their digits, and without a mean; and its square. Needs lib/pairwise.wgsl.
//
// Constants: LENGTH.
// Accessors: load_x(row, i), anything outside the row.

alias Term = vec2<Acc>;

struct Shift {
  first: Acc,
  mean: Acc,
}

fn rest_of(row: u32, i: u32, shift: Shift) -> Acc {
  return exact(load_x(row, i) - shift.first) - shift.mean; // in this order
}

fn term(row: u32, i: u32, shift: Shift) -> Term {
  let x = rest_of(row, i, shift);
  return select(Term(), Term(x, x * x), i < LENGTH);
}

// What a workgroup joins: sums.
alias Item = Term;

fn combine(a: Item, b: Item) -> Item {
  return a + b;
}

// What is left of x without a mean, whose rounding is the mean of all that is left.
fn centered(row: u32, i: u32, shift: Shift, rounding: Acc) -> Acc {
  return exact(rest_of(row, i, shift)) - rounding;
}
