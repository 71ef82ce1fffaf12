// Counts what lib/matrices.wgsl computes otherwise than additions of one product after the other: with small
// whole numbers, of which every order has the same sum, and with numbers that round at each addition.
// One workgroup, a subgroup, multiplies [8, 32] by [32, 8], twice.
//
// Constants: WORKGROUP (64 at the most).

const PITCH = 32u;
const OWN = 64u / WORKGROUP;

var<workgroup> tile_a: array<f32, 1024>;
var<workgroup> tile_b: array<f32, 1024>;

@group(0) @binding(0) var<storage, read_write> wrong: array<u32>;

// Some number of an index: whole ones to 15, or of all bits of a mantissa, between 2 and 4.
fn number(i: u32, seed: u32, is_whole: bool) -> f32 {
  var bits = ((i + 1u) * 2654435769u) ^ seed;
  bits = (bits ^ (bits >> 15u)) * 2246822519u;
  bits = (bits ^ (bits >> 13u)) * 3266489917u;
  bits = bits ^ (bits >> 16u);
  let sign = select(1.0f, -1.0f, (bits & 64u) > 0u);
  let real = bitcast<f32>(0x40000000u | (bits >> 9u));
  return sign * select(real, f32(bits >> 28u), is_whole);
}

@compute @workgroup_size(WORKGROUP)
fn main(@builtin(local_invocation_index) local: u32) {
  for (var round = 0u; round < 2u; round++) {
    for (var i = local; i < 1024u; i += WORKGROUP) {
      tile_a[i] = number(i, 7u, round == 0u);
      tile_b[i] = number(i, 99u, round == 0u);
    }
    workgroupBarrier();
    var wanted: array<f32, OWN>;
    for (var j = 0u; j < OWN; j++) {
      let own = j * WORKGROUP + local;
      for (var k = 0u; k < 32u; k++) {
        wanted[j] = fma(tile_a[own / 8u * PITCH + k], tile_b[k * PITCH + own % 8u], wanted[j]);
      }
    }
    var sum: Sum;
    for (var k = 0u; k < 4u; k++) {
      sum = accumulate(left_at(k * 8u), right_at(k * 8u * PITCH), sum);
    }
    workgroupBarrier();
    put_at(0u, sum);
    workgroupBarrier();
    for (var j = 0u; j < OWN; j++) {
      let own = j * WORKGROUP + local;
      let found = tile_a[own / 8u * PITCH + own % 8u];
      wrong[own] += select(0u, 1u, bitcast<u32>(found) != bitcast<u32>(wanted[j]));
    }
    workgroupBarrier();
  }
}
