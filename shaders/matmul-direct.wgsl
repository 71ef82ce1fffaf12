// y[b, m, n] = Σ_k a[b, m, k] · b[b, k, n], with direct loads: no workgroup memory, no barrier.
// One invocation owns 8 × 8 outputs, eight rows of a left and a right half of four columns, and walks
// K in fours, then one by one. The sums are variables, not arrays, which doubles the speed where
// arrays do not live in registers.
//
// Constants: BATCH, M, N, K, WORKGROUP. Type: T.
// Accessors: load_a(b, m, k); load_a4x4(b, m, k): rows m .. m+3 of k .. k+3; load_b4(b, k, n):
//   n .. n+3; load_b4x4(b, k, n): rows k .. k+3 of n .. n+3; store_y4(b, m, n, v): n .. n+3.
// k never leaves the tensor. m and n may, and what is loaded there does not matter: only the
// stores need guards, for m unless 8 divides M, and for n unless 8 divides N.
// Grid: linear, ceil(BATCH · ceil(M / 8) · ceil(N / 8) / WORKGROUP) workgroups.

const ROWS = 8u;
const BANDS = (M + ROWS - 1u) / ROWS;
const COLUMNS = (N + 7u) / 8u;
const K_QUADS = K / 4u;
const K_REST = K % 4u;

// Four products are summed apart first, for then a long K rounds a quarter as often.
fn dot4(a: vec4<T>, b: mat4x4<T>, sum: vec4<T>) -> vec4<T> {
  let two = fma(vec4(a.y), b[1], vec4(a.x) * b[0]);
  return sum + fma(vec4(a.w), b[3], fma(vec4(a.z), b[2], two));
}

@compute @workgroup_size(WORKGROUP)
fn main(
  @builtin(workgroup_id) id: vec3u,
  @builtin(num_workgroups) count: vec3u,
  @builtin(local_invocation_index) local: u32,
) {
  let i = linear_workgroup(id, count) * WORKGROUP + local;
  if (i >= BATCH * BANDS * COLUMNS) {
    return;
  }
  let n = i % COLUMNS * 8u;
  let m = i / COLUMNS % BANDS * ROWS;
  let s = i / (COLUMNS * BANDS);

  var l0 = vec4<T>();
  var r0 = vec4<T>();
  var l1 = vec4<T>();
  var r1 = vec4<T>();
  var l2 = vec4<T>();
  var r2 = vec4<T>();
  var l3 = vec4<T>();
  var r3 = vec4<T>();
  var l4 = vec4<T>();
  var r4 = vec4<T>();
  var l5 = vec4<T>();
  var r5 = vec4<T>();
  var l6 = vec4<T>();
  var r6 = vec4<T>();
  var l7 = vec4<T>();
  var r7 = vec4<T>();
  for (var q = 0u; q < K_QUADS; q++) {
    let k = q * 4u;
    let bl = load_b4x4(s, k, n);
    let br = load_b4x4(s, k, n + 4u);
    let a0 = load_a4x4(s, m, k);
    l0 = dot4(a0[0], bl, l0);
    r0 = dot4(a0[0], br, r0);
    l1 = dot4(a0[1], bl, l1);
    r1 = dot4(a0[1], br, r1);
    l2 = dot4(a0[2], bl, l2);
    r2 = dot4(a0[2], br, r2);
    l3 = dot4(a0[3], bl, l3);
    r3 = dot4(a0[3], br, r3);
    let a1 = load_a4x4(s, m + 4u, k);
    l4 = dot4(a1[0], bl, l4);
    r4 = dot4(a1[0], br, r4);
    l5 = dot4(a1[1], bl, l5);
    r5 = dot4(a1[1], br, r5);
    l6 = dot4(a1[2], bl, l6);
    r6 = dot4(a1[2], br, r6);
    l7 = dot4(a1[3], bl, l7);
    r7 = dot4(a1[3], br, r7);
  }
  for (var q = 0u; q < K_REST; q++) {
    let k = K_QUADS * 4u + q;
    let bl = load_b4(s, k, n);
    let br = load_b4(s, k, n + 4u);
    let a0 = vec4(load_a(s, m, k));
    l0 = fma(a0, bl, l0);
    r0 = fma(a0, br, r0);
    let a1 = vec4(load_a(s, m + 1u, k));
    l1 = fma(a1, bl, l1);
    r1 = fma(a1, br, r1);
    let a2 = vec4(load_a(s, m + 2u, k));
    l2 = fma(a2, bl, l2);
    r2 = fma(a2, br, r2);
    let a3 = vec4(load_a(s, m + 3u, k));
    l3 = fma(a3, bl, l3);
    r3 = fma(a3, br, r3);
    let a4 = vec4(load_a(s, m + 4u, k));
    l4 = fma(a4, bl, l4);
    r4 = fma(a4, br, r4);
    let a5 = vec4(load_a(s, m + 5u, k));
    l5 = fma(a5, bl, l5);
    r5 = fma(a5, br, r5);
    let a6 = vec4(load_a(s, m + 6u, k));
    l6 = fma(a6, bl, l6);
    r6 = fma(a6, br, r6);
    let a7 = vec4(load_a(s, m + 7u, k));
    l7 = fma(a7, bl, l7);
    r7 = fma(a7, br, r7);
  }
  store_y4(s, m, n, l0);
  store_y4(s, m, n + 4u, r0);
  store_y4(s, m + 1u, n, l1);
  store_y4(s, m + 1u, n + 4u, r1);
  store_y4(s, m + 2u, n, l2);
  store_y4(s, m + 2u, n + 4u, r2);
  store_y4(s, m + 3u, n, l3);
  store_y4(s, m + 3u, n + 4u, r3);
  store_y4(s, m + 4u, n, l4);
  store_y4(s, m + 4u, n + 4u, r4);
  store_y4(s, m + 5u, n, l5);
  store_y4(s, m + 5u, n + 4u, r5);
  store_y4(s, m + 6u, n, l6);
  store_y4(s, m + 6u, n + 4u, r6);
  store_y4(s, m + 7u, n, l7);
  store_y4(s, m + 7u, n + 4u, r7);
}
