/** Functions to be fitted: heights from −1 to 1 at places along x, from −1 to 1. */

/** How many places there are. */
export const PLACES = 65;

export const PLACE_X = Array.from({ length: PLACES }, (_, i) => (2 * i) / (PLACES - 1) - 1);

/** Functions to begin with. */
export const FUNCTIONS = {
  waves: (x: number) => 0.45 * Math.sin(5 * x + 0.6) + 0.35 * Math.sin(9 * x),
  sine: (x: number) => 0.8 * Math.sin(Math.PI * x),
  step: (x: number) => (x < 0.1 ? -0.6 : 0.6),
  hat: (x: number) => 0.8 - 1.8 * Math.abs(x + 0.15),
  bumps: (x: number) =>
    Math.exp(-60 * (x - 0.45) ** 2) + 0.7 * Math.exp(-25 * (x + 0.4) ** 2) - 0.5,
  saw: (x: number) => 1.5 * (((x + 1) * 1.5) % 1) - 0.75,
} as const;

export type FunctionName = keyof typeof FUNCTIONS;
export const FUNCTION_NAMES = Object.keys(FUNCTIONS) as FunctionName[];

/** The heights of a function. */
export function heightsOf(name: FunctionName): number[] {
  return PLACE_X.map((x) => Math.max(-1, Math.min(1, FUNCTIONS[name](x))));
}

const LEVELS = 36;

/** Heights as letters and digits, for an address. */
export function writeHeights(heights: readonly number[]): string {
  return heights.map((y) => Math.round(((y + 1) / 2) * (LEVELS - 1)).toString(LEVELS)).join("");
}

/** What `writeHeights` has written is this. */
export const WRITTEN = new RegExp(`^([0-9a-z]{${PLACES}})?$`);

export function readHeights(text: string): number[] {
  return Array.from(text, (digit) => (2 * Number.parseInt(digit, LEVELS)) / (LEVELS - 1) - 1);
}
