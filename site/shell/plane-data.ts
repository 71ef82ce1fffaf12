/** Data sets on a plane, made by rule. */

/** Points `[x, y]`, −1 to 1, and the class of each. */
export interface PlaneData {
  readonly points: [number, number][];
  readonly labels: number[];
}

/** Uniform numbers from 0 to 1 by a seed (mulberry32, Tommy Ettinger, 2017). */
export function uniform(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), state | 1);
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61);
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Normal numbers of mean 0 and variance 1 (Box, Muller, 1958). */
export function normal(seed: number): () => number {
  const next = uniform(seed);
  return () => Math.sqrt(-2 * Math.log(1 - next())) * Math.cos(2 * Math.PI * next());
}

/** Places a point of a class: `i` of `n`, with numbers to draw from. */
type Rule = (i: number, n: number, next: () => number) => readonly [number, number, number];

const RULES = {
  /** Two arms that wind around each other (Lang, Witbrock, 1988). */
  spirals: (i, n) => {
    const label = i % 2;
    const t = Math.sqrt((i + 1) / n);
    const turn = t * 2.9 * Math.PI + label * Math.PI;
    return [0.92 * t * Math.cos(turn), 0.92 * t * Math.sin(turn), label];
  },
  /** Two half circles, one in the other's opening. */
  moons: (i, _, next) => {
    const label = i % 2;
    const turn = Math.PI * next();
    const [x, y] = label
      ? [1 - Math.cos(turn), 0.5 - Math.sin(turn)]
      : [Math.cos(turn), Math.sin(turn)];
    return [0.56 * (x - 0.5), 0.75 * (y - 0.25), label];
  },
  /** A disk in a ring. */
  circles: (i, _, next) => {
    const label = i % 2;
    const radius = label ? 0.68 + 0.2 * next() : 0.42 * Math.sqrt(next());
    const turn = 2 * Math.PI * next();
    return [radius * Math.cos(turn), radius * Math.sin(turn), label];
  },
  /** The class is that of the product's sign. */
  xor: (_, __, next) => {
    const place = () => (next() < 0.5 ? -1 : 1) * (0.08 + 0.84 * next());
    const [x, y] = [place(), place()];
    return [x, y, x * y > 0 ? 0 : 1];
  },
  /** Two clouds, which a straight line parts. */
  clouds: (i, _, next) => {
    const label = i % 2;
    const bell = () => (next() + next() + next() - 1.5) * 0.42;
    const centre = label ? 0.42 : -0.42;
    return [centre + bell(), centre + bell(), label];
  },
} as const satisfies Record<string, Rule>;

/** The names of the data sets. */
export type PlaneName = keyof typeof RULES;
export const PLANE_NAMES = Object.keys(RULES) as readonly PlaneName[];

/** Makes `n` points of a data set; `noise` is the standard deviation of what is added to each. */
export function planeData(name: PlaneName, n: number, { noise = 0.03, seed = 1 } = {}): PlaneData {
  const next = uniform(seed);
  const bell = normal(seed + 1);
  const rule: Rule = RULES[name];
  const made = Array.from({ length: n }, (_, i) => {
    const [x, y, label] = rule(i, n, next);
    return { point: [x + noise * bell(), y + noise * bell()] as [number, number], label };
  });
  return { points: made.map(({ point }) => point), labels: made.map(({ label }) => label) };
}

/** The middles of `side` × `side` squares of the plane, row 0 at the top: `[side², 2]`. */
export function planeGrid(side: number): Float32Array<ArrayBuffer> {
  const grid = new Float32Array(2 * side * side);
  for (let i = 0; i < side * side; i++) {
    grid[2 * i] = (2 * (i % side) + 1) / side - 1;
    grid[2 * i + 1] = 1 - (2 * Math.floor(i / side) + 1) / side;
  }
  return grid;
}
