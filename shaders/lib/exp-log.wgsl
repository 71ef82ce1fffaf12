// Exponentials and logarithms with the same small error on every adapter: sums and products only,
// where the built-ins may err by 1e-5 at the ends of the range. Depends on lib/bits.wgsl. Values are
// chosen by select, & and |: branches, as && and || make them, cost adapters without them dearly.

// ln 2 = LN2_HIGH + LN2_LOW; LN2_HIGH has 9 bits, so its product with an exponent is exact.
const LN2_HIGH = 0.693359375;
const LN2_LOW = -2.12194440e-4;

// (eˣ − 1 − x) / x² for |x| ≤ 0.36, by its Taylor series.
fn exp_tail(x: f32) -> f32 {
  var p = fma(x, 1.0 / 40320.0, 1.0 / 5040.0);
  p = fma(p, x, 1.0 / 720.0);
  p = fma(p, x, 1.0 / 120.0);
  p = fma(p, x, 1.0 / 24.0);
  p = fma(p, x, 1.0 / 6.0);
  return fma(p, x, 0.5);
}

// e^(high + low) for a low much smaller than high: 2ⁿ · eʳ with |r| ≤ ln 2 / 2.
fn exp_sum(high: f32, low: f32) -> f32 {
  let x = clamp(high, -106.0, 90.0);
  let n = round(x * 1.44269504);
  let r = fma(-n, LN2_LOW, fma(-n, LN2_HIGH, x)) + low;
  let y = 1.0 + fma(exp_tail(r) * r, r, r);
  // 2ⁿ in two factors, for n reaches 130 and −153.
  let half = i32(n) >> 1u;
  let scale = bitcast<f32>((half + 127) << 23u);
  return y * scale * bitcast<f32>((i32(n) - half + 127) << 23u);
}

fn g_exp(x: f32) -> f32 {
  return select(exp_sum(x, 0.0), x, g_is_nan(x));
}

// log(1 + f) for 1 + f in [√½, √2]: 2 atanh(s) with s = f / (2 + f), where 2s = f − s f.
fn log_near_one(f: f32) -> f32 {
  let s = f / (2.0 + f);
  let z = s * s;
  return fma(-s, fma(-z, atanh_tail(z), f), f);
}

// (2 atanh(s) − 2s) / s³ from z = s² ≤ 0.03.
fn atanh_tail(z: f32) -> f32 {
  var p = fma(z, 2.0 / 11.0, 2.0 / 9.0);
  p = fma(p, z, 2.0 / 7.0);
  p = fma(p, z, 2.0 / 5.0);
  return fma(p, z, 2.0 / 3.0);
}

// e such that x / 2ᵉ lies in [√½, √2), for a normal x > 0.
fn log_exponent(x: f32) -> i32 {
  return i32((bitcast<u32>(x) + 0x004afb0du) >> 23u) - 127;
}

fn log_fraction(x: f32, exponent: i32) -> f32 {
  return bitcast<f32>(bitcast<i32>(x) - (exponent << 23u));
}

// log(0) = −∞, log of a negative number is NaN; subnormal numbers count as 0.
fn g_log(x: f32) -> f32 {
  let e = log_exponent(x);
  let f = log_fraction(x, e) - 1.0;
  let y = fma(f32(e), LN2_HIGH, fma(f32(e), LN2_LOW, log_near_one(f)));
  return select(log_special(x), y, (x >= 1.17549435e-38) & g_is_finite(x));
}

fn log_special(x: f32) -> f32 {
  let other = select(nan_value(), x, bitcast<u32>(x) == 0x7f800000u);
  return select(other, -infinity_value(), magnitude_bits(x) < 0x00800000u);
}

fn g_sigmoid(x: f32) -> f32 {
  let t = g_exp(-abs(x));
  return select(t, 1.0, x >= 0.0) / (1.0 + t);
}
