// Matrices of 8 × 8 that the invocations of a subgroup hold together, by a feature that is still a draft. All of
// the subgroup must come here, with the same places.
//
// What comes with it declares tile_a and tile_b, arrays of numbers in workgroup memory whose rows are PITCH apart.

alias Left = subgroup_matrix_left<f32, 8, 8>;
alias Right = subgroup_matrix_right<f32, 8, 8>;
alias Sum = subgroup_matrix_result<f32, 8, 8>;

fn left_at(place: u32) -> Left {
  return subgroupMatrixLoad<Left, row_major>(&tile_a, place, PITCH);
}

fn right_at(place: u32) -> Right {
  return subgroupMatrixLoad<Right, row_major>(&tile_b, place, PITCH);
}

fn accumulate(a: Left, b: Right, sum: Sum) -> Sum {
  return subgroupMatrixMultiplyAccumulate(a, b, sum);
}

// Puts sums in the place of what was of a.
fn put_at(place: u32, sum: Sum) {
  subgroupMatrixStore<row_major>(&tile_a, place, sum, PITCH);
}
