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

// Whether all bits but the sign are 0, or the number is NaN, of what magnitude_bits gives.
fn is_zero_or_nan(magnitude: u32) -> bool {
  return magnitude - 1u >= 0x7f800000u;
}

// The smaller one; NaN where there is one. All bits of both make a NaN of one, and −0 of two zeros
// unless neither is −0.
fn g_min(a: f32, b: f32) -> f32 {
  let bits = bitcast<u32>(a) | bitcast<u32>(b);
  let is_either = is_zero_or_nan(max(magnitude_bits(a), magnitude_bits(b)));
  return select(min(a, b), bitcast<f32>(bits), is_either);
}

// The larger one, likewise with the signs turned.
fn g_max(a: f32, b: f32) -> f32 {
  let bits = (bitcast<u32>(a) ^ 0x80000000u) | (bitcast<u32>(b) ^ 0x80000000u);
  let is_either = is_zero_or_nan(max(magnitude_bits(a), magnitude_bits(b)));
  return select(max(a, b), bitcast<f32>(bits ^ 0x80000000u), is_either);
}

fn g_sign(x: f32) -> f32 {
  return select(sign(x), x, is_zero_or_nan(magnitude_bits(x)));
}

// |magnitude| with the sign of x, which may be −0.
fn with_sign(magnitude: f32, x: f32) -> f32 {
  return bitcast<f32>(magnitude_bits(magnitude) | (bitcast<u32>(x) & 0x80000000u));
}
