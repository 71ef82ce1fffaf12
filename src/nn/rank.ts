/** How many axes windows of a layer slide along, by the end of its name: 2 of `Conv2d`. */
export function rankOf(name: string): number {
  return Number(name.at(-2));
}
