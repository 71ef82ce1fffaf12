// Shifts by n bits. All bits go out where n is below 0 or above 31. Depends on nothing.

fn shift_left_u32(x: u32, n: u32) -> u32 {
  return select(0u, x << (n & 31u), n < 32u);
}

fn shift_right_u32(x: u32, n: u32) -> u32 {
  return select(0u, x >> (n & 31u), n < 32u);
}

fn shift_left_i32(x: i32, n: i32) -> i32 {
  return bitcast<i32>(shift_left_u32(bitcast<u32>(x), bitcast<u32>(n)));
}

// The sign comes in.
fn shift_right_i32(x: i32, n: i32) -> i32 {
  return x >> min(bitcast<u32>(n), 31u);
}
