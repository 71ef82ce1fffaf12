import { describeValue } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkTensors, type Tensor } from "../graph/tensor.ts";
import { contract, type Label, type Labelled, permuted, reducedTo } from "./contract.ts";
import { contractionOrder, type Pairing } from "./contraction-order.ts";
import { diagonal } from "./diagonals.ts";
import { checkDomain } from "./domain.ts";
import { checkSameDType } from "./elementwise.ts";
import { reshape } from "./reshape.ts";

/**
 * Sums products of tensors' elements over indices that a text names, as NumPy's and PyTorch's
 * `einsum` do: `"ij,jk->ik"` is yᵢₖ = Σⱼ aᵢⱼ bⱼₖ. Each axis has a letter, or is one of those that
 * broadcast, for which `...` stands. What the output lacks is summed over; a letter that a term has
 * twice takes its diagonal. Without `->` the output has the axes of `...`, then the letters that
 * occur once, in alphabetical order.
 *
 * Tensors are multiplied pair by pair, in the order that costs the fewest multiplications (of more
 * than six, where each pair leaves least), and each pair by one product of matrices.
 * @param subscripts a term for each tensor. An axis of size 1 broadcasts to its letter's size.
 * @param operands numbers of one dtype.
 * @throws ShapeError for what is no such text, and for shapes that do not fit it; DTypeError for
 * two dtypes, or bools.
 * @example
 * const [q, k] = [zeros([2, 8, 5, 4]), zeros([2, 8, 7, 4])];
 * einsum("bhqd,bhkd->bhqk", q, k).shape; // [2, 8, 5, 7]
 */
export function einsum(subscripts: string, ...operands: readonly Tensor[]): Tensor {
  if (typeof subscripts !== "string") {
    throw new ShapeError(
      `einsum: subscripts ${describeValue(subscripts)}; expected a text such as "ij,jk->ik"`,
    );
  }
  checkTensors("einsum", operands);
  const [left, right] = sidesOf(subscripts);
  const terms = left.split(",");
  if (terms.length !== operands.length || operands.length === 0) {
    throw new ShapeError(
      `einsum: "${subscripts}" for ${operands.length} tensors; expected one term for each`,
    );
  }
  for (const x of operands) {
    checkDomain("einsum", x.dtype, "number");
    checkSameDType("einsum", operands[0], x);
  }
  const given = terms.map((term, i) => labelled(term, operands[i]));
  const output = right === null ? implied(given) : outputOf(right, given);
  const sizes = sizesOf(given);
  const factors = given.map((one) => squeezed(distinct(one), sizes));
  if (factors.length === 1) {
    return permuted(reducedTo(factors[0], new Set(output)), output);
  }
  const pairing = contractionOrder(
    factors.map(({ labels }) => labels),
    output,
    (label) => sizes.get(label) as number,
  );
  return permuted(multiplied(pairing, factors), output);
}

/** The terms, and the output where it is given. */
function sidesOf(subscripts: string): readonly [string, string | null] {
  const sides = subscripts.replaceAll(" ", "").split("->");
  if (sides.length <= 2) return [sides[0], sides[1] ?? null];
  throw new ShapeError(`einsum: several -> in "${subscripts}"; expected one at most`);
}

/** How errors call a label. */
function spoken(label: Label): string {
  return label > 0 ? `"${String.fromCharCode(label)}"` : `axis ${label} of "..."`;
}

/**
 * The labels of a term: a letter's code, or -1, -2, … for the axes of `...`, counted from the last.
 * @param broadcast how many axes `...` stands for.
 */
function lettersOf(term: string, broadcast: number): Label[] {
  const [before, after] = term.split("...");
  const letters = (text: string): Label[] => [...text].map((letter) => letter.charCodeAt(0));
  if (after === undefined) return letters(before);
  const between = Array.from({ length: broadcast }, (_, i) => i - broadcast);
  return [...letters(before), ...between, ...letters(after)];
}

