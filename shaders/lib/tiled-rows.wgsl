// Rows of two tensors that a workgroup walks along, TILE at a time in workgroup memory. All of the
// workgroup must come to fetch.
//
// Constants: TILE, WORKGROUP; FOURS_A and FOURS_B, the fours of a row.
// What comes with it declares what a row has: fn own_a(b: u32, row: u32, c: u32) -> vec4<Acc>, and
//   own_b, for any row.

var<workgroup> tile_a: array<vec4<Acc>, TILE * FOURS_A>;
var<workgroup> tile_b: array<vec4<Acc>, TILE * FOURS_B>;

const STEPS_A = (TILE * FOURS_A + WORKGROUP - 1u) / WORKGROUP;
const STEPS_B = (TILE * FOURS_B + WORKGROUP - 1u) / WORKGROUP;

fn fetch(b: u32, first: u32, local: u32) {
  workgroupBarrier(); // all have read what was there
  for (var step = 0u; step < STEPS_A; step++) {
    let i = step * WORKGROUP + local;
    if (i < TILE * FOURS_A) {
      tile_a[i] = own_a(b, first + i / FOURS_A, i % FOURS_A * 4u);
    }
  }
  for (var step = 0u; step < STEPS_B; step++) {
    let i = step * WORKGROUP + local;
    if (i < TILE * FOURS_B) {
      tile_b[i] = own_b(b, first + i / FOURS_B, i % FOURS_B * 4u);
    }
  }
  workgroupBarrier();
}

fn row_a(b: u32, first: u32, i: u32, c: u32) -> vec4<Acc> {
  return tile_a[i * FOURS_A + c];
}

fn row_b(b: u32, first: u32, i: u32, c: u32) -> vec4<Acc> {
  return tile_b[i * FOURS_B + c];
}
