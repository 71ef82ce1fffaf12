// What every kernel begins with. Depends on nothing.

// The number of a workgroup in a linear grid, which is folded where it would be too long.
fn linear_workgroup(id: vec3u, count: vec3u) -> u32 {
  return id.y * count.x + id.x;
}

// A number by its bits, for those that no constant expression may give.
fn bits_to_f32(bits: u32) -> f32 {
  return bitcast<f32>(bits);
}

// Hides from a compiler what made a number: see src/kernels/exact.ts.
fn exact(x: f32) -> f32 {
  return bitcast<f32>(bitcast<u32>(x));
}
