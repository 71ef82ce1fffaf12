// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], through tiles in workgroup memory.
// One workgroup owns TILE × TILE outputs; each of its (TILE / 4) × 8 invocations owns TILE / 8 rows
// of 4 columns. K is walked in tiles of TILE_K, of which 64 invocations load 4 × 4 elements each
// of a and of b.
//
// Constants: BATCH, M, N, K, TILE, TILE_K = 1024 / TILE, WORKGROUP = 2 · TILE. Type: Acc.
//   32 and 32 for most shapes, 64 and 16 for big ones.
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3, load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3, store_y4(b, m, n, v): n .. n+3.
//   Lanes with k outside must read 0; those with m or n outside may read anything.
// Grid: linear, ceil(N / TILE) · ceil(M / TILE) · BATCH workgroups, along N first.

const COLUMNS = TILE / 4u;
const ROWS = TILE / 8u;
const K_QUADS = TILE_K / 4u;
const TILES_N = (N + TILE - 1u) / TILE;
const TILES_M = (M + TILE - 1u) / TILE;
const K_TILES = (K + TILE_K - 1u) / TILE_K;
// A longer K is summed in parts of so many tiles, for rounding grows with the number of terms.
const PART = 64u;

// tile_a holds four k of one row in an element, [TILE, TILE_K / 4]; tile_b four columns of one k,
// [TILE_K, TILE / 4].
var<workgroup> tile_a: array<vec4<Acc>, TILE * K_QUADS>;
var<workgroup> tile_b: array<vec4<Acc>, TILE_K * COLUMNS>;

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let tile = linear_workgroup(id, count);
  if (tile >= TILES_N * TILES_M * BATCH) {
    return;
  }
  let n0 = tile % TILES_N * TILE;
  let m0 = tile / TILES_N % TILES_M * TILE;
  let s = tile / (TILES_N * TILES_M);
  let column = local % COLUMNS;
  let row = local / COLUMNS;
  let a_row = local / K_QUADS * 4u;
  let a_quad = local % K_QUADS;

  var y: array<vec4<Acc>, ROWS>;
  var parts: array<vec4<Acc>, ROWS>;
  for (var t = 0u; t < K_TILES; t++) {
    let k0 = t * TILE_K;
    if (local < TILE * TILE_K / 16u) {
      let a = load_a4x4(s, m0 + a_row, k0 + a_quad * 4u);
      let b = load_b4x4(s, k0 + row * 4u, n0 + column * 4u);
      for (var i = 0u; i < 4u; i++) {
        tile_a[(a_row + i) * K_QUADS + a_quad] = a[i];
        tile_b[(row * 4u + i) * COLUMNS + column] = b[i];
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < K_QUADS; k++) {
      var b: array<vec4<Acc>, 4>;
      for (var i = 0u; i < 4u; i++) {
        b[i] = tile_b[(k * 4u + i) * COLUMNS + column];
      }
      for (var r = 0u; r < ROWS; r++) {
        let a = tile_a[(r * 8u + row) * K_QUADS + k];
        y[r] = fma(vec4(a.x), b[0], y[r]);
        y[r] = fma(vec4(a.y), b[1], y[r]);
        y[r] = fma(vec4(a.z), b[2], y[r]);
        y[r] = fma(vec4(a.w), b[3], y[r]);
      }
    }
    if (K_TILES > PART && t % PART == PART - 1u) {
      for (var r = 0u; r < ROWS; r++) {
        parts[r] += y[r];
        y[r] = vec4<Acc>();
      }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < ROWS; r++) {
    let sum = select(y[r], parts[r] + y[r], K_TILES > PART);
    store_y4(s, m0 + r * 8u + row, n0 + column * 4u, sum);
  }
}
