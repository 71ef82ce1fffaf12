// Random numbers from a key and an element's number alone, those of src/core/random.ts: element i is
// made of word i & 1 of Threefry's block at (i >> 1, 0), and of both words where it is normal.
// Depends on lib/bits.wgsl, lib/exp-log.wgsl, lib/near-zero.wgsl, lib/trig.wgsl, lib/threefry.wgsl.

fn random_bits(key: vec2u, i: u32) -> u32 {
  let words = threefry2x32(key, vec2(i >> 1u, 0u));
  return select(words.x, words.y, (i & 1u) == 1u);
}

// The upper 24 bits as a number from 0 to 1.
fn random_unit(bits: u32) -> f32 {
  return f32(bits >> 8u) * 0x1p-24;
}

// low + u · range for u = bits / 2^24, with the range as two parts of 12 bits and u's too: where all
// products are exact, it does not matter whether a compiler fuses them with the sums.
fn random_uniform(bits: u32, low: f32, high: f32, range_high: f32, range_low: f32) -> f32 {
  let u_high = f32(bits >> 20u) * 0x1p-12;
  let u_low = f32((bits >> 8u) & 0xfffu) * 0x1p-24;
  let middle = u_high * range_low + u_low * range_high;
  let y = ((low + u_high * range_high) + middle) + u_low * range_low;
  return select(low, y, y < high);
}

// √(−2 ln v) · cos 2πw, or sin for an odd i, with v = (word 0 + 1) / 2^32 and w = word 1 / 2^32.
fn random_normal(key: vec2u, i: u32) -> f32 {
  let words = threefry2x32(key, vec2(i >> 1u, 0u));
  // Near v = 1 the logarithm needs the bits of 1 − v.
  let near_one = g_log1p(f32(~words.x) * -0x1p-32);
  let elsewhere = g_log((f32(words.x) + 1.0) * 0x1p-32);
  let radius = sqrt(-2.0 * select(elsewhere, near_one, words.x >= 0x80000000u));
  // The angle is the nearest quarter turn and a rest of at most an eighth.
  let quarters = (words.y + 0x20000000u) >> 30u;
  let rest = f32(bitcast<i32>(words.y - (quarters << 30u))) * 1.46291807927e-9;
  return radius * sin_shifted(rest, quarters + 1u - (i & 1u));
}