function checkTerm(term: string): void {
  if (/^[A-Za-z]*(\.\.\.)?[A-Za-z]*$/.test(term)) return;
  throw new ShapeError(`einsum: "${term}"; expected letters, and "..." once at most`);
}

function labelled(term: string, x: Tensor): Labelled {
  checkTerm(term);
  const named = term.replace("...", "").length;
  const hasRest = term.includes("...");
  if (hasRest ? named > x.rank : named !== x.rank) {
    throw new ShapeError(
      `einsum: "${term}" for ${formatShape(x.shape)}; expected ${hasRest ? "at most " : ""}` +
        `${x.rank} letters`,
    );
  }
  return { x, labels: lettersOf(term, x.rank - named) };
}

/** How many axes `...` stands for. */
function broadcastAxes(given: readonly Labelled[]): Label[] {
  const most = -Math.min(0, ...given.flatMap(({ labels }) => labels));
  return Array.from({ length: most }, (_, i) => i - most);
}

/** The output that is not given: axes of `...`, then the letters that occur once. */
function implied(given: readonly Labelled[]): Label[] {
  const all = given.flatMap(({ labels }) => labels).filter((label) => label > 0);
  const once = all.filter((label) => all.indexOf(label) === all.lastIndexOf(label));
  return [...broadcastAxes(given), ...once.sort((a, b) => a - b)];
}

function outputOf(term: string, given: readonly Labelled[]): Label[] {
  checkTerm(term);
  const output = lettersOf(term, broadcastAxes(given).length);
  for (const [i, label] of output.entries()) {
    if (output.indexOf(label) < i) {
      throw new ShapeError(`einsum: ${spoken(label)} twice in the output "${term}"; expected once`);
    }
    if (!given.some(({ labels }) => labels.includes(label))) {
      throw new ShapeError(
        `einsum: ${spoken(label)} of the output "${term}" in no term; expected letters of the terms`,
      );
    }
  }
  return output;
}

/** The size of each label: that of its axes, but for those of size 1, which broadcast. */
function sizesOf(given: readonly Labelled[]): Map<Label, number> {
  const sizes = new Map<Label, number>();
  for (const { x, labels } of given) {
    for (const [axis, label] of labels.entries()) {
      const [n, known = 1] = [x.shape[axis], sizes.get(label)];
      if (n !== known && n !== 1 && known !== 1) {
        throw new ShapeError(
          `einsum: ${spoken(label)} has sizes ${known} and ${n}; expected one size, or 1`,
        );
      }
      sizes.set(label, n === 1 ? known : n);
    }
  }
  return sizes;
}

/** Takes the diagonal of axes that have one label. */
function distinct({ x, labels }: Labelled): Labelled {
  const second = labels.findIndex((label, i) => labels.indexOf(label) < i);
  if (second < 0) return { x, labels };
  const label = labels[second];
  const first = labels.indexOf(label);
  if (x.shape[first] !== x.shape[second]) {
    throw new ShapeError(
      `einsum: ${spoken(label)} has sizes ${x.shape[first]} and ${x.shape[second]} in one term; ` +
        "expected a square",
    );
  }
  const rest = labels.filter((_, i) => i !== first && i !== second);
  return distinct({ x: diagonal(x, { axis: [first, second] }), labels: [...rest, label] });
}

/** Leaves out axes of size 1 that broadcast. */
function squeezed({ x, labels }: Labelled, sizes: ReadonlyMap<Label, number>): Labelled {
  const kept = [...labels.keys()].filter((i) => x.shape[i] === sizes.get(labels[i]));
  if (kept.length === labels.length) return { x, labels };
  return {
    x: reshape(
      x,
      kept.map((i) => x.shape[i]),
    ),
    labels: kept.map((i) => labels[i]),
  };
}

/** Multiplies factors pair by pair. */
function multiplied(pairing: Pairing, factors: readonly Labelled[]): Labelled {
  if (typeof pairing === "number") return factors[pairing];
  const { left, right, labels } = pairing;
  const [a, b] = [left, right].map((part) => multiplied(part, factors));
  return { x: contract(a, b, labels), labels };
}
