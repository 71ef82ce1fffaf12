import { build, preview } from "vite";
import type { TestProject } from "vitest/node";
import { launchBrowser } from "../../tools/page.mjs";

declare module "vitest" {
  interface ProvidedContext {
    /** Where the built site lies and is served, and the browser's address for those who connect to it. */
    site: { readonly folder: string; readonly url: string; readonly endpoint: string };
  }
}

/** Builds the site once, serves it, and starts the one browser of all its tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  const shared = { configFile: "vite.config.ts", logLevel: "error" } as const;
  const outDir = `${process.cwd()}/build/test-site`;
  const starting = launchBrowser();
  const { NODE_ENV } = process.env;
  process.env.NODE_ENV = "production"; // as `npm run site` builds it
  await build({ ...shared, build: { outDir } });
  process.env.NODE_ENV = NODE_ENV;
  const browser = await starting;
  const server = await preview({
    ...shared,
    build: { outDir },
    preview: { port: 0, host: "127.0.0.1" },
  });
  const url = server.resolvedUrls?.local[0] as string;
  project.provide("site", { folder: outDir, url, endpoint: browser.wsEndpoint() });
  return async () => {
    await browser.close();
    await server.close();
  };
}
