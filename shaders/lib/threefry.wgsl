// Threefry-2×32 with 20 rounds: two u32 from a key and a counter, the same on every device.
// Salmon, Moraes, Dror, Shaw: "Parallel random numbers: as easy as 1, 2, 3" (SC 2011), section 4.2
// and table 2. Depends on nothing.

fn threefry_round(x: vec2u, bits: u32) -> vec2u {
  let sum = x.x + x.y;
  return vec2(sum, ((x.y << bits) | (x.y >> (32u - bits))) ^ sum);
}

fn threefry_odd(x: vec2u) -> vec2u {
  return threefry_round(threefry_round(threefry_round(threefry_round(x, 13u), 15u), 26u), 6u);
}

fn threefry_even(x: vec2u) -> vec2u {
  return threefry_round(threefry_round(threefry_round(threefry_round(x, 17u), 29u), 16u), 24u);
}

fn threefry2x32(key: vec2u, counter: vec2u) -> vec2u {
  let parity = 0x1bd11bdau ^ key.x ^ key.y;
  var x = threefry_odd(counter + key) + vec2(key.y, parity + 1u);
  x = threefry_even(x) + vec2(parity, key.x + 2u);
  x = threefry_odd(x) + vec2(key.x, key.y + 3u);
  x = threefry_even(x) + vec2(key.y, parity + 4u);
  return threefry_odd(x) + vec2(parity, key.x + 5u);
}
