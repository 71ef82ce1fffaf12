// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], through tiles in workgroup memory, of sizes for large and for
// narrow products. All sums are in one order, that of matmul.wgsl, whatever the sizes.
// One workgroup owns TILE_M × TILE_N outputs; each of its invocations owns ROWS rows, DOWN apart, of
// COLUMNS columns, by fours that lie 4 · ACROSS apart. K is walked in tiles of TILE_K: what the next
// one needs is on its way, in registers, while this one is multiplied. Two STAGES of tiles save a barrier.
//
// Constants: BATCH, M, N, K, TILE_M, TILE_N, TILE_K, COLUMNS (4 or 8), STAGES (1 or 2), WORKGROUP. Type: Acc.
// Accessors: load_a4x4(b, m, k): rows m .. m+3 of k .. k+3, load_b4x4(b, k, n): rows k .. k+3 of
//   n .. n+3, store_y4(b, m, n, v): n .. n+3.
//   Lanes with k outside must read 0; those with m or n outside may read anything.
// Grid: linear, ceil(N / TILE_N) · ceil(M / TILE_M) · BATCH workgroups.

const FOURS = COLUMNS / 4u;
const ACROSS = TILE_N / COLUMNS;
const DOWN = WORKGROUP / ACROSS;
const ROWS = TILE_M / DOWN;
const K_QUADS = TILE_K / 4u;
const N_QUADS = TILE_N / 4u;
const TILES_N = (N + TILE_N - 1u) / TILE_N;
const TILES_M = (M + TILE_M - 1u) / TILE_M;
const K_TILES = (K + TILE_K - 1u) / TILE_K;
// Blocks of 4 × 4 elements that are loaded: those of a, then those of b.
const BLOCKS_A = TILE_M * TILE_K / 16u;
const BLOCKS = BLOCKS_A + TILE_N * TILE_K / 16u;
const LOADS = (BLOCKS + WORKGROUP - 1u) / WORKGROUP;
const TURNS = K_TILES + 1u;
// A longer K is summed in parts of so many tiles, for rounding grows with the number of terms.
const PART = 4096u / TILE_K;
// Tiles one above the other that run together, for they read the same columns of b.
const BAND = 8u;

// tile_a holds four k of one row in an element, [TILE_M, K_QUADS]; tile_b four columns of one k,
// [TILE_K, N_QUADS].
var<workgroup> tile_a: array<vec4<Acc>, STAGES * TILE_M * K_QUADS>;
var<workgroup> tile_b: array<vec4<Acc>, STAGES * TILE_K * N_QUADS>;

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
  let place = tile % (TILES_N * TILES_M);
  let first = place / (BAND * TILES_N) * BAND;
  let high = min(BAND, TILES_M - first);
  let own = place % (BAND * TILES_N);
  let m0 = (first + own % high) * TILE_M;
  let n0 = own / high * TILE_N;
  let column = local % ACROSS;
  let row = local / ACROSS;

  var held: array<mat4x4<Acc>, LOADS>;
  var y: array<array<vec4<Acc>, FOURS>, ROWS>;
  var parts: array<array<vec4<Acc>, FOURS>, ROWS>;
  for (var turn = 0u; turn < TURNS; turn++) {
    if (turn < K_TILES) {
      for (var i = 0u; i < LOADS; i++) {
        let block = i * WORKGROUP + local;
        if (block < BLOCKS_A) {
          held[i] = load_a4x4(s, m0 + block / K_QUADS * 4u, turn * TILE_K + block % K_QUADS * 4u);
        } else if (block < BLOCKS) {
          let k = (block - BLOCKS_A) / N_QUADS * 4u;
          held[i] = load_b4x4(s, turn * TILE_K + k, n0 + (block - BLOCKS_A) % N_QUADS * 4u);
        }
      }
    }
    if (turn > 0u) {
      let stage = (turn + STAGES - 1u) % STAGES;
      for (var k = 0u; k < K_QUADS; k++) {
        var b: array<array<vec4<Acc>, FOURS>, 4>;
        for (var i = 0u; i < 4u; i++) {
          for (var f = 0u; f < FOURS; f++) {
            b[i][f] = tile_b[((stage * K_QUADS + k) * 4u + i) * N_QUADS + f * ACROSS + column];
          }
        }
        for (var r = 0u; r < ROWS; r++) {
          let a = tile_a[(stage * TILE_M + r * DOWN + row) * K_QUADS + k];
          for (var f = 0u; f < FOURS; f++) {
            y[r][f] = fma(vec4(a.x), b[0][f], y[r][f]);
            y[r][f] = fma(vec4(a.y), b[1][f], y[r][f]);
            y[r][f] = fma(vec4(a.z), b[2][f], y[r][f]);
            y[r][f] = fma(vec4(a.w), b[3][f], y[r][f]);
          }
        }
      }
      if (K_TILES > PART && turn % PART == 0u) {
        for (var r = 0u; r < ROWS; r++) {
          for (var f = 0u; f < FOURS; f++) {
            parts[r][f] += y[r][f];
            y[r][f] = vec4<Acc>();
          }
        }
      }
      if (STAGES == 1u) {
        workgroupBarrier();
      }
    }
    let stage = turn % STAGES;
    for (var i = 0u; i < LOADS; i++) {
      let block = i * WORKGROUP + local;
      for (var j = 0u; j < 4u; j++) {
        if (block < BLOCKS_A) {
          tile_a[(stage * TILE_M + block / K_QUADS * 4u + j) * K_QUADS + block % K_QUADS] = held[i][j];
        } else if (block < BLOCKS) {
          let k = (block - BLOCKS_A) / N_QUADS * 4u + j;
          tile_b[(stage * TILE_K + k) * N_QUADS + (block - BLOCKS_A) % N_QUADS] = held[i][j];
        }
      }
    }
    workgroupBarrier();
  }

  for (var r = 0u; r < ROWS; r++) {
    for (var f = 0u; f < FOURS; f++) {
      let sum = select(y[r][f], parts[r][f] + y[r][f], K_TILES > PART);
      store_y4(s, m0 + r * DOWN + row, n0 + (f * ACROSS + column) * 4u, sum);
    }
  }
}
