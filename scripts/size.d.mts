export const SIZE_LIMIT: number;
export const HELPERS_APART: {
  codeSplitting: { groups: { name: string; test: RegExp }[] };
};
export const ELSEWHERE: RegExp;
export function measure(
  entry: string,
): Promise<{ minified: number; gzip: number; onDemand: Record<string, number> }>;
