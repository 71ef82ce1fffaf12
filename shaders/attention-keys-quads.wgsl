// attention-keys.wgsl where a CPU emulates the GPU, to the same bits: four neighbours, which own rows of k and of v,
// load rows of q and of g together, and what would branch chooses.
// With lib/attention.wgsl and lib/quad-walk.wgsl.
//
// Constants: BATCH, ROWS, LENGTH, KEYS, DEPTH and WIDTH (32 at the most), CAUSAL, MASKED, DROPS, LANES (4), WORKGROUP. Type: Acc
//   (f32).
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc.
// Accessors: load_q4(b, row, c), load_g4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row;
//   load_lse(b, row), load_delta(b, row); store_y(b, key, c, v), store_z(b, key, c, v), nothing outside a row.
// Grid: linear, ceil(KEYS / WORKGROUP) · BATCH workgroups.

const GROUPS = (KEYS + WORKGROUP - 1u) / WORKGROUP;

fn query_row(b: u32, row: u32, lane: u32) -> Row {
  var q: Row;
  q.left = shared_block(load_q4(b, row, lane * 4u));
  if (DEPTH > 16u) {
    q.right = shared_block(load_q4(b, row, lane * 4u + 16u));
  }
  return q;
}

fn cotangent_row(b: u32, row: u32, lane: u32) -> Row {
  var g: Row;
  g.left = shared_block(load_g4(b, row, lane * 4u));
  if (WIDTH > 16u) {
    g.right = shared_block(load_g4(b, row, lane * 4u + 16u));
  }
  return g;
}

fn key_row(b: u32, key: u32) -> Row {
  var k: Row;
  k.left = mat4x4(load_k4(b, key, 0u), load_k4(b, key, 4u), load_k4(b, key, 8u), load_k4(b, key, 12u));
  if (DEPTH > 16u) {
    k.right = mat4x4(load_k4(b, key, 16u), load_k4(b, key, 20u), load_k4(b, key, 24u), load_k4(b, key, 28u));
  }
  return k;
}

fn value_row(b: u32, key: u32) -> Row {
  var v: Row;
  v.left = mat4x4(load_v4(b, key, 0u), load_v4(b, key, 4u), load_v4(b, key, 8u), load_v4(b, key, 12u));
  if (WIDTH > 16u) {
    v.right = mat4x4(load_v4(b, key, 16u), load_v4(b, key, 20u), load_v4(b, key, 24u), load_v4(b, key, 28u));
  }
  return v;
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  // No early return: neighbours load for each other.
  let group = linear_workgroup(id, count);
  let b = min(group / GROUPS, BATCH - 1u);
  let owned = group % GROUPS * WORKGROUP + local;
  let lane = local % LANES;
  let key = min(owned, KEYS - 1u);
  let drops = drop_key(b);
  let k = key_row(b, key);
  let v = value_row(b, key);
  var y: Row;
  var z: Row;
  for (var row = 0u; row < ROWS; row++) {
    let q = query_row(b, row, lane);
    let g = cotangent_row(b, row, lane);
    let parts = joined(q, k, DEPTH);
    let own = select(-infinity_value(), score(b, row, key, parts), attends(row, key));
    let weight = weight_of(own, load_lse(b, row));
    let terms = joined(g, v, WIDTH);
    let slope = (terms.x + terms.y) + (terms.z + terms.w);
    let bits = drop_bits(drops, b, row, key);
    let ds = weight * (share(slope, bits) - load_delta(b, row));
    let isNothing = magnitude_bits(weight) == 0u;
    y = summed(select(ds, Acc(), isNothing), q, y, DEPTH);
    z = summed(select(share(weight, bits), Acc(), isNothing), g, z, WIDTH);
  }
  if (owned < KEYS) {
    for (var c = 0u; c < DEPTH; c++) {
      let numbers = select(y.left[c / 4u % 4u], y.right[c / 4u % 4u], c >= 16u);
      store_y(b, key, c, scaled(numbers[c % 4u]));
    }
    for (var c = 0u; c < WIDTH; c++) {
      let numbers = select(z.left[c / 4u % 4u], z.right[c / 4u % 4u], c >= 16u);
      store_z(b, key, c, numbers[c % 4u]);
    }
  }
}
