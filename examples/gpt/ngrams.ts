/**
 * How many nats a character of a text costs a model of the last n − 1 characters that counts another
 * text: p(c | context) = (count(context c) + β p(c | shorter context)) / (count(context) + β), where
 * without a context all characters are alike.
 * Source: MacKay & Peto 1995, "A hierarchical Dirichlet language model", eq. 23, of one β for all.
 * @param n from 1.
 */
export function ngramLoss(
  train: ArrayLike<number>,
  test: ArrayLike<number>,
  n: number,
  vocabularySize: number,
  beta = 5,
): number {
  // For each number of characters, how often each of their sequences was seen, by its digits.
  const counts = Array.from({ length: n + 1 }, () => new Map<number, number>());
  const keyOf = (tokens: ArrayLike<number>, start: number, end: number) => {
    let key = 0;
    for (let i = start; i < end; i++) key = key * vocabularySize + tokens[i];
    return key;
  };
  const countOf = (tokens: ArrayLike<number>, start: number, end: number) =>
    counts[end - start].get(keyOf(tokens, start, end)) ?? 0;
  for (let end = 1; end <= train.length; end++) {
    for (let size = 1; size <= n && size <= end; size++) {
      const key = keyOf(train, end - size, end);
      counts[size].set(key, (counts[size].get(key) ?? 0) + 1);
    }
  }
  let loss = 0;
  for (let i = 0; i < test.length; i++) {
    let p = 1 / vocabularySize;
    for (let order = 0; order < n && order <= i; order++) {
      const whole = order === 0 ? train.length : countOf(test, i - order, i);
      const count = countOf(test, i - order, i + 1);
      p = (count + beta * p) / (whole + beta);
    }
    loss -= Math.log(p);
  }
  return loss / test.length;
}
