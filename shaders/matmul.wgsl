// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], through tiles in workgroup memory.
// One workgroup owns TILE_M × TILE_N outputs; each of its (TILE_N / 4) × (TILE_M / ROWS)
// invocations owns ROWS rows of 4 columns. K is walked in tiles of TILE_K.
//
// Constants: BATCH, M, N, K, TILE_M, TILE_N, TILE_K (multiples of 4), ROWS. Type: T.
//   32, 32, 32, 4 for most shapes; 64, 64, 16, 8 for big ones.
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3, load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3, store_y4(b, m, n, v): n .. n+3.
//   Lanes with k outside must read 0; those with m or n outside may read anything.
// Grid: linear, ceil(N / TILE_N) · ceil(M / TILE_M) · BATCH workgroups, along N first.

const THREADS_N = TILE_N / 4u;
const THREADS_M = TILE_M / ROWS;
const THREADS = THREADS_N * THREADS_M;
const TILES_N = (N + TILE_N - 1u) / TILE_N;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const K_TILES = (K + TILE_K - 1u) / TILE_K;
// A longer K is summed in parts of so many tiles, for rounding grows with the number of terms.
const PART = 64u;
const A_QUADS = TILE_M * TILE_K / 4u;
const B_QUADS = TILE_K * THREADS_N;
const A_BLOCKS = A_QUADS / 4u;
const B_BLOCKS = B_QUADS / 4u;
const A_LOADS = (A_BLOCKS + THREADS - 1u) / THREADS;
const B_LOADS = (B_BLOCKS + THREADS - 1u) / THREADS;

// tile_a holds four k of one row in an element, [TILE_M, TILE_K / 4]; tile_b four columns of one
// k, [TILE_K, TILE_N / 4].
var<workgroup> tile_a: array<vec4<T>, A_QUADS>;
var<workgroup> tile_b: array<vec4<T>, B_QUADS>;

@compute @workgroup_size(THREADS)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = linear_workgroup(id, count);
  if (tile >= TILES_N * TILES_M * BATCH) {
    return;
  }
  let n0 = tile % TILES_N * TILE_N;
  let m0 = tile / TILES_N % TILES_M * TILE_M;
  let s = tile / (TILES_N * TILES_M);
  let column = local % THREADS_N;
  let row = local / THREADS_N;

  var y: array<vec4<T>, ROWS>;
  var parts: array<vec4<T>, ROWS>;
  for (var t = 0u; t < K_TILES; t++) {
    let k0 = t * TILE_K;
    for (var l = 0u; l < A_LOADS; l++) {
      let q = l * THREADS + local;
      if (q < A_BLOCKS) {
        let m = q / (TILE_K / 4u) * 4u;
        let k = q % (TILE_K / 4u);
        let rows = load_a4x4(s, m0 + m, k0 + k * 4u);
        for (var i = 0u; i < 4u; i++) {
          tile_a[(m + i) * (TILE_K / 4u) + k] = rows[i];
        }
      }
    }
    for (var l = 0u; l < B_LOADS; l++) {
      let q = l * THREADS + local;
      if (q < B_BLOCKS) {
        let k = q / THREADS_N * 4u;
        let n = q % THREADS_N;
        let rows = load_b4x4(s, k0 + k, n0 + n * 4u);
        for (var i = 0u; i < 4u; i++) {
          tile_b[(k + i) * THREADS_N + n] = rows[i];
        }
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < TILE_K / 4u; k++) {
      var b: array<vec4<T>, 4>;
      for (var i = 0u; i < 4u; i++) {
        b[i] = tile_b[(k * 4u + i) * THREADS_N + column];
      }
      for (var r = 0u; r < ROWS; r++) {
        let a = tile_a[(r * THREADS_M + row) * (TILE_K / 4u) + k];
        y[r] = fma(vec4(a.x), b[0], y[r]);
        y[r] = fma(vec4(a.y), b[1], y[r]);
        y[r] = fma(vec4(a.z), b[2], y[r]);
        y[r] = fma(vec4(a.w), b[3], y[r]);
      }
    }
    if (K_TILES > PART && t % PART == PART - 1u) {
      for (var r = 0u; r < ROWS; r++) {
        parts[r] += y[r];
        y[r] = vec4<T>();
      }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < ROWS; r++) {
    let sum = select(y[r], parts[r] + y[r], K_TILES > PART);
    store_y4(s, m0 + r * THREADS_M + row, n0 + column * 4u, sum);
  }
}
