/** Runs the call of a layer, a module or a function; `name` is that of a function among the layers of a module. */
export type Observer = <T>(layer: object, call: () => T, name?: string) => T;

let observer: Observer | null = null;

/** Calls a layer, through whoever observes calls. */
export function callLayer<T>(layer: object, call: () => T, name?: string): T {
  return observer ? observer(layer, call, name) : call();
}

/** Lets calls go through `next`, and gives through whom they went before. */
export function observe(next: Observer | null): Observer | null {
  const before = observer;
  observer = next;
  return before;
}
