// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], with direct loads: no workgroup memory, no barrier.
// One invocation owns ROWS × WIDTH outputs as tiles of 4 × 4, left ones and, where WIDTH is 8, right ones,
// and walks K in fours.
// LANES neighbours own the same rows, so that they may load them together. The sums are variables,
// not arrays, which doubles the speed where arrays do not live in registers.
//
// Constants: BATCH, M, N, K, ROWS (8, 12 or 16), WIDTH (4 or 8), LANES, WORKGROUP. Type: Acc.
// With lib/own-rows.wgsl or lib/quad-rows.wgsl: rows_a(b, m, k, lane): rows m .. m+3 of a's
//   k .. k+3, for all neighbours.
// Accessors: load_b4x4(b, k, n): rows k .. k+3 of n .. n+3; store_y4(b, m, n, v): n .. n+3.
// Loads outside K give zeros, unless 4 divides K; what those outside M and N give does not matter.
// The stores need guards: for m unless ROWS divides M and WORKGROUP what there is to own, and for
// n unless WIDTH · LANES divides N.
// Grid: linear, ceil(BATCH · ceil(M / ROWS) · COLUMNS / WORKGROUP) workgroups.

const BANDS = (M + ROWS - 1u) / ROWS;
const COLUMNS = (N + WIDTH * LANES - 1u) / (WIDTH * LANES) * LANES;
const QUADS = (K + 3u) / 4u;

// Four products are summed apart first, for then a long K rounds a quarter as often.
fn dot4(a: vec4<Acc>, b: mat4x4<Acc>) -> vec4<Acc> {
  return fma(vec4(a.w), b[3], fma(vec4(a.z), b[2], fma(vec4(a.y), b[1], vec4(a.x) * b[0])));
}

fn product(a: mat4x4<Acc>, b: mat4x4<Acc>) -> mat4x4<Acc> {
  return mat4x4(dot4(a[0], b), dot4(a[1], b), dot4(a[2], b), dot4(a[3], b));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  // No early return: neighbours load for each other.
  let owner = linear_workgroup(id, count) * WORKGROUP + local;
  let lane = local % LANES;
  let n = owner % COLUMNS * WIDTH;
  let s = owner / (COLUMNS * BANDS);
  let m = select(M, owner / COLUMNS % BANDS * ROWS, s < BATCH);

  var l0 = mat4x4<Acc>();
  var r0 = mat4x4<Acc>();
  var l1 = mat4x4<Acc>();
  var r1 = mat4x4<Acc>();
  var l2 = mat4x4<Acc>();
  var r2 = mat4x4<Acc>();
  var l3 = mat4x4<Acc>();
  var r3 = mat4x4<Acc>();
  for (var t = 0u; t < QUADS; t++) {
    let k = t * 4u;
    let bl = load_b4x4(s, k, n);
    var br = mat4x4<Acc>();
    if (WIDTH > 4u) {
      br = load_b4x4(s, k, n + 4u);
    }
    let a0 = rows_a(s, m, k, lane);
    l0 += product(a0, bl);
    if (WIDTH > 4u) {
      r0 += product(a0, br);
    }
    let a1 = rows_a(s, m + 4u, k, lane);
    l1 += product(a1, bl);
    if (WIDTH > 4u) {
      r1 += product(a1, br);
    }
    if (ROWS > 8u) {
      let a2 = rows_a(s, m + 8u, k, lane);
      l2 += product(a2, bl);
      if (WIDTH > 4u) {
        r2 += product(a2, br);
      }
    }
    if (ROWS > 12u) {
      let a3 = rows_a(s, m + 12u, k, lane);
      l3 += product(a3, bl);
      if (WIDTH > 4u) {
        r3 += product(a3, br);
      }
    }
  }
  // A loop, so that what the stores compute is compiled once, not for every row.
  var left = array(l0, l1, l2, l3);
  var right = array(r0, r1, r2, r3);
  for (var i = 0u; i < ROWS; i++) {
    store_y4(s, m + i, n, left[i / 4u][i % 4u]);
    if (WIDTH > 4u) {
      store_y4(s, m + i, n + 4u, right[i / 4u][i % 4u]);
    }
  }
}
