/**
 * Lists what can be reached, each item once and behind those that `before` gives of it, which are
 * visited in their order. There must be no cycle. Long chains need no deep stack.
 */
export function postorder<T>(roots: readonly T[], before: (item: T) => readonly T[]): Set<T> {
  const done = new Set<T>();
  const stack = [...roots].reverse();
  while (stack.length > 0) {
    const { length } = stack;
    const item = stack[length - 1];
    const others = done.has(item) ? [] : before(item);
    for (let i = others.length - 1; i >= 0; i--) if (!done.has(others[i])) stack.push(others[i]);
    if (stack.length > length) continue;
    done.add(item);
    stack.pop();
  }
  return done;
}
