// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], where the lanes of a subgroup hold what it needs of a, and hand
// it round: no barrier, and b straight from the cache. All sums are in one order, that of matmul.wgsl.
// One workgroup owns TILE_M × TILE_N outputs, a subgroup ROWS rows of COLUMNS columns for each lane, by fours
// that lie 4 · ACROSS apart; ACROSS is a multiple of what any subgroup has. The first LANES lanes load 4 × 4 elements
// of a each, TILE_K deep in all, of which the next ones are on their way while these are multiplied.
//
// Constants: BATCH, M, N, K, TILE_M, TILE_N, COLUMNS (4 or 8), LANES (a power of two, of at least a fourth of
//   the rows, which every subgroup has), WORKGROUP. Type: Acc.
// With lib/lanes.wgsl: place_of(local), and lib/lane-blocks.wgsl: of_lane(v, lane).
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3, load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3, store_y4(b, m, n, v): n .. n+3.
//   Lanes with k outside must read 0; those with m or n outside may read anything.
// Grid: linear, ceil(N / TILE_N) · ceil(M / TILE_M) · BATCH workgroups.

const FOURS = COLUMNS / 4u;
const ACROSS = TILE_N / COLUMNS;
const ROWS = TILE_M * ACROSS / WORKGROUP;
const BLOCKS = ROWS / 4u;
const QUADS = LANES / BLOCKS;
const TILE_K = 4u * QUADS;
const TILES_N = (N + TILE_N - 1u) / TILE_N;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const TURNS = (K + TILE_K - 1u) / TILE_K;
// A longer K is summed in parts of so many turns, for rounding grows with the number of terms.
const PART = 4096u / TILE_K;
// Tiles one above the other that run together, for they read the same columns of b.
const BAND = 8u;

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
  let s = tile / (TILES_N * TILES_M);
  let own = tile % (TILES_N * TILES_M);
  let first = own / (BAND * TILES_N) * BAND;
  let high = min(BAND, TILES_M - first);
  let inside = own % (BAND * TILES_N);
  let place = place_of(local);
  let m = (first + inside % high) * TILE_M + place.x / ACROSS * ROWS;
  let n = inside / high * TILE_N + place.x % ACROSS * 4u;
  let part = place.y % LANES;
  let own_m = m + part % BLOCKS * 4u;
  let own_k = part / BLOCKS * 4u;

  var next = load_a4x4(s, own_m, own_k);
  var y: array<array<vec4<Acc>, FOURS>, ROWS>;
  var parts: array<array<vec4<Acc>, FOURS>, ROWS>;
  for (var turn = 0u; turn < TURNS; turn++) {
    var held = next;
    if (turn + 1u < TURNS) {
      next = load_a4x4(s, own_m, (turn + 1u) * TILE_K + own_k);
    }
    for (var q = 0u; q < QUADS; q++) {
      var b: array<mat4x4<Acc>, FOURS>;
      for (var f = 0u; f < FOURS; f++) {
        b[f] = load_b4x4(s, turn * TILE_K + q * 4u, n + f * ACROSS * 4u);
      }
      for (var block = 0u; block < BLOCKS; block++) {
        for (var i = 0u; i < 4u; i++) {
          let a = of_lane(held[i], q * BLOCKS + block);
          let r = block * 4u + i;
          for (var f = 0u; f < FOURS; f++) {
            y[r][f] = fma(vec4(a.x), b[f][0], y[r][f]);
            y[r][f] = fma(vec4(a.y), b[f][1], y[r][f]);
            y[r][f] = fma(vec4(a.z), b[f][2], y[r][f]);
            y[r][f] = fma(vec4(a.w), b[f][3], y[r][f]);
          }
        }
      }
    }
    if (TURNS > PART && turn % PART == PART - 1u) {
      for (var r = 0u; r < ROWS; r++) {
        for (var f = 0u; f < FOURS; f++) {
          parts[r][f] += y[r][f];
          y[r][f] = vec4<Acc>();
        }
      }
    }
  }

  for (var r = 0u; r < ROWS; r++) {
    for (var f = 0u; f < FOURS; f++) {
      let sum = select(y[r][f], parts[r][f] + y[r][f], TURNS > PART);
      store_y4(s, m + r, n + f * ACROSS * 4u, sum);
    }
  }
}
