// y[b, key] = scaled(Σ_row ds[row, key] · q[b, row]) and z[b, key] = Σ_row share(p[row, key]) · g[b, row], the
// cotangents of k and v in attention.wgsl, with p and ds as in attention-queries.wgsl. One invocation owns a
// row of k and of v; a workgroup has rows of one b.
// With lib/attention.wgsl, and lib/tiled-rows.wgsl or lib/loaded-rows.wgsl.
//
// Constants: BATCH, ROWS, LENGTH, KEYS, DEPTH, WIDTH, CAUSAL, MASKED, DROPS, TILE (rows that are fetched
//   at once; all where nothing is), WORKGROUP. Type: Acc (f32).
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc.
// Accessors: load_q4(b, row, c), load_g4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row;
//   load_lse(b, row), load_delta(b, row); store_y(b, key, c, v), store_z(b, key, c, v), nothing outside a row.
// Grid: linear, ceil(KEYS / WORKGROUP) · BATCH workgroups.

const GROUPS = (KEYS + WORKGROUP - 1u) / WORKGROUP;
const TILES = (ROWS + TILE - 1u) / TILE;

fn own_a(b: u32, row: u32, c: u32) -> vec4<Acc> {
  return load_q4(b, min(row, ROWS - 1u), c);
}

fn own_b(b: u32, row: u32, c: u32) -> vec4<Acc> {
  return load_g4(b, min(row, ROWS - 1u), c);
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
  let key = min(owned, KEYS - 1u);
  let drops = drop_key(b);
  var k: array<vec4<Acc>, FOURS_A>;
  var v: array<vec4<Acc>, FOURS_B>;
  for (var c = 0u; c < FOURS_A; c++) {
    k[c] = load_k4(b, key, c * 4u);
  }
  for (var c = 0u; c < FOURS_B; c++) {
    v[c] = load_v4(b, key, c * 4u);
  }
  var y: array<vec4<Acc>, FOURS_A>;
  var z: array<vec4<Acc>, FOURS_B>;
  for (var t = 0u; t < TILES; t++) {
    let first = t * TILE;
    fetch(b, first, local);
    for (var i = 0u; i < TILE; i++) {
      let row = first + i;
      if (row < ROWS) {
        var own = -infinity_value();
        if (attends(row, key)) {
          var parts = vec4<Acc>();
          for (var c = 0u; c < FOURS_A; c++) {
            parts = fma(row_a(b, first, i, c), k[c], parts);
          }
          own = score(b, row, key, parts);
        }
        let weight = weight_of(own, load_lse(b, row));
        var ds = Acc();
        var kept = Acc();
        if (magnitude_bits(weight) != 0u) {
          var terms = vec4<Acc>();
          for (var c = 0u; c < FOURS_B; c++) {
            terms = fma(row_b(b, first, i, c), v[c], terms);
          }
          let slope = (terms.x + terms.y) + (terms.z + terms.w);
          let bits = drop_bits(drops, b, row, key);
          ds = weight * (share(slope, bits) - load_delta(b, row));
          kept = share(weight, bits);
        }
        for (var c = 0u; c < FOURS_A; c++) {
          y[c] = fma(vec4(ds), row_a(b, first, i, c), y[c]);
        }
        for (var c = 0u; c < FOURS_B; c++) {
          z[c] = fma(vec4(kept), row_b(b, first, i, c), z[c]);
        }
      }
    }
  }
  if (owned < KEYS) {
    for (var c = 0u; c < FOURS_A; c++) {
      for (var lane = 0u; lane < 4u; lane++) {
        store_y(b, key, c * 4u + lane, scaled(y[c][lane]));
      }
    }
    for (var c = 0u; c < FOURS_B; c++) {
      for (var lane = 0u; lane < 4u; lane++) {
        store_z(b, key, c * 4u + lane, z[c][lane]);
      }
    }
  }
}
