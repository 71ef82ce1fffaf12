// What keeps its digits near 0: eˣ − 1, log(1 + x) and functions made of them. Depends on
// lib/bits.wgsl, lib/exp-log.wgsl.

fn g_expm1(x: f32) -> f32 {
  let near = x * fma(exp_tail(x), x, 1.0); // −0 for −0
  return select(g_exp(x) - 1.0, near, abs(x) < 0.35);
}

fn g_log1p(x: f32) -> f32 {
  let is_near = (x > -0.29) & (x < 0.41);
  return select(g_log(1.0 + x), log_near_one(x), is_near & g_is_finite(x));
}

// |magnitude| with the sign of x, which may be −0.
fn with_sign(magnitude: f32, x: f32) -> f32 {
  return bitcast<f32>(magnitude_bits(magnitude) | (bitcast<u32>(x) & 0x80000000u));
}

// tanh|x| = −t / (2 + t) with t = e^(−2|x|) − 1, which neither overflows nor cancels.
fn g_tanh(x: f32) -> f32 {
  let t = g_expm1(-2.0 * abs(x));
  let y = with_sign(min(-t / (2.0 + t), 1.0), x);
  return select(y, x, g_is_nan(x));
}

// log(1 + eˣ) = max(x, 0) + log1p(e^(−|x|))
fn g_softplus(x: f32) -> f32 {
  return select(max(x, 0.0) + g_log1p(g_exp(-abs(x))), x, g_is_nan(x));
}
