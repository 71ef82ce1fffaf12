/** Takes something for each item; where that fails, gives back what was taken. */
export function takeAll<Item, Taken>(
  items: readonly Item[],
  take: (item: Item) => Taken,
  giveBack: (taken: Taken) => void,
): Taken[] {
  const all: Taken[] = [];
  try {
    for (const item of items) all.push(take(item));
    return all;
  } catch (error) {
    all.forEach(giveBack);
    throw error;
  }
}
