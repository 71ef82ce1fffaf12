// What the moments of a row are sums of: x − center, or its square. Needs lib/pairwise.wgsl.
//
// Constants: LENGTH.
// Accessors: load_x(row, i), anything outside the row.

alias Term = Acc;

struct Shift {
  center: Acc,
  is_squared: bool,
}

fn term(row: u32, i: u32, shift: Shift) -> Term {
  let x = load_x(row, i) - shift.center;
  return select(Acc(), select(x, x * x, shift.is_squared), i < LENGTH);
}

// What a workgroup joins: sums.
alias Item = Acc;

fn combine(a: Item, b: Item) -> Item {
  return a + b;
}
