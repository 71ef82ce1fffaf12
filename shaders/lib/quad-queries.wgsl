// Rows for attention by four neighbours that own rows of queries: q of their own, k and v of what all walk along.
// With lib/quad-walk.wgsl.
//
// Constants: DEPTH and WIDTH (32 at the most). Type: Acc.
// Accessors: load_q4(b, row, c), load_k4(b, key, c), load_v4(b, key, c), 0 outside a row.

fn query_row(b: u32, row: u32) -> Row {
  var q: Row;
  q.left = mat4x4(load_q4(b, row, 0u), load_q4(b, row, 4u), load_q4(b, row, 8u), load_q4(b, row, 12u));
  if (DEPTH > 16u) {
    q.right = mat4x4(load_q4(b, row, 16u), load_q4(b, row, 20u), load_q4(b, row, 24u), load_q4(b, row, 28u));
  }
  return q;
}

fn key_row(b: u32, key: u32, lane: u32) -> Row {
  var k: Row;
  k.left = shared_block(load_k4(b, key, lane * 4u));
  if (DEPTH > 16u) {
    k.right = shared_block(load_k4(b, key, lane * 4u + 16u));
  }
  return k;
}

fn value_row(b: u32, key: u32, lane: u32) -> Row {
  var v: Row;
  v.left = shared_block(load_v4(b, key, lane * 4u));
  if (WIDTH > 16u) {
    v.right = shared_block(load_v4(b, key, lane * 4u + 16u));
  }
  return v;
}
