// attention.wgsl where a CPU emulates the GPU, to the same bits: four neighbours, which own rows of y, load rows
// of k and of v together, and what would branch chooses.
// With lib/attention.wgsl, lib/quad-walk.wgsl and lib/quad-queries.wgsl.
//
// Constants: BATCH, ROWS, LENGTH, KEYS, DEPTH and WIDTH (32 at the most), CAUSAL, MASKED, DROPS, LANES (4), WORKGROUP. Type: Acc
//   (f32).
// Functions: scaled(x: Acc) -> Acc, share(x: Acc, bits: u32) -> Acc.
// Accessors: load_q4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row; store_y(b, row, c, v),
//   nothing outside a row; store_lse(b, row, v).
// Grid: linear, ceil(ROWS / WORKGROUP) · BATCH workgroups.

const GROUPS = (ROWS + WORKGROUP - 1u) / WORKGROUP;

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
  let q = query_row(b, row);
  var y: Row;
  var shift = LOWEST;
  var sum = Acc();
  for (var key = 0u; key < KEYS; key++) {
    let parts = joined(q, key_row(b, key, lane), DEPTH);
    let own = select(-infinity_value(), score(b, row, key, parts), attends(row, key));
    let next = min(own, HIGHEST); // ∞ − ∞ would be NaN
    let rest = select(Acc(1), g_exp(shift - next), next > shift);
    sum *= rest;
    y.left *= rest;
    if (WIDTH > 16u) {
      y.right *= rest;
    }
    shift = select(shift, next, next > shift);
    let weight = g_exp(own - shift);
    sum += weight;
    let kept = share(weight, drop_bits(drops, b, row, key));
    y = summed(kept, value_row(b, key, lane), y, WIDTH);
  }
  if (owned < ROWS) {
    let total = select(sum, Acc(1), magnitude_bits(sum) == 0u);
    for (var c = 0u; c < WIDTH; c++) {
      let numbers = select(y.left[c / 4u % 4u], y.right[c / 4u % 4u], c >= 16u);
      store_y(b, row, c, numbers[c % 4u] / total);
    }
    store_lse(b, row, shift + g_log(sum));
  }
}
