// Which row an invocation owns where the rows are a product's, which it makes itself, without workgroup memory:
// Σ_k a[b, m, k] · b[b, k, i], to the bits of matmul-direct.wgsl.
//
// Constants: LENGTH (columns of b), M, K, WORKGROUP. Type: Acc.
// Accessors: load_a4(b, m, k): k .. k+3; load_b4(b, k, i): i .. i+3.
// Loads outside K give zeros, unless 4 divides K; what those outside M and LENGTH give does not matter.

const FOURS = (LENGTH + 3u) / 4u;
const QUADS = (K + 3u) / 4u;

var<private> products: array<vec4<Acc>, FOURS>;

fn own_row(id: vec3u, count: vec3u, local: u32) -> u32 {
  let row = linear_workgroup(id, count) * WORKGROUP + local;
  for (var f = 0u; f < FOURS; f++) {
    var y = vec4<Acc>();
    for (var t = 0u; t < QUADS; t++) {
      let a = load_a4(row / M, row % M, t * 4u);
      // Four products are summed apart first, for then a long K rounds a quarter as often.
      var four = vec4<Acc>();
      for (var i = 0u; i < 4u; i++) {
        four = fma(vec4(a[i]), load_b4(row / M, t * 4u + i, f * 4u), four);
      }
      y += four;
    }
    products[f] = y;
  }
  return row;
}

fn product_at(row: u32, i: u32) -> Acc {
  return products[i / 4u][i % 4u];
}
