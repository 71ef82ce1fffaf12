/** Makes a function that numbers objects as they are first asked for, and keeps none of them alive. */
export function numbering(): (object: object) => number {
  const numbers = new WeakMap<object, number>();
  let next = 0;
  return (object) => {
    const known = numbers.get(object);
    if (known !== undefined) return known;
    numbers.set(object, next);
    return next++;
  };
}
