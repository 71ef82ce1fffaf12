// Built-in functions as they should be for NaN, infinities and −0, by bits. Depends on lib/bits.wgsl.

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

fn g_sqrt(x: f32) -> f32 {
  let y = select(nan_value(), sqrt(x), (x > 0.0) & g_is_finite(x));
  let is_same = (magnitude_bits(x) < 0x00800000u) | (bitcast<u32>(x) == 0x7f800000u);
  return select(y, x, is_same);
}
