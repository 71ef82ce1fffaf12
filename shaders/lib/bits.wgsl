// What only the bits of an f32 can tell or make, for compilers may assume that no value is NaN
// or infinite. Depends on nothing.

const LOWEST = -3.4028234e38f;
const HIGHEST = 3.4028234e38f;

fn magnitude_bits(x: f32) -> u32 {
  return bitcast<u32>(x) & 0x7fffffffu;
}

fn g_is_nan(x: f32) -> bool {
  return magnitude_bits(x) > 0x7f800000u;
}

fn g_is_finite(x: f32) -> bool {
  return magnitude_bits(x) < 0x7f800000u;
}

// A constant expression must not be infinite or NaN, so the bits go through a variable.
fn infinity_value() -> f32 {
  var bits = 0x7f800000u;
  return bitcast<f32>(bits);
}

fn nan_value() -> f32 {
  var bits = 0x7fc00000u;
  return bitcast<f32>(bits);
}

// x + 0, which is 0 for −0.
fn g_plus_zero(x: f32) -> f32 {
  return select(x, 0.0, x == 0.0);
}

// x · zero for a zero of either sign: NaN for what is not finite, else a zero.
fn g_times_zero(x: f32, zero: f32) -> f32 {
  let sign = (bitcast<u32>(x) ^ bitcast<u32>(zero)) & 0x80000000u;
  return bitcast<f32>(select(0x7fc00000u, sign, g_is_finite(x)));
}
