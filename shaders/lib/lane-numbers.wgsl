// What another lane has: numbers, where subgroups can hand on what is joined. Needs subgroups.

fn across(x: Acc, mask: u32) -> Acc {
  return subgroupShuffleXor(x, mask);
}
