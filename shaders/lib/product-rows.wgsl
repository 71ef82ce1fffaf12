// Which row an invocation owns where the rows are a product's, which the workgroup makes: each invocation one element
// of as many rows as there are for, Σ_k a[b, m, k] · b[b, k, i], to the bits of matmul.wgsl. Then some invocations own
// a row, the others none.
//
// Constants: ROWS, LENGTH (columns of b), M, K, WORKGROUP. Type: Acc.
// Accessors: load_a4(b, m, k): k .. k+3; load_b(b, k, i).
// Loads outside K give zeros, unless 4 divides K; what those outside M give does not matter.

const SHARE = max(1u, WORKGROUP / LENGTH);
const TURNS = (SHARE * LENGTH + WORKGROUP - 1u) / WORKGROUP;
const QUADS = (K + 3u) / 4u;

var<workgroup> products: array<Acc, SHARE * LENGTH>;

fn own_row(id: vec3u, count: vec3u, local: u32) -> u32 {
  let first = linear_workgroup(id, count) * SHARE;
  for (var turn = 0u; turn < TURNS; turn++) {
    let element = turn * WORKGROUP + local;
    let row = first + element / LENGTH;
    let i = element % LENGTH;
    if (element < SHARE * LENGTH) {
      var y = Acc();
      for (var t = 0u; t < QUADS; t++) {
        let a = load_a4(row / M, row % M, t * 4u);
        for (var j = 0u; j < 4u; j++) {
          y = fma(a[j], load_b(row / M, t * 4u + j, i), y);
        }
      }
      products[element] = y;
    }
  }
  workgroupBarrier();
  return select(ROWS, first + local, local < SHARE);
}

fn product_at(row: u32, i: u32) -> Acc {
  return products[row % SHARE * LENGTH + i];
}
