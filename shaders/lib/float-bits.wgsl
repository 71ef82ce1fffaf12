// Numbers made of the bits of others. Depends on lib/bits.wgsl.

// |x| with the sign of y, or + where y is NaN.
fn g_copysign(x: f32, y: f32) -> f32 {
  let sign = select(bitcast<u32>(y) & 0x80000000u, 0u, g_is_nan(y));
  return bitcast<f32>(magnitude_bits(x) | sign);
}

// The next number from x towards y: numbers of one sign are in the order of their bits. Numbers below
// the normal ones count as 0, so that the next one from 0 is the smallest normal number.
fn g_next_after(x: f32, y: f32) -> f32 {
  if (g_is_nan(x) || g_is_nan(y)) {
    return nan_value();
  }
  let size = magnitude_bits(x);
  let other = magnitude_bits(y);
  let sign = bitcast<u32>(x) & 0x80000000u;
  let other_sign = bitcast<u32>(y) & 0x80000000u;
  let is_zero = size < 0x00800000u;
  if ((is_zero && other < 0x00800000u) || bitcast<u32>(x) == bitcast<u32>(y)) {
    return y;
  }
  if (is_zero) {
    return bitcast<f32>(0x00800000u | other_sign);
  }
  let is_outward = sign == other_sign && other > size;
  let next = select(size - 1u, size + 1u, is_outward);
  return bitcast<f32>(select(next, 0u, next < 0x00800000u) | sign);
}
