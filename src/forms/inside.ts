import type { Shape } from "../core/shape.ts";
import { divide, name, rangeOf, write, writeQuarter } from "./indices.ts";
import { follow, type GuardedPlace, type IndexMap, sumAt } from "./map.ts";
import { Position } from "./position.ts";

/** Follows a map that may lead outside, and tests whether it does. */
export function inside(map: IndexMap, at: Position, shape: Shape): GuardedPlace {
  if (map === "rowMajor") return follow(map, at, shape);
  const { body } = at;
  const tests: string[] = [];
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
          ? `(${name(body, sum)} < ${limit}u)`
          : `(${body.bind(quarter)} < ${limit / 4}u)`,
      );
    }
    const [place, rest] = divide(body, sum, divisor);
    const remainder = write(body, rest);
    if (remainder !== "0u") tests.push(`(${remainder} == 0u)`);
    return place;
  });
  return [Position.at(body, shape, indices), tests];
}
