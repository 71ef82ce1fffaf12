// What only the bits of an f32 can tell or make, for compilers may assume that no value is NaN
// or infinite. Depends on nothing.

const LOWEST = -3.4028234e38f;

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

// |magnitude| with the sign of x, which may be −0.
fn with_sign(magnitude: f32, x: f32) -> f32 {
  return bitcast<f32>(magnitude_bits(magnitude) | (bitcast<u32>(x) & 0x80000000u));
}
