// What one invocation knows of a row x for a softmax: of each STRIDE-th element, from `first` on, the
// largest one, and exp(x − shift) to sum. Needs lib/bits.wgsl, lib/exp-log.wgsl and lib/pairwise.wgsl.
//
// Accessors: load_x(row, i), −∞ outside the row.

alias Term = Acc;
alias Shift = Acc;

fn term(row: u32, i: u32, shift: Shift) -> Acc {
  return g_exp(load_x(row, i) - shift);
}

fn own_maximum(row: u32, first: u32) -> Acc {
  // Starting from the lowest finite number keeps −∞ − max from being −∞ + ∞.
  var maximum = LOWEST;
  for (var step = 0u; step < STEPS; step++) {
    maximum = max(maximum, load_x(row, step * STRIDE + first));
  }
  return maximum;
}

// What a workgroup joins: a maximum and a sum.
alias Item = vec2<Acc>;

fn combine(a: Item, b: Item) -> Item {
  return vec2(max(a.x, b.x), a.y + b.y);
}
