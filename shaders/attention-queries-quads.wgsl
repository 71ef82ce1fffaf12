// attention-queries.wgsl where a CPU emulates the GPU, to the same bits: four neighbours, which own rows of y, load
// rows of k and of v together, and what would branch chooses.
// With lib/attention.wgsl, lib/quad-walk.wgsl and lib/quad-queries.wgsl.
//
// Constants: BATCH, ROWS, LENGTH, KEYS, DEPTH and WIDTH (32 at the most), CAUSAL, MASKED, DROPS, LANES (4), WORKGROUP. Type: Acc
//   (f32).
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc.
// Accessors: load_q4(b, row, c), load_g4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row;
//   load_lse(b, row), load_delta(b, row); store_y(b, row, c, v), nothing outside a row.
// Grid: linear, ceil(ROWS / WORKGROUP) · BATCH workgroups.

const GROUPS = (ROWS + WORKGROUP - 1u) / WORKGROUP;

fn cotangent_row(b: u32, row: u32) -> Row {
  var g: Row;
  g.left = mat4x4(load_g4(b, row, 0u), load_g4(b, row, 4u), load_g4(b, row, 8u), load_g4(b, row, 12u));
  if (WIDTH > 16u) {
    g.right = mat4x4(load_g4(b, row, 16u), load_g4(b, row, 20u), load_g4(b, row, 24u), load_g4(b, row, 28u));
  }
  return g;
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
  let row = min(owned, ROWS - 1u);
  let drops = drop_key(b);
  let total = load_lse(b, row);
  let delta = load_delta(b, row);
  let q = query_row(b, row);
  let g = cotangent_row(b, row);
  var y: Row;
  for (var key = 0u; key < KEYS; key++) {
    let k = key_row(b, key, lane);
    let parts = joined(q, k, DEPTH);
    let own = select(-infinity_value(), score(b, row, key, parts), attends(row, key));
    let weight = weight_of(own, total);
    let terms = joined(g, value_row(b, key, lane), WIDTH);
    let slope = (terms.x + terms.y) + (terms.z + terms.w);
    let ds = weight * (share(slope, drop_bits(drops, b, row, key)) - delta);
    y = summed(select(ds, Acc(), magnitude_bits(weight) == 0u), k, y, DEPTH);
  }
  if (owned < ROWS) {
    for (var c = 0u; c < DEPTH; c++) {
      let numbers = select(y.left[c / 4u % 4u], y.right[c / 4u % 4u], c >= 16u);
      store_y(b, row, c, scaled(numbers[c % 4u]));
    }
  }
}
