import type { Shape } from "../core/shape.ts";
import { divide, name, rangeOf, write, writeQuarter } from "./indices.ts";
import { follow, type GuardedPlace, type IndexMap, sumAt } from "./map.ts";
import { Position } from "./position.ts";
import type { Scalars } from "./scalars.ts";

/** Follows a map that may lead outside, and tests whether it does. */
export function inside<V>(
  map: IndexMap,
  at: Position<V>,
  shape: Shape,
  words: Scalars<V>,
): GuardedPlace<V> {
  if (map === "rowMajor") return follow(map, at, shape);
  const { body } = at;
  const tests: V[] = [];
  const indices = map.map((axisMap, axis) => {
    const { divisor } = axisMap;
    const limit = (shape[axis] - 1) * divisor + 1;
    const sum = sumAt(axisMap, at);
    const [low, high] = rangeOf(sum);
    if (low < 0 || high >= limit) {
      // Four lanes lie inside together if they are neighbours in whole vectors.
      const quarter = limit % 4 === 0 ? writeQuarter(body, sum) : null;
      // What lies before the start wraps, and is too large then.
      tests.push(
        quarter === null
          ? words.call("<", name(body, sum), words.literal(limit))
          : words.call("<", body.bind(quarter), words.literal(limit / 4)),
      );
    }
    const [place, rest] = divide(body, sum, divisor);
    if (rangeOf(rest)[1] > 0) tests.push(words.call("==", write(body, rest), words.literal(0)));
    return place;
  });
  return [Position.at(body, shape, indices), tests];
}
