import { foldIn, type Key } from "../core/random.ts";
import type { Tensor } from "../graph/tensor.ts";
import { add, minimum, mul, sub } from "../ops/arithmetic.ts";
import { cast } from "../ops/cast.ts";
import { equal, greater, less, lessEqual, logicalAnd, logicalOr } from "../ops/compare.ts";
import { arange } from "../ops/creation.ts";
import { gather } from "../ops/gather.ts";
import { normalAt, uniformAt } from "../ops/random-at.ts";
import { max, min, sum } from "../ops/reduce.ts";
import { reshape } from "../ops/reshape.ts";
import { isFinite, isNaN } from "../ops/unary.ts";
import { where } from "../ops/where.ts";

/** How parents are chosen. */
export type Selection = "tournament" | "roulette";

/** How a child's genes are made of those of two parents. */
export type Crossover = "uniform" | "one-point" | "blend";

/** A generation's number, a u32 scalar, and the key from which every draw takes its own. */
export interface Randomness {
  readonly generation: Tensor;
  readonly key: Key;
}

/** Which draw a key belongs to: two with one key would give the same numbers. */
const DRAWS = ["parents", "crossed", "exchanged", "mutated", "noise"] as const;

function drawKey({ key }: Randomness, draw: (typeof DRAWS)[number]): { key: Key } {
  return { key: foldIn(key, DRAWS.indexOf(draw)) };
}

/** 0 … n − 1 as u32, along the first or the last of two axes. */
function numbers(n: number, axis: "rows" | "columns", { device }: Tensor): Tensor {
  const all = arange(n, undefined, 1, { dtype: "u32", device });
  return reshape(all, axis === "rows" ? [n, 1] : [1, n]);
}

/**
 * Sorts individuals by their losses `[P]`: their numbers, u32 `[P]`, the best first, equal ones in the
 * order they have, NaN as the worst. An individual's rank is the number of those before it.
 */
export function ranking(losses: Tensor): Tensor {
  const [n] = losses.shape;
  const known = where(isNaN(losses), Number.POSITIVE_INFINITY, losses);
  const [own, other] = [reshape(known, [n, 1]), reshape(known, [1, n])];
  const [i, j] = [numbers(n, "rows", losses), numbers(n, "columns", losses)];
  const isBefore = logicalOr(less(other, own), logicalAnd(equal(other, own), less(j, i)));
  const rank = sum(cast(isBefore, "u32"), { axis: 1 });
  // order[r] = Σⱼ j · [rankⱼ = r]
  return sum(where(equal(reshape(rank, [1, n]), i), j, 0), { axis: 1 });
}

/** Chooses individuals: the best of `size` drawn ones each (Goldberg and Deb 1991). */
export function tournament(order: Tensor, count: number, size: number, random: Randomness): Tensor {
  const [n] = order.shape;
  const u = uniformAt(random.generation, [count, size], drawKey(random, "parents"));
  return gather(order, min(cast(mul(u, n), "u32"), { axis: 1 }));
}

/**
 * Chooses individuals with a probability in proportion to what they are better than the worst one
 * (Goldberg 1989, "Genetic Algorithms in Search, Optimization and Machine Learning", chapter 3);
 * those with losses that are not finite are chosen only where there is nothing better.
 */
export function roulette(losses: Tensor, count: number, random: Randomness): Tensor {
  const [n] = losses.shape;
  const known = isFinite(losses);
  const worst = max(where(known, losses, Number.NEGATIVE_INFINITY));
  const better = cast(where(known, sub(worst, losses), 0), "f32");
  const weights = where(greater(max(better), 0), better, 1);
  const isUpTo = lessEqual(numbers(n, "columns", losses), numbers(n, "rows", losses));
  const ends = sum(where(isUpTo, reshape(weights, [1, n]), 0), { axis: 1 }); // of the sectors
  const u = uniformAt(random.generation, [count, 1], drawKey(random, "parents"));
  const isPassed = lessEqual(reshape(ends, [1, n]), mul(u, max(ends)));
  return minimum(sum(cast(isPassed, "u32"), { axis: 1 }), n - 1);
}

/** α of BLX-α: how far beyond its parents a child may lie, in parts of their distance. */
const BEYOND = 0.5;

const CROSSOVERS: Record<Crossover, (a: Tensor, b: Tensor, random: Randomness) => Tensor> = {
  /** Each gene of either parent (Syswerda 1989). */
  uniform: (a, b, random) => {
    const { dtype, shape } = a;
    const u = uniformAt(random.generation, shape, { ...drawKey(random, "exchanged"), dtype });
    return where(less(u, 0.5), a, b);
  },
  /** The genes before a place of one parent, the others of the other one (Holland 1975). */
  "one-point": (a, b, random) => {
    const [n, genes] = a.shape;
    const u = uniformAt(random.generation, [n, 1], drawKey(random, "exchanged"));
    const cut = add(cast(mul(u, Math.max(1, genes - 1)), "u32"), 1);
    return where(less(numbers(genes, "columns", a), cut), a, b);
  },
  /** BLX-α: each gene drawn from the parents' interval and α of it on both sides (Eshelman and Schaffer 1993). */
  blend: (a, b, random) => {
    const { dtype, shape } = a;
    const range = { low: -BEYOND, high: 1 + BEYOND, dtype };
    const u = uniformAt(random.generation, shape, { ...drawKey(random, "exchanged"), ...range });
    return add(a, mul(u, sub(b, a)));
  },
};

/** The names of all crossovers. */
export const CROSSOVER_NAMES: readonly string[] = Object.keys(CROSSOVERS);

/** Gives each pair of rows of a and b one child, or a copy of the first where none is drawn. */
export function crossed(
  a: Tensor,
  b: Tensor,
  { crossover, crossoverRate }: { crossover: Crossover; crossoverRate: number },
  random: Randomness,
): Tensor {
  const u = uniformAt(random.generation, [a.shape[0], 1], drawKey(random, "crossed"));
  return where(less(u, crossoverRate), CROSSOVERS[crossover](a, b, random), a);
}

/** Adds to a share of the genes a normal number of standard deviation `scale`, a scalar. */
export function mutated(
  genes: Tensor,
  rate: number,
  scale: Tensor | number,
  random: Randomness,
): Tensor {
  const { shape, dtype } = genes;
  const { generation } = random;
  const u = uniformAt(generation, shape, { ...drawKey(random, "mutated"), dtype });
  const noise = normalAt(generation, shape, { ...drawKey(random, "noise"), dtype });
  return where(less(u, rate), add(genes, mul(noise, scale)), genes);
}
