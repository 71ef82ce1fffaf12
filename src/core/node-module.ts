/**
 * Gives a module of Node's own, such as `fs/promises`, which no bundler sees; undefined in other places, and
 * in a Node that knows no such call.
 */
export function nodeModule<T>(name: string): T | undefined {
  return (
    globalThis as { process?: { getBuiltinModule?(name: string): T } }
  ).process?.getBuiltinModule?.(name);
}
