/** Writes bytes with a unit: 1.5 MB. */
export function bytesText(bytes: number): string {
  return bytes < 1000 ? `${bytes} B` : `${amountText(bytes)}B`;
}

/** Writes a number with three digits and a prefix: 16.2 M. */
export function amountText(value: number): string {
  const power = value < 1000 ? 0 : Math.min(4, Math.floor(Math.log10(value) / 3));
  const digits = value / 1000 ** power;
  return `${Number(digits.toPrecision(3))} ${["", "k", "M", "G", "T"][power]}`;
}

/** The colour of a group: neighbours are far apart on the circle of hues. */
export function groupColor(group: number): string {
  return group < 0 ? "var(--edge)" : `hsl(${(group * 137.5 + 215) % 360} 52% 52%)`;
}
