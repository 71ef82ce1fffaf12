export const BROWSER_FLAGS: string[];
export function findBrowser(environment?: Record<string, string | undefined>): string | undefined;
export function ensureBrowser(): string;
