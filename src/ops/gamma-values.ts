/* The gamma function's logarithm and its derivatives, in float64. */

/** B₂, B₄, … */
const BERNOULLI = [1 / 6, -1 / 30, 1 / 42, -1 / 30, 5 / 66, -691 / 2730, 7 / 6, -3617 / 510];

/** log|Γ(x)| */
export function lgammaValue(x: number): number {
  if (x <= 0 && Math.floor(x) === x) return Number.POSITIVE_INFINITY;
  if (x < 0) {
    // |Γ(x) Γ(1 − x)| = π / |sin πx|
    return (
      -Math.log(Math.abs(Math.sin(Math.PI * turn(x))) / Math.PI) - Math.log(-x) - lgammaValue(-x)
    );
  }
  if (x < 1.5) return lgammaFromTwo(x - 1) - Math.log(x);
  if (x < 3) return lgammaFromTwo(x - 2);
  if (x < 10) return Math.log(x - 1) + lgammaValue(x - 1);
  // Stirling's series
  const q = 1 / x;
  const series = BERNOULLI.reduceRight(
    (sum, b, j) => sum * q * q + b / ((2 * j + 1) * (2 * j + 2)),
    0,
  );
  return (x - 0.5) * (Math.log(x) - 1) + Math.log(2 * Math.PI) / 2 - 0.5 + series * q;
}

/** log Γ(2 + u) = (1 − γ) u + Σ ζ(k, 2) (−u)ᵏ / k for |u| ≤ 1. */
function lgammaFromTwo(u: number): number {
  if (TAYLOR.length === 0) for (let k = 50; k >= 2; k--) TAYLOR.push(zetaOf(k)(2) / k);
  return u * (0.42278433509846713 + TAYLOR.reduce((sum, factor) => sum * -u + factor, 0) * u);
}

/** ζ(k, 2) / k for k from 50 down to 2, once they are asked for. */
const TAYLOR: number[] = [];

/** ψ(x) */
export function digammaValue(x: number): number {
  if (x === 0) return -1 / x;
  if (x < 0) {
    const cotangent = 1 / Math.tan(Math.PI * turn(x));
    return Number.isInteger(x) ? Number.NaN : digammaValue(1 - x) - Math.PI * cotangent;
  }
  if (x < 10) return digammaValue(x + 1) - 1 / x;
  const q = 1 / x;
  const series = BERNOULLI.reduceRight((sum, b, j) => sum * q * q + b / (2 * j + 2), 0);
  return Math.log(x) - q / 2 - series * q * q;
}

/** The n-th derivative of ψ, n ≥ 1. */
export function polygammaValue(n: number): (x: number) => number {
  // n! as the power of a number
  const zeta = zetaOf(n + 1, Math.exp(lgammaValue(n + 1) / (n + 1)));
  const slope = cotangentSlope(n);
  const isEven = n % 2 === 0;
  return (x) => {
    if (!(x < 0)) return isEven ? -zeta(x) : zeta(x);
    if (Number.isInteger(x)) return isEven ? Number.NaN : Number.POSITIVE_INFINITY;
    const c = 1 / Math.tan(Math.PI * turn(x));
    const ofCotangent = slope.reduce((sum, factor) => sum * c + factor, 0);
    return -(Math.PI ** (n + 1)) * ofCotangent - zeta(1 - x);
  };
}

/** x without the nearest whole number, of whose sine and cosine it has the sizes. */
function turn(x: number): number {
  return x - Math.round(x);
}

/** Gives Σ (scale / (x + k))ˢ over k from 0 of x, by the sum of Euler and Maclaurin. */
function zetaOf(s: number, scale = 1): (x: number) => number {
  const n = s - 1;
  const terms = 11 + s;
  const factors = eulerTail(n, BERNOULLI.length);
  return (x) => {
    if (x === Number.POSITIVE_INFINITY) return 0;
    let sum = (scale / x) ** s;
    for (let k = 1; k < terms; k++) sum += (scale / (x + k)) ** s;
    const q = 1 / (x + terms);
    const tail = factors.reduce((y, factor) => y * q * q + factor, 0);
    return sum + ((scale * q) ** s / (n * q)) * (1 + (n / 2) * q + tail * q * q);
  };
}

/** n (n + 1) … (n + 2j − 1) B₂ⱼ / (2j)! for j from a count down to 1. */
export function eulerTail(n: number, count: number): number[] {
  let rising = 1;
  const factors = BERNOULLI.slice(0, count).map((b, j) => {
    rising *= ((n + 2 * j) * (n + 2 * j + 1)) / ((2 * j + 1) * (2 * j + 2));
    return rising * b;
  });
  return factors.reverse();
}

/**
 * The polynomial Pₙ for which the n-th derivative of cot πx is πⁿ Pₙ(cot πx), the highest power first:
 * P₀(c) = c, Pₙ₊₁(c) = −(1 + c²) Pₙ′(c).
 */
export function cotangentSlope(n: number): number[] {
  let factors = [0, 1]; // the lowest power first
  for (let k = 0; k < n; k++) {
    const slope = factors.slice(1).map((factor, power) => factor * (power + 1));
    const next = new Array<number>(slope.length + 2).fill(0);
    slope.forEach((factor, power) => {
      next[power] -= factor;
      next[power + 2] -= factor;
    });
    factors = next;
  }
  return factors.reverse();
}
