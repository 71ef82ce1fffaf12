// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], with direct loads and as little code as can be, which is
// compiled in a fraction of the time that the tiles of matmul-direct.wgsl take: for first runs. One
// invocation owns 4 columns of ROWS rows and adds in the same order, to the same bits.
//
// Constants: BATCH, M, N, K, ROWS (1 or 4), WORKGROUP. Type: Acc.
// Accessors: load_a(b, m, k); load_b4(b, k, n): row k of n .. n+3; store_y(b, m, n, v).
// Loads outside K give zeros, unless 4 divides K; what those outside M and N give does not matter.
// The stores need guards: for m, and for n unless 4 divides N.
// Grid: linear, ceil(BATCH · ceil(M / ROWS) · ceil(N / 4) / WORKGROUP) workgroups.

const BANDS = (M + ROWS - 1u) / ROWS;
const COLUMNS = (N + 3u) / 4u;
const QUADS = (K + 3u) / 4u;

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
    // Four products are summed apart first, for then a long K rounds a quarter as often.
    var y0 = vec4<Acc>();
    var y1 = vec4<Acc>();
    var y2 = vec4<Acc>();
    var y3 = vec4<Acc>();
    for (var i = 0u; i < 4u; i++) {
      let k = t * 4u + i;
      let b = load_b4(s, k, n);
      y0 = fma(vec4(load_a(s, m, k)), b, y0);
      if (ROWS > 1u) {
        y1 = fma(vec4(load_a(s, m + 1u, k)), b, y1);
        y2 = fma(vec4(load_a(s, m + 2u, k)), b, y2);
        y3 = fma(vec4(load_a(s, m + 3u, k)), b, y3);
      }
    }
    y += mat4x4(y0, y1, y2, y3);
  }
  for (var i = 0u; i < 4u * ROWS; i++) {
    store_y(s, m + i / 4u, n + i % 4u, y[i / 4u][i % 4u]);
  }
}
