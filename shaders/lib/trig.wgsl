// Sine and cosine, right to 1e-6 for |x| ≤ 10⁴ and bounded by 1 for every finite x; NaN where x is
// not finite. Depends on lib/bits.wgsl.

// π/2 in three parts; the first two have 8 and 11 bits, so their products with n are exact.
const HALF_PI_HIGH = 1.5703125;
const HALF_PI_MIDDLE = 4.837512969970703e-4;
const HALF_PI_LOW = 7.549789948768648e-8;

// sin(x + quarters · π/2), from the nearest multiple n · π/2 and Taylor series on ±π/4.
fn sin_shifted(x: f32, quarters: u32) -> f32 {
  let n = round(clamp(x, -1e9, 1e9) * 0.636619772);
  let far = fma(-n, HALF_PI_MIDDLE, fma(-n, HALF_PI_HIGH, x));
  let r = clamp(fma(-n, HALF_PI_LOW, far), -0.8, 0.8);
  let z = r * r;

  var s = fma(z, 1.0 / 362880.0, -1.0 / 5040.0);
  s = fma(s, z, 1.0 / 120.0);
  s = fma(s, z, -1.0 / 6.0);
  let sine = fma(s * z, r, r);

  var c = fma(z, 1.0 / 40320.0, -1.0 / 720.0);
  c = fma(c, z, 1.0 / 24.0);
  c = fma(c, z, -0.5);
  let cosine = fma(c, z, 1.0);

  let quadrant = bitcast<u32>(i32(n)) + quarters;
  let y = select(sine, cosine, (quadrant & 1u) == 1u);
  let signed = select(y, -y, (quadrant & 2u) == 2u);
  return select(nan_value(), signed, g_is_finite(x));
}

fn g_sin(x: f32) -> f32 {
  return select(sin_shifted(x, 0u), x, abs(x) < 1e-4); // −0 for −0
}

fn g_cos(x: f32) -> f32 {
  return sin_shifted(x, 1u);
}
