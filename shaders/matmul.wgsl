// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], through tiles in workgroup memory: what serves most shapes;
// for large and narrow ones there is matmul-tiles.wgsl, which adds in the same order, to the same bits.
// One workgroup owns 32 × 32 outputs; each of its 64 invocations owns 4 × 4 of them and loads 4 × 4
// elements of a and of b in each turn.
//
// Constants: BATCH, M, N, K, WORKGROUP (64). Type: Acc.
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3, load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3, store_y4(b, m, n, v): n .. n+3.
//   Lanes with k outside must read 0; those with m or n outside may read anything.
// Grid: linear, ceil(N / 32) · ceil(M / 32) · BATCH workgroups, along N first.

const TILE = 32u;
const QUADS = 8u;
const TILES_N = (N + TILE - 1u) / TILE;
const TILES_M = (M + TILE - 1u) / TILE;
const K_TILES = (K + TILE - 1u) / TILE;
// A longer K is summed in parts of so many tiles, for rounding grows with the number of terms.
const PART = 128u;

// tile_a holds four k of one row in an element, tile_b four columns of one k: [TILE, QUADS].
var<workgroup> tile_a: array<vec4<Acc>, TILE * QUADS>;
var<workgroup> tile_b: array<vec4<Acc>, TILE * QUADS>;

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
  let column = local % QUADS;
  let row = local / QUADS;

  var y: array<vec4<Acc>, 4>;
  var parts: array<vec4<Acc>, 4>;
  for (var t = 0u; t < K_TILES; t++) {
    let k0 = t * TILE;
    let a = load_a4x4(s, m0 + row * 4u, k0 + column * 4u);
    let b = load_b4x4(s, k0 + row * 4u, n0 + column * 4u);
    workgroupBarrier(); // all have read what was there
    for (var i = 0u; i < 4u; i++) {
      tile_a[(row * 4u + i) * QUADS + column] = a[i];
      tile_b[(row * 4u + i) * QUADS + column] = b[i];
    }
    workgroupBarrier();
    for (var k = 0u; k < QUADS; k++) {
      var b: array<vec4<Acc>, 4>;
      for (var i = 0u; i < 4u; i++) {
        b[i] = tile_b[(k * 4u + i) * QUADS + column];
      }
      for (var r = 0u; r < 4u; r++) {
        let a = tile_a[(r * QUADS + row) * QUADS + k];
        y[r] = fma(vec4(a.x), b[0], y[r]);
        y[r] = fma(vec4(a.y), b[1], y[r]);
        y[r] = fma(vec4(a.z), b[2], y[r]);
        y[r] = fma(vec4(a.w), b[3], y[r]);
      }
    }
    if (K_TILES > PART && t % PART == PART - 1u) {
      for (var r = 0u; r < 4u; r++) {
        parts[r] += y[r];
        y[r] = vec4<Acc>();
      }
    }
  }

  for (var r = 0u; r < 4u; r++) {
    let sum = select(y[r], parts[r] + y[r], K_TILES > PART);
    store_y4(s, m0 + r * QUADS + row, n0 + column * 4u, sum);
  }
}
