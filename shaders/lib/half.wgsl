// Floats of 16 bits and of 32, by whole numbers: what WGSL has for it may flush what is below the
// normal ones, round in another way and do anything with what is too large. Depends on nothing.

// The number that a word of 16 bits stands for.
fn g_half(word: u32) -> f32 {
  let size = word & 0x7fffu;
  let wide = (size << 13u) + select(0x38000000u, 0x70000000u, size > 0x7bffu);
  let small = bitcast<u32>(f32(size) * 0x1p-24f);
  return bitcast<f32>(select(small, wide, size > 0x3ffu) | ((word & 0x8000u) << 16u));
}

// The word for a number, rounded to the nearest, ties to even: ∞ for what is too large.
fn g_half_bits(x: f32) -> u32 {
  let size = bitcast<u32>(x) & 0x7fffffffu;
  let small = bitcast<u32>(bitcast<f32>(size) + 0.5f) - 0x3f000000u;
  let wide = (size + 0xfffu + ((size >> 13u) & 1u) - 0x38000000u) >> 13u;
  let bits = min(select(wide, small, size < 0x38800000u), 0x7c00u);
  return select(bits | ((bitcast<u32>(x) >> 16u) & 0x8000u), 0x7e00u, size > 0x7f800000u);
}
