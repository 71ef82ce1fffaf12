/**
 * Lists what can be reached, each item once and behind those that `before` gives of it, which are
 * visited in their order. There must be no cycle. Long chains need no deep stack.
 */
export function postorder<T>(roots: readonly T[], before: (item: T) => readonly T[]): Set<T> {
  const done = new Set<T>();
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const item = stack[stack.length - 1];
    const pending = done.has(item) ? [] : before(item).filter((other) => !done.has(other));
    if (pending.length > 0) {
      stack.push(...pending.reverse());
    } else {
      done.add(item);
      stack.pop();
    }
  }
  return done;
}
