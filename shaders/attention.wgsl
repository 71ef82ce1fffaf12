// y[b, row] = Σ_key share(p[row, key]) · v[b, key] and lse[b, row] = log Σ_key e^score[row, key], with
// p = e^(score − lse) and score = scaled(q[row] · k[key]) + mask: softmax attention, in one walk along the
// keys, which keeps the largest score and scales what it has where a larger one comes. One invocation owns
// a row of q and of y; a workgroup has rows of one b. A row that attends to nothing gives 0, and lse = −∞.
// With lib/attention.wgsl, and lib/tiled-rows.wgsl or lib/loaded-rows.wgsl.
//
// Constants: BATCH, ROWS, LENGTH, KEYS, DEPTH, WIDTH, CAUSAL, MASKED, DROPS, TILE (rows that are fetched
//   at once; all where nothing is), WORKGROUP. Type: Acc (f32).
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc.
// Accessors: load_q4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row; store_y(b, row, c, v),
//   nothing outside a row; store_lse(b, row, v).
// Grid: linear, ceil(ROWS / WORKGROUP) · BATCH workgroups.

const GROUPS = (ROWS + WORKGROUP - 1u) / WORKGROUP;
const TILES = (KEYS + TILE - 1u) / TILE;

fn own_a(b: u32, row: u32, c: u32) -> vec4<Acc> {
  return load_k4(b, min(row, KEYS - 1u), c);
}

fn own_b(b: u32, row: u32, c: u32) -> vec4<Acc> {
  return load_v4(b, min(row, KEYS - 1u), c);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let group = linear_workgroup(id, count);
  if (group >= GROUPS * BATCH) {
    return;
  }
  let b = group / GROUPS;
  let owned = group % GROUPS * WORKGROUP + local;
  let row = min(owned, ROWS - 1u);
  let drops = drop_key(b);
  var q: array<vec4<Acc>, FOURS_A>;
  for (var c = 0u; c < FOURS_A; c++) {
    q[c] = load_q4(b, row, c * 4u);
  }
  var y: array<vec4<Acc>, FOURS_B>;
  var shift = LOWEST;
  var sum = Acc();
  for (var t = 0u; t < TILES; t++) {
    let first = t * TILE;
    fetch(b, first, local);
    for (var i = 0u; i < TILE; i++) {
      let key = first + i;
      if (key < KEYS) {
        var own = -infinity_value();
        if (attends(row, key)) {
          var parts = vec4<Acc>();
          for (var c = 0u; c < FOURS_A; c++) {
            parts = fma(q[c], row_a(b, first, i, c), parts);
          }
          own = score(b, row, key, parts);
        }
        let next = min(own, HIGHEST); // ∞ − ∞ would be NaN
        if (next > shift) {
          let rest = g_exp(shift - next);
          sum *= rest;
          for (var c = 0u; c < FOURS_B; c++) {
            y[c] *= rest;
          }
          shift = next;
        }
        let weight = g_exp(own - shift);
        sum += weight;
        let kept = share(weight, drop_bits(drops, b, row, key));
        for (var c = 0u; c < FOURS_B; c++) {
          y[c] = fma(vec4(kept), row_b(b, first, i, c), y[c]);
        }
      }
    }
  }
  if (owned < ROWS) {
    let total = select(sum, Acc(1), magnitude_bits(sum) == 0u);
    for (var c = 0u; c < FOURS_B; c++) {
      for (var lane = 0u; lane < 4u; lane++) {
        store_y(b, row, c * 4u + lane, y[c][lane] / total);
      }
    }
    store_lse(b, row, shift + g_log(sum));
  }
}
