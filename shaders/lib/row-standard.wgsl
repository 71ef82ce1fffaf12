// What the moments of a row are sums of: what is left of x without the row's first element, so that
// numbers far from 0 keep their digits, and without a mean; or its square. Needs lib/pairwise.wgsl.
//
// Constants: LENGTH.
// Accessors: load_x(row, i), anything outside the row.

struct Shift {
  first: Acc,
  mean: Acc,
  is_squared: bool,
}

fn rest_of(row: u32, i: u32, shift: Shift) -> Acc {
  return exact(load_x(row, i) - shift.first) - shift.mean; // in this order
}

fn term(row: u32, i: u32, shift: Shift) -> Acc {
  let x = rest_of(row, i, shift);
  return select(Acc(), select(x, x * x, shift.is_squared), i < LENGTH);
}

// What a workgroup joins: sums.
alias Item = Acc;

fn combine(a: Item, b: Item) -> Item {
  return a + b;
}
