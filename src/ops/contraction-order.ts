import type { Label } from "./contract.ts";

/** A factor by its number, or the product of two, with the labels that are left. */
export type Pairing =
  | number
  | { readonly left: Pairing; readonly right: Pairing; readonly labels: readonly Label[] };

/** Up to so many factors the cheapest order is found; there are 3ⁿ ways to part all sets of n. */
const FEW = 6;

/**
 * In which order factors are multiplied, two by two: that with the fewest multiplications, each
 * pair costing the product of the sizes of all its labels; of many factors, by pairs that leave
 * least.
 * @param factors the labels of each, at least two of them.
 * @param output the labels that are kept at last, in the order of the result.
 */
export function contractionOrder(
  factors: readonly (readonly Label[])[],
  output: readonly Label[],
  sizeOf: (label: Label) => number,
): Pairing {
  const size = (labels: Iterable<Label>) => [...labels].reduce((n, label) => n * sizeOf(label), 1);
  const order = factors.length <= FEW ? cheapest : greedy;
  const pairing = order(factors, output, size);
  // What is left at last comes in the order that is wanted.
  return typeof pairing === "number" ? pairing : { ...pairing, labels: output };
}

type Size = (labels: Iterable<Label>) => number;

/** The labels of some factors that others or the output have too. */
function leftOf(labels: ReadonlySet<Label>, others: Iterable<Label>): Label[] {
  const wanted = new Set(others);
  return [...labels].filter((label) => wanted.has(label));
}

/** Of each set of factors, as a mask of bits, the cheapest way to multiply them. */
function cheapest(
  factors: readonly (readonly Label[])[],
  output: readonly Label[],
  size: Size,
): Pairing {
  const all = 2 ** factors.length - 1;
  const members = (set: number) => factors.filter((_, i) => (set >> i) & 1);
  const found: { cost: number; pairing: Pairing; labels: readonly Label[] }[] = [];
  for (let set = 1; set <= all; set++) {
    const labels = leftOf(new Set(members(set).flat()), [...output, ...members(all ^ set).flat()]);
    const alone = factors.findIndex((_, i) => set === 1 << i);
    found[set] = { cost: alone < 0 ? Number.POSITIVE_INFINITY : 0, pairing: alone, labels };
    // Each way to part the set, once.
    for (let part = (set - 1) & set; part > (set ^ part); part = (part - 1) & set) {
      const [left, right] = [found[part], found[set ^ part]];
      const own = size(new Set([...left.labels, ...right.labels]));
      const cost = left.cost + right.cost + own;
      if (cost >= found[set].cost) continue;
      const pairing = { left: left.pairing, right: right.pairing, labels };
      found[set] = { cost, pairing, labels };
    }
  }
  return found[all].pairing;
}

/** Multiplies the two that leave least beside what they were, again and again. */
function greedy(
  factors: readonly (readonly Label[])[],
  output: readonly Label[],
  size: Size,
): Pairing {
  const left = factors.map((labels, i) => ({ pairing: i as Pairing, labels }));
  while (left.length > 1) {
    let best = { gain: Number.POSITIVE_INFINITY, i: 0, j: 1, labels: [] as readonly Label[] };
    for (let j = 1; j < left.length; j++) {
      for (let i = 0; i < j; i++) {
        const others = left.filter((_, k) => k !== i && k !== j).flatMap(({ labels }) => labels);
        const both = new Set([...left[i].labels, ...left[j].labels]);
        const labels = leftOf(both, [...output, ...others]);
        const gain = size(labels) - size(left[i].labels) - size(left[j].labels);
        if (gain < best.gain) best = { gain, i, j, labels };
      }
    }
    const { i, j, labels } = best;
    const pairing = { left: left[i].pairing, right: left[j].pairing, labels };
    left.splice(j, 1);
    left.splice(i, 1, { pairing, labels });
  }
  return left[0].pairing;
}
