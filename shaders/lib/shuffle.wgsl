// Numbers of examples from 0 to n - 1 for a place i, from a key alone: `shuffled_index` is a
// permutation, `drawn_index` draws each place from all n. The equations, sources and bounds stand in
// src/core/shuffle.ts; no sum or product here exceeds 32 bits where that is not meant.
// Depends on threefry.wgsl.

// A Feistel network on x = h · sides.x + l with l < sides.x, h < sides.y, walked along its cycle
// until it comes back below n: fewer than sides.x ≤ 2^16 times.
fn shuffled_index(key: vec2u, n: u32, sides: vec2u, round_pairs: u32, i: u32) -> u32 {
  var x = i;
  for (var walk = 0u; walk < 65536u; walk++) {
    x = shuffle_rounds(key, sides, round_pairs, x);
    if (x < n) { break; }
  }
  return x;
}

fn shuffle_rounds(key: vec2u, sides: vec2u, round_pairs: u32, x: u32) -> u32 {
  var l = x % sides.x;
  var h = x / sides.x;
  for (var pair = 0u; pair < 16u; pair++) {
    if (pair >= round_pairs) { break; }
    l = (l + threefry2x32(key, vec2(h, 3u + 2u * pair)).x % sides.x) % sides.x;
    h = (h + threefry2x32(key, vec2(l, 4u + 2u * pair)).x % sides.y) % sides.y;
  }
  return h * sides.x + l;
}

// ⌊w · n / 2^64⌋ of a 64-bit word w, high half first.
fn drawn_index(key: vec2u, n: u32, i: u32) -> u32 {
  let word = threefry2x32(key, vec2(i, 2u));
  let low = word.x * n;
  let carried = low + multiply_high(word.y, n);
  return multiply_high(word.x, n) + select(0u, 1u, carried < low);
}

// ⌊a · b / 2^32⌋ by halves of 16 bits.
fn multiply_high(a: u32, b: u32) -> u32 {
  let low = (a & 0xffffu) * (b & 0xffffu);
  let middle = (a >> 16u) * (b & 0xffffu) + (low >> 16u);
  let carried = (a & 0xffffu) * (b >> 16u) + (middle & 0xffffu);
  return (a >> 16u) * (b >> 16u) + (middle >> 16u) + (carried >> 16u);
}
