// The items of scan.wgsl and scan-direct.wgsl where each is a step s → factor · s + term. Steps behind
// each other are one such step. y is what the steps of a row make of 0, z the product of their factors.
//
// Type: Acc.
// Accessors: load_x(row, i), the factor, 1 outside the row; load_b(row, i), the term, 0 outside;
//   store_y(row, i, v), store_z(row, i, v), nothing outside.

struct Item {
  factor: Acc,
  term: Acc,
}

fn item(row: u32, i: u32) -> Item {
  return Item(load_x(row, i), load_b(row, i));
}

fn joined(before: Item, after: Item) -> Item {
  return Item(before.factor * after.factor, after.factor * before.term + after.term);
}

fn store(row: u32, i: u32, x: Item) {
  store_y(row, i, x.term);
  store_z(row, i, x.factor);
}
