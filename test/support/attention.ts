/** What a row of q may attend to, beside what is said of all. */
type Allows = (row: number, column: number) => boolean;

/** softmax(q · kᵀ · scale + added) · v of matrices, term by term in float64; zeros where nothing is allowed. */
export function attention(
  q: readonly (readonly number[])[],
  k: readonly (readonly number[])[],
  v: readonly (readonly number[])[],
  { scale = 1 / Math.sqrt(q[0].length), added = (_row: number, _column: number): number => 0 } = {},
  allows: Allows = () => true,
): number[][] {
  return q.map((row, i) => {
    const scores = k.map((other, j) => {
      if (!allows(i, j)) return Number.NEGATIVE_INFINITY;
      return row.reduce((sum, x, c) => sum + x * other[c], 0) * scale + added(i, j);
    });
    const largest = Math.max(...scores, -Number.MAX_VALUE);
    const weights = scores.map((score) => Math.exp(score - largest));
    const total = weights.reduce((a, b) => a + b, 0);
    return v[0].map((_, c) => {
      const sum = weights.reduce((sum, weight, j) => sum + weight * v[j][c], 0);
      return total === 0 ? 0 : sum / total;
    });
  });
}

/** Turns pairs of each row by its position: the pairs that `places` gives, of e / 2. */
export function rotated(
  x: readonly (readonly number[])[],
  positions: readonly number[],
  base: number,
  places: (pair: number, pairs: number) => readonly [number, number],
): number[][] {
  return x.map((row, i) => {
    const y = [...row];
    for (let pair = 0; pair < row.length / 2; pair++) {
      const angle = positions[i] / base ** ((2 * pair) / row.length);
      const [a, b] = places(pair, row.length / 2);
      y[a] = row[a] * Math.cos(angle) - row[b] * Math.sin(angle);
      y[b] = row[b] * Math.cos(angle) + row[a] * Math.sin(angle);
    }
    return y;
  });
}
