// Which row an invocation owns where the rows are a product's, which it makes itself, without workgroup memory:
// Σ_k a[b, m, k] · b[b, k, i], to the bits of matmul-direct.wgsl.
//
// Constants: LENGTH (columns of b), M, K, WORKGROUP. Type: Acc.
// Accessors: load_a4(b, m, k): k .. k+3; load_b4(b, k, i): i .. i+3.
// Loads outside K give zeros, unless 4 divides K; what those outside M and LENGTH give does not matter.

const FOURS = (LENGTH + 3u) / 4u;
const QUADS = (K + 3u) / 4u;

var<private> products: array<Acc, 4u * FOURS>;

fn own_row(id: vec3u, count: vec3u, local: u32) -> u32 {
  let row = linear_workgroup(id, count) * WORKGROUP + local;
  var y = array<vec4<Acc>, FOURS>(); // cleared, wherever this is called
  for (var t = 0u; t < QUADS; t++) {
    let k = t * 4u;
    let a = load_a4(row / M, row % M, k);
    for (var f = 0u; f < FOURS; f++) {
      // Four products are summed apart first, for then a long K rounds a quarter as often.
      var four = vec4(a.x) * load_b4(row / M, k, f * 4u);
      four = fma(vec4(a.y), load_b4(row / M, k + 1u, f * 4u), four);
      four = fma(vec4(a.z), load_b4(row / M, k + 2u, f * 4u), four);
      y[f] += fma(vec4(a.w), load_b4(row / M, k + 3u, f * 4u), four);
    }
  }
  for (var f = 0u; f < FOURS; f++) {
    products[f * 4u] = y[f].x;
    products[f * 4u + 1u] = y[f].y;
    products[f * 4u + 2u] = y[f].z;
    products[f * 4u + 3u] = y[f].w;
  }
  return row;
}

fn product_at(row: u32, i: u32) -> Acc {
  return products[i];
}
