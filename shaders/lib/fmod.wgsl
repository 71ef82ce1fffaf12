// What is left of x when y is taken off as often as it goes, with the sign of x: exact, by a long
// division of the numbers' 24 bits in steps of 8. Depends on lib/bits.wgsl.

fn leading_24(magnitude: u32) -> u32 {
  return (magnitude & 0x007fffffu) | 0x00800000u;
}

fn g_fmod(x: f32, y: f32) -> f32 {
  let a = magnitude_bits(x);
  let b = magnitude_bits(y);
  if (a >= 0x7f800000u || b > 0x7f800000u || b < 0x00800000u) {
    return nan_value();
  }
  if (a < b) {
    return x;
  }
  let divisor = leading_24(b);
  let shift = (a >> 23u) - (b >> 23u);
  var rest = leading_24(a) % divisor;
  rest = (rest << (shift & 7u)) % divisor;
  for (var step = 0u; step < 32u; step++) {
    if (step >= shift >> 3u || rest == 0u) { break; }
    rest = (rest << 8u) % divisor;
  }
  // rest · 2^(exponent of y − 23), which counts as 0 below the normal numbers.
  let up = countLeadingZeros(rest) - 8u;
  let exponent = b >> 23u;
  let bits = ((exponent - up) << 23u) | ((rest << up) & 0x007fffffu);
  let is_zero = rest == 0u || exponent <= up;
  let sign = bitcast<u32>(x) & 0x80000000u;
  return bitcast<f32>(select(bits, 0u, is_zero) | sign);
}
