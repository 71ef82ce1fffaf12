// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], with direct loads, for products that are done before
// the larger tiles of matmul-direct.wgsl are compiled. One invocation owns 4 × 4 outputs and walks
// K in fours, adding in the same order, to the same bits.
//
// Constants: BATCH, M, N, K, ROWS (4), WORKGROUP. Type: Acc.
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3; load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3; store_y4(b, m, n, v): n .. n+3.
// Loads outside K give zeros, unless 4 divides K; what those outside M and N give does not matter.
// The stores need guards: for m unless 4 divides M and WORKGROUP what there is to own, and for n
// unless 4 divides N.
// Grid: linear, ceil(BATCH · ceil(M / 4) · ceil(N / 4) / WORKGROUP) workgroups.

const BANDS = (M + ROWS - 1u) / ROWS;
const COLUMNS = (N + 3u) / 4u;
const QUADS = (K + 3u) / 4u;

fn dot4(a: vec4<Acc>, b: mat4x4<Acc>) -> vec4<Acc> {
  return fma(vec4(a.w), b[3], fma(vec4(a.z), b[2], fma(vec4(a.y), b[1], vec4(a.x) * b[0])));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let owner = linear_workgroup(id, count) * WORKGROUP + local;
  let n = owner % COLUMNS * 4u;
  let s = owner / (COLUMNS * BANDS);
  let m = select(M, owner / COLUMNS % BANDS * ROWS, s < BATCH);

  var y = mat4x4<Acc>();
  for (var t = 0u; t < QUADS; t++) {
    let a = load_a4x4(s, m, t * 4u);
    let b = load_b4x4(s, t * 4u, n);
    y += mat4x4(dot4(a[0], b), dot4(a[1], b), dot4(a[2], b), dot4(a[3], b));
  }
  for (var i = 0u; i < 4u; i++) {
    store_y4(s, m + i, n, y[i]);
  }
}
