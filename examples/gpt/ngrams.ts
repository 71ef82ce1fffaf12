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
  const counts = new Map<string, number>();
  const contexts = new Map<string, number>();
  const raise = (map: Map<string, number>, key: string) => map.set(key, (map.get(key) ?? 0) + 1);
  const keyAt = (tokens: ArrayLike<number>, start: number, end: number) => {
    return Array.from({ length: end - start }, (_, i) => tokens[start + i]).join();
  };
  for (let i = 0; i < train.length; i++) {
    for (let order = 0; order < n && order <= i; order++) {
      raise(counts, `${order}:${keyAt(train, i - order, i + 1)}`);
      raise(contexts, `${order}:${keyAt(train, i - order, i)}`);
    }
  }
  let loss = 0;
  for (let i = 0; i < test.length; i++) {
    let p = 1 / vocabularySize;
    for (let order = 0; order < n && order <= i; order++) {
      const whole = contexts.get(`${order}:${keyAt(test, i - order, i)}`) ?? 0;
      const count = counts.get(`${order}:${keyAt(test, i - order, i + 1)}`) ?? 0;
      p = (count + beta * p) / (whole + beta);
    }
    loss -= Math.log(p);
  }
  return loss / test.length;
}
