// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], by matrices that a subgroup multiplies at once. In the order of
// matmul.wgsl where a GPU adds one product after the other, which lib/matrix-probe.wgsl finds out.
// One workgroup, which is one subgroup, owns 32 × 32 outputs: 4 × 4 matrices of 8 × 8.
//
// Constants: BATCH, M, N, K, MATRICES (8, their rows and columns), WORKGROUP (64 at the most). Type: Acc (f32).
// With lib/matrices.wgsl: Left, Right, Sum, left_at(place), right_at(place), accumulate(a, b, sum),
//   put_at(place, sum).
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3, load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3, store_y4(b, m, n, v): n .. n+3.
//   Lanes with k outside must read 0; those with m or n outside may read anything.
// Grid: linear, ceil(N / 32) · ceil(M / 32) · BATCH workgroups, along N first.

const PITCH = 32u;
const BLOCKS = 64u / WORKGROUP;
const VECTORS = 256u / WORKGROUP;
const TILES_N = (N + 31u) / 32u;
const TILES_M = (M + 31u) / 32u;
const K_TILES = (K + 31u) / 32u;
// A longer K is summed in parts of so many tiles, for rounding grows with the number of terms.
const PART = 128u;

var<workgroup> tile_a: array<Acc, 1024>;
var<workgroup> tile_b: array<Acc, 1024>;

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
  let n0 = tile % TILES_N * 32u;
  let m0 = tile / TILES_N % TILES_M * 32u;
  let s = tile / (TILES_N * TILES_M);

  var sums: array<array<Sum, 4>, 4>;
  var parts: array<vec4<Acc>, VECTORS>;
  for (var t = 0u; t < K_TILES; t++) {
    for (var i = 0u; i < BLOCKS; i++) {
      let block = i * WORKGROUP + local;
      let row = block / 8u * 4u;
      let column = block % 8u * 4u;
      let a = load_a4x4(s, m0 + row, t * 32u + column);
      let b = load_b4x4(s, t * 32u + row, n0 + column);
      for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
          tile_a[(row + r) * PITCH + column + c] = a[r][c];
          tile_b[(row + r) * PITCH + column + c] = b[r][c];
        }
      }
    }
    workgroupBarrier();
    for (var k = 0u; k < 4u; k++) {
      var right: array<Right, 4>;
      for (var c = 0u; c < 4u; c++) {
        right[c] = right_at(k * 8u * PITCH + c * 8u);
      }
      for (var r = 0u; r < 4u; r++) {
        let left = left_at(r * 8u * PITCH + k * 8u);
        for (var c = 0u; c < 4u; c++) {
          sums[r][c] = accumulate(left, right[c], sums[r][c]);
        }
      }
    }
    workgroupBarrier(); // all have read what was there
    if (t % PART == PART - 1u || t == K_TILES - 1u) {
      for (var r = 0u; r < 4u; r++) {
        for (var c = 0u; c < 4u; c++) {
          put_at(r * 8u * PITCH + c * 8u, sums[r][c]);
          sums[r][c] = Sum();
        }
      }
      workgroupBarrier();
      for (var i = 0u; i < VECTORS; i++) {
        let at = (i * WORKGROUP + local) * 4u;
        let own = vec4(tile_a[at], tile_a[at + 1u], tile_a[at + 2u], tile_a[at + 3u]);
        parts[i] = select(own, parts[i] + own, t >= PART);
      }
      workgroupBarrier();
    }
  }

  for (var i = 0u; i < VECTORS; i++) {
    let own = i * WORKGROUP + local;
    store_y4(s, m0 + own / 8u, n0 + own % 8u * 4u, parts[i]);
  }
}
