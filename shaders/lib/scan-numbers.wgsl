// The items of scan.wgsl and scan-direct.wgsl where numbers are combined.
//
// Type: Acc. Functions: identity() -> Acc, combine(a: Acc, b: Acc) -> Acc.
// Accessors: load_x(row, i), identity() outside the row; store_y(row, i, v), nothing outside.

alias Item = Acc;

fn item(row: u32, i: u32) -> Item {
  return load_x(row, i);
}

fn joined(before: Item, after: Item) -> Item {
  return combine(before, after);
}

fn store(row: u32, i: u32, x: Item) {
  store_y(row, i, x);
}
