// Numbers as u32 keys of the same order: −0 like 0, NaN behind all others in either direction.

fn order_key_u32(x: u32, descending: bool) -> u32 {
  return select(x, ~x, descending);
}

fn order_key_i32(x: i32, descending: bool) -> u32 {
  return order_key_u32(bitcast<u32>(x) ^ 0x80000000u, descending);
}

fn order_key_f32(x: f32, descending: bool) -> u32 {
  let bits = bitcast<u32>(x);
  let size = bits & 0x7fffffffu;
  // A larger size is a larger number from 0, and a smaller one below.
  let key = select(bits | 0x80000000u, ~bits, (bits >> 31u) == 1u && size != 0u);
  return select(order_key_u32(key, descending), 0xffffffffu, size > 0x7f800000u);
}
