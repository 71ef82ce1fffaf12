import type { Browser, LaunchOptions, Page } from "puppeteer";
import type { PreviewServer, ViteDevServer } from "vite";

export function launchBrowser(options?: LaunchOptions): Promise<Browser>;
export function withPage<T>(
  server: PreviewServer | ViteDevServer,
  use: (page: Page, url: string) => Promise<T>,
  options?: LaunchOptions,
): Promise<T>;
