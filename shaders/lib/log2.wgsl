// The logarithm to base 2, which is whole for powers of two: e + log(1 + f) / ln 2 of x = 2ᵉ (1 + f).
// Depends on lib/bits.wgsl, lib/exp-log.wgsl.

fn g_log2(x: f32) -> f32 {
  let e = log_exponent(x);
  let f = log_fraction(x, e) - 1.0;
  let y = fma(log_near_one(f), 1.44269504, f32(e));
  return select(log_special(x), y, (x >= 1.17549435e-38) & g_is_finite(x));
}
