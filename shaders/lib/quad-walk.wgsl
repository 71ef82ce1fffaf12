// Rows of at most 32 numbers for attention where a CPU emulates the GPU: in variables, not in arrays, which
// would be loaded one by one, and of what all walk along each of four neighbours loads a quarter and gives it to
// the others. Needs subgroups.

struct Row {
  left: mat4x4<Acc>,
  right: mat4x4<Acc>, // from the number 16 on
}

fn shared_block(own: vec4<Acc>) -> mat4x4<Acc> {
  return mat4x4(
    quadBroadcast(own, 0u),
    quadBroadcast(own, 1u),
    quadBroadcast(own, 2u),
    quadBroadcast(own, 3u),
  );
}

// parts + x ⊙ y, four numbers after the other.
fn joined_blocks(x: mat4x4<Acc>, y: mat4x4<Acc>, parts: vec4<Acc>) -> vec4<Acc> {
  return fma(x[3], y[3], fma(x[2], y[2], fma(x[1], y[1], fma(x[0], y[0], parts))));
}

fn joined(x: Row, y: Row, length: u32) -> vec4<Acc> {
  let parts = joined_blocks(x.left, y.left, vec4<Acc>());
  if (length <= 16u) {
    return parts;
  }
  return joined_blocks(x.right, y.right, parts);
}

fn summed_blocks(weight: Acc, x: mat4x4<Acc>, sum: mat4x4<Acc>) -> mat4x4<Acc> {
  let w = vec4(weight);
  return mat4x4(fma(w, x[0], sum[0]), fma(w, x[1], sum[1]), fma(w, x[2], sum[2]), fma(w, x[3], sum[3]));
}

// weight · x + sum
fn summed(weight: Acc, x: Row, sum: Row, length: u32) -> Row {
  let left = summed_blocks(weight, x.left, sum.left);
  if (length <= 16u) {
    return Row(left, sum.right);
  }
  return Row(left, summed_blocks(weight, x.right, sum.right));
}
