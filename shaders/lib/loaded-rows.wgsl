// Rows of two tensors that invocations walk along, each loading them for itself.
//
// What comes with it declares what a row has: fn own_a(b: u32, row: u32, c: u32) -> vec4<Acc>, and
//   own_b.

fn fetch(b: u32, first: u32, local: u32) {}

fn row_a(b: u32, first: u32, i: u32, c: u32) -> vec4<Acc> {
  return own_a(b, first + i, c * 4u);
}

fn row_b(b: u32, first: u32, i: u32, c: u32) -> vec4<Acc> {
  return own_b(b, first + i, c * 4u);
}
