// How rows of queries and of keys weigh for each other: scores, what masks leave of them, and what
// dropping does. Needs lib/bits.wgsl, lib/exp-log.wgsl and lib/random.wgsl.
//
// Constants: ROWS, LENGTH (a row's place is its number modulo this), KEYS, DEPTH, WIDTH, CAUSAL (1 if
//   places from the row's on are not attended to), MASKED and DROPS (1 if there is a mask, or something dropped).
// Accessors: load_mask(b, row, key), which is added, −∞ where nothing is attended to;
//   load_words(b, i): a step, two words of a key, and the number of b by which words are drawn.
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc: what dropping leaves of x.

const FOURS_A = (DEPTH + 3u) / 4u;
const FOURS_B = (WIDTH + 3u) / 4u;

fn is_hidden(x: Acc) -> bool {
  return bitcast<u32>(x) == 0xff800000u;
}

fn attends(row: u32, key: u32) -> bool {
  return CAUSAL == 0u || key <= row % LENGTH;
}

fn score(b: u32, row: u32, key: u32, parts: vec4<Acc>) -> Acc {
  let own = scaled((parts.x + parts.y) + (parts.z + parts.w));
  if (MASKED == 0u) {
    return own;
  }
  let added = load_mask(b, row, key);
  return select(own + added, added, is_hidden(added));
}

// e^(score − total), where total = log Σ e^score: 0 where a row attends to nothing.
fn weight_of(own: Acc, total: Acc) -> Acc {
  return g_exp(own - select(total, Acc(), is_hidden(total)));
}

fn drop_key(b: u32) -> vec2u {
  return threefry2x32(vec2(load_words(b, 1u), load_words(b, 2u)), vec2(load_words(b, 0u), 1u));
}

fn drop_bits(key: vec2u, b: u32, row: u32, other: u32) -> u32 {
  if (DROPS == 0u) {
    return 0u;
  }
  return random_bits(key, (load_words(b, 3u) * ROWS + row) * KEYS + other);
}
