/** A function's value and gradient at a place. */
export interface Evaluation {
  readonly value: number;
  readonly gradient: Float64Array;
}

/** How far to go along a line, and what is there; 0 where no place is better. */
export interface LineStep {
  readonly t: number;
  readonly found: Evaluation;
}

/** A place on a line: how far along it, the value, and the slope along it. */
interface LinePlace {
  readonly t: number;
  readonly value: number;
  readonly slope: number;
  readonly found: Evaluation;
}

/** c₁: the value falls by at least this share of what the slope at the start promises. */
const DECREASE = 1e-4;

/** c₂: the slope is at most this share of that at the start. */
const CURVATURE = 0.9;

/** The most places that are looked at. */
const MOST = 25;

/**
 * Finds a place along a line that keeps the strong Wolfe conditions: f(t) ≤ f(0) + c₁ t f′(0) and
 * |f′(t)| ≤ c₂ |f′(0)|. Source: Nocedal & Wright 2006, "Numerical Optimization", algorithms 3.5 and 3.6,
 * with places by cubic interpolation (eq. 3.59). Where none is found in 25 looks, it is the best one.
 * @param at computes the function so far along the line.
 * @param from the function at its start.
 * @param d the line's direction.
 * @param first where to look first.
 */
export async function searchLine(
  at: (t: number) => Promise<Evaluation>,
  from: Evaluation,
  d: Float64Array,
  first: number,
): Promise<LineStep> {
  const placeOf = (t: number, found: Evaluation): LinePlace => {
    const slope = found.gradient.reduce((sum, g, i) => sum + g * d[i], 0);
    return { t, value: found.value, slope, found };
  };
  const start = placeOf(0, from);
  if (!(start.slope < 0)) return { t: 0, found: from };
  let looks = 0;
  const look = async (t: number) => {
    looks++;
    return placeOf(t, await at(t));
  };
  const isHigh = ({ t, value }: LinePlace, low: LinePlace) =>
    !(value <= start.value + DECREASE * t * start.slope) || (low.t > 0 && value >= low.value);
  const isFlat = ({ slope }: LinePlace) => Math.abs(slope) <= -CURVATURE * start.slope;

  let [low, place] = [start, await look(first)];
  let high: LinePlace | null = null;
  while (!high && looks < MOST) {
    if (isHigh(place, low)) high = place;
    else if (isFlat(place)) return place;
    else if (place.slope >= 0) [low, high] = [place, low];
    else [low, place] = [place, await look(further(low, place))];
  }
  while (high && looks < MOST && Math.abs(high.t - low.t) > 1e-12 * Math.max(1, low.t)) {
    const middle = await look(between(low, high));
    if (isHigh(middle, low)) high = middle;
    else {
      if (isFlat(middle)) return middle;
      if (middle.slope * (high.t - low.t) >= 0) high = low;
      low = middle;
    }
  }
  return low;
}

/** Beyond a place where the function falls still: where a cubic through two of them is least, or twice as far. */
function further(low: LinePlace, place: LinePlace): number {
  const t = leastOfCubic(low, place);
  const [nearest, farthest] = [place.t + 0.01 * (place.t - low.t), 10 * place.t];
  return Number.isFinite(t) ? Math.min(farthest, Math.max(nearest, t)) : 2 * place.t;
}

/** Between two places: where a cubic through them is least, but not at an end. */
function between(low: LinePlace, high: LinePlace): number {
  const t = leastOfCubic(low, high);
  const [begin, end] = [Math.min(low.t, high.t), Math.max(low.t, high.t)];
  const edge = 0.1 * (end - begin);
  if (!Number.isFinite(t)) return (begin + end) / 2;
  return Math.min(end - edge, Math.max(begin + edge, t));
}

/** Where the cubic with the values and slopes of two places is least; NaN where it is nowhere. */
function leastOfCubic(a: LinePlace, b: LinePlace): number {
  const d1 = a.slope + b.slope - (3 * (a.value - b.value)) / (a.t - b.t);
  const d2 = Math.sign(b.t - a.t) * Math.sqrt(d1 * d1 - a.slope * b.slope);
  return b.t - ((b.t - a.t) * (b.slope + d2 - d1)) / (b.slope - a.slope + 2 * d2);
}
