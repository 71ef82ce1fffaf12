/** How many items a list begins with for which something holds; behind them it holds for none. */
export function bisect<T>(list: readonly T[], holds: (item: T) => boolean): number {
  let low = 0;
  for (let high = list.length; low < high; ) {
    const middle = (low + high) >> 1;
    if (holds(list[middle])) low = middle + 1;
    else high = middle;
  }
  return low;
}
