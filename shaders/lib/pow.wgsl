// x^y as Math.pow has it, within 1e-6 relative wherever the result is a normal number; small whole
// powers are repeated products, so pow(10, 2) is 100. Depends on lib/bits.wgsl, lib/exp-log.wgsl.

// The 12 leading bits of x, so that the product of two such numbers is exact.
fn leading_bits(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x) & 0xfffff000u);
}

// x^n for whole n in 0 .. 15.
fn pow_whole(x: f32, n: u32) -> f32 {
  var y = 1.0;
  var square = x;
  for (var bit = 0u; bit < 4u; bit++) {
    y = select(y, y * square, ((n >> bit) & 1u) == 1u);
    square *= square;
  }
  return y;
}

// e^(y · log x) for finite y and normal x > 0, with log x as a sum high + low:
// log(1 + f) = f − f²/2 + s (f²/2 + s² · atanh_tail(s²)) with s = f / (2 + f).
fn pow_general(x: f32, y: f32) -> f32 {
  let e = log_exponent(x);
  let f = log_fraction(x, e) - 1.0;
  let s = f / (2.0 + f);
  let z = s * s;
  let f_high = leading_bits(f);
  let square_high = 0.5 * f_high * f_high;
  let square_low = 0.5 * (f - f_high) * (f + f_high);
  let tail = fma(s, fma(z, atanh_tail(z), square_high + square_low), -square_low);

  let e_high = f32(e) * LN2_HIGH;
  let rest = fma(f32(e), LN2_LOW, tail);
  let high = leading_bits(e_high + (f - square_high + rest));
  let low = ((e_high - high) + f) - square_high + rest;

  let exponent = clamp(y, -1e10, 1e10);
  let y_high = leading_bits(exponent);
  let product_low = fma(low, exponent, high * (exponent - y_high));
  let product_high = high * y_high;
  // Far outside the range of exp the small part must not bring the sum back.
  let is_far = abs(product_high) > 200.0;
  return exp_sum(product_high, select(product_low, 0.0, is_far));
}

// For x ≥ 0 and neither x nor y NaN.
fn pow_magnitude(x: f32, y: f32) -> f32 {
  let is_zero = magnitude_bits(x) < 0x00800000u;
  if (is_zero || !g_is_finite(x)) {
    return select(infinity_value(), 0.0, is_zero == (y > 0.0));
  }
  if (!g_is_finite(y)) {
    let limit = select(infinity_value(), 0.0, (x < 1.0) == (y > 0.0));
    return select(limit, nan_value(), x == 1.0);
  }
  if (abs(y) < 16.0 && floor(y) == y) {
    let p = pow_whole(x, u32(abs(y)));
    let bits = magnitude_bits(p);
    if (bits >= 0x00800000u && bits < 0x7f800000u) {
      return select(p, 1.0 / p, y < 0.0);
    }
  }
  return pow_general(x, y);
}

fn g_pow(x: f32, y: f32) -> f32 {
  if (y == 0.0) {
    return 1.0;
  }
  if (g_is_nan(x) || g_is_nan(y)) {
    return nan_value();
  }
  let p = pow_magnitude(abs(x), y);
  let is_whole = floor(y) == y || !g_is_finite(y);
  let is_odd = is_whole && abs(y) < 16777216.0 && (u32(abs(y)) & 1u) == 1u;
  let is_negative = (bitcast<u32>(x) >> 31u) == 1u;
  let signed = select(p, -p, is_negative && is_odd);
  let is_undefined = is_negative && !is_whole && x != 0.0 && g_is_finite(x);
  return select(signed, nan_value(), is_undefined);
}
