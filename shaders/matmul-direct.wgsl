// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], with direct loads: no workgroup memory, no barrier.
// One invocation owns ROWS × 8 outputs as tiles of 4 × 4, left and right ones, and walks K in fours.
// LANES neighbours own the same rows, so that they may load them together. The sums are variables,
// not arrays, which doubles the speed where arrays do not live in registers.
//
// Constants: BATCH, M, N, K, ROWS (8, 12, 16 or 20), LANES, WORKGROUP. Type: T.
// Accessors: rows_a(b, m, k, lane): rows m .. m+3 of k .. k+3, for all neighbours;
//   load_b4x4(b, k, n): rows k .. k+3 of n .. n+3; store_y4(b, m, n, v): n .. n+3.
// Loads outside K give zeros, unless 4 divides K; what those outside M and N give does not matter.
// The stores need guards: for m unless ROWS divides M and WORKGROUP what there is to own, and for
// n unless 8 · LANES divides N.
// Grid: linear, ceil(BATCH · ceil(M / ROWS) · COLUMNS / WORKGROUP) workgroups.

const BANDS = (M + ROWS - 1u) / ROWS;
const COLUMNS = (N + 8u * LANES - 1u) / (8u * LANES) * LANES;

// Four products are summed apart first, for then a long K rounds a quarter as often.
fn dot4(a: vec4<T>, b: mat4x4<T>) -> vec4<T> {
  return fma(vec4(a.w), b[3], fma(vec4(a.z), b[2], fma(vec4(a.y), b[1], vec4(a.x) * b[0])));
}

fn product(a: mat4x4<T>, b: mat4x4<T>) -> mat4x4<T> {
  return mat4x4(dot4(a[0], b), dot4(a[1], b), dot4(a[2], b), dot4(a[3], b));
}

fn store_rows(s: u32, m: u32, n: u32, left: mat4x4<T>, right: mat4x4<T>) {
  store_y4(s, m, n, left[0]);
  store_y4(s, m, n + 4u, right[0]);
  store_y4(s, m + 1u, n, left[1]);
  store_y4(s, m + 1u, n + 4u, right[1]);
  store_y4(s, m + 2u, n, left[2]);
  store_y4(s, m + 2u, n + 4u, right[2]);
  store_y4(s, m + 3u, n, left[3]);
  store_y4(s, m + 3u, n + 4u, right[3]);
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  // No early return: neighbours load for each other.
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  let lane = local % LANES;
  let n = i % COLUMNS * 8u;
  let s = i / (COLUMNS * BANDS);
  let m = select(M, i / COLUMNS % BANDS * ROWS, s < BATCH);

  var l0 = mat4x4<T>();
  var r0 = mat4x4<T>();
  var l1 = mat4x4<T>();
  var r1 = mat4x4<T>();
  var l2 = mat4x4<T>();
  var r2 = mat4x4<T>();
  var l3 = mat4x4<T>();
  var r3 = mat4x4<T>();
  var l4 = mat4x4<T>();
  var r4 = mat4x4<T>();
  for (var k = 0u; k < K; k += 4u) {
    let left = load_b4x4(s, k, n);
    let right = load_b4x4(s, k, n + 4u);
    let a0 = rows_a(s, m, k, lane);
    l0 += product(a0, left);
    r0 += product(a0, right);
    let a1 = rows_a(s, m + 4u, k, lane);
    l1 += product(a1, left);
    r1 += product(a1, right);
    if (ROWS > 8u) {
      let a2 = rows_a(s, m + 8u, k, lane);
      l2 += product(a2, left);
      r2 += product(a2, right);
    }
    if (ROWS > 12u) {
      let a3 = rows_a(s, m + 12u, k, lane);
      l3 += product(a3, left);
      r3 += product(a3, right);
    }
    if (ROWS > 16u) {
      let a4 = rows_a(s, m + 16u, k, lane);
      l4 += product(a4, left);
      r4 += product(a4, right);
    }
  }
  store_rows(s, m, n, l0, r0);
  store_rows(s, m + 4u, n, l1, r1);
  if (ROWS > 8u) {
    store_rows(s, m + 8u, n, l2, r2);
  }
  if (ROWS > 12u) {
    store_rows(s, m + 12u, n, l3, r3);
  }
  if (ROWS > 16u) {
    store_rows(s, m + 16u, n, l4, r4);
  }
}
