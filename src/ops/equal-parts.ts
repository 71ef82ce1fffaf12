/**
 * In how many parts of equal length rows can be cut, at the most: 1 where only far fewer than `most`
 * would do. Parts are of fours where the whole is, so that they load as that does.
 */
export function equalParts(length: number, most: number): number {
  const unit = length % 4 === 0 ? 4 : 1;
  for (let parts = most; parts > most / 4; parts--) if (length % (unit * parts) === 0) return parts;
  return 1;
}
