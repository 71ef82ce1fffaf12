/** What the page and its job agree on. */

/** A picture of the reader's: a file, and its class, 0 or 1. */
export interface OwnPicture {
  readonly name: string;
  readonly source: Blob;
  readonly label: 0 | 1;
}

/** Pixels of a side. */
export const SIZE = 32;
/** How bytes become numbers. */
export const NORMALIZE = { mean: 0.5, std: 0.25 } as const;
/** The fewest pictures of a class that can be learned from. */
export const LEAST = 5;

/** What is missing of pictures before they can be learned from; "" when nothing is. */
export function complaint(pictures: readonly Pick<OwnPicture, "label">[]): string {
  const counts = [0, 1].map((k) => pictures.filter(({ label }) => label === k).length);
  if (Math.min(...counts) >= LEAST) return "";
  const [first, second] = counts;
  return `${first} and ${second} pictures; expected at least ${LEAST} of each class.`;
}
