// y[b, row] = scaled(Σ_key ds[row, key] · k[b, key]), the cotangent of q in attention.wgsl, with
// ds = p · (share(g[row] · v[key]) − delta[row]) and p = e^(score − lse[row]), computed again; 0 where p is.
// g is the cotangent of y, delta Σ g · y less that of lse. One invocation owns a row; a workgroup has rows
// of one b.
// With lib/attention.wgsl, and lib/tiled-rows.wgsl or lib/loaded-rows.wgsl.
//
// Constants: BATCH, ROWS, LENGTH, KEYS, DEPTH, WIDTH, CAUSAL, MASKED, DROPS, TILE (rows that are fetched
//   at once; all where nothing is), WORKGROUP. Type: Acc (f32).
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc.
// Accessors: load_q4(b, row, c), load_g4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row;
//   load_lse(b, row), load_delta(b, row); store_y(b, row, c, v), nothing outside a row.
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
  let total = load_lse(b, row);
  let delta = load_delta(b, row);
  var q: array<vec4<Acc>, FOURS_A>;
  var g: array<vec4<Acc>, FOURS_B>;
  for (var c = 0u; c < FOURS_A; c++) {
    q[c] = load_q4(b, row, c * 4u);
  }
  for (var c = 0u; c < FOURS_B; c++) {
    g[c] = load_g4(b, row, c * 4u);
  }
  var y: array<vec4<Acc>, FOURS_A>;
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
        let weight = weight_of(own, total);
        var ds = Acc();
        if (magnitude_bits(weight) != 0u) {
          var terms = vec4<Acc>();
          for (var c = 0u; c < FOURS_B; c++) {
            terms = fma(g[c], row_b(b, first, i, c), terms);
          }
          let slope = (terms.x + terms.y) + (terms.z + terms.w);
          ds = weight * (share(slope, drop_bits(drops, b, row, key)) - delta);
        }
        for (var c = 0u; c < FOURS_A; c++) {
          y[c] = fma(vec4(ds), row_a(b, first, i, c), y[c]);
        }
      }
    }
  }
  if (owned < ROWS) {
    for (var c = 0u; c < FOURS_A; c++) {
      for (var lane = 0u; lane < 4u; lane++) {
        store_y(b, row, c * 4u + lane, scaled(y[c][lane]));
      }
    }
  }
}
