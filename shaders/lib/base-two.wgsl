// Powers of two and their logarithms, which are exact for whole numbers. Depends on lib/bits.wgsl,
// lib/exp-log.wgsl.

// 2ˣ = 2ⁿ · e^((x − n) ln 2)
fn g_exp2(x: f32) -> f32 {
  let cut = clamp(x, -152.0, 130.0);
  let n = round(cut);
  let r = (cut - n) * 0.693147181;
  let y = 1.0 + fma(exp_tail(r) * r, r, r);
  // 2ⁿ in two factors, for n reaches 130 and −152.
  let half = i32(n) >> 1u;
  let scale = bitcast<f32>((half + 127) << 23u);
  let power = y * scale * bitcast<f32>((i32(n) - half + 127) << 23u);
  return select(power, x, g_is_nan(x));
}

// e + log(1 + f) / ln 2 of x = 2ᵉ (1 + f)
fn g_log2(x: f32) -> f32 {
  let e = log_exponent(x);
  let f = log_fraction(x, e) - 1.0;
  let y = fma(log_near_one(f), 1.44269504, f32(e));
  return select(log_special(x), y, (x >= 1.17549435e-38) & g_is_finite(x));
}
