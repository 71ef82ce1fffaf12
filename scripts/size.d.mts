export const SIZE_LIMIT: number;
export function measure(entry: string): Promise<{ minified: number; gzip: number }>;
