// Numbers as u32 keys of the same order, or of the largest first: −0 like 0, NaN behind all others in
// either direction.

fn order_key_u32(x: u32) -> u32 {
  return x;
}

fn order_key_down_u32(x: u32) -> u32 {
  return ~x;
}

fn order_key_i32(x: i32) -> u32 {
  return bitcast<u32>(x) ^ 0x80000000u;
}

fn order_key_down_i32(x: i32) -> u32 {
  return ~order_key_i32(x);
}

// NaN is not among them.
fn order_of_number(x: f32) -> u32 {
  let bits = bitcast<u32>(x);
  // A larger size is a larger number from 0, and a smaller one below.
  let is_below = (bits >> 31u) == 1u && (bits & 0x7fffffffu) != 0u;
  return select(bits | 0x80000000u, ~bits, is_below);
}

fn nan_last(key: u32, x: f32) -> u32 {
  return select(key, 0xffffffffu, (bitcast<u32>(x) & 0x7fffffffu) > 0x7f800000u);
}

fn order_key_f32(x: f32) -> u32 {
  return nan_last(order_of_number(x), x);
}

fn order_key_down_f32(x: f32) -> u32 {
  return nan_last(~order_of_number(x), x);
}
