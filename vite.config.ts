import { join } from "node:path";
import { defineConfig, type Plugin } from "vite";
import { readVersions } from "./bench/versions.ts";
import { threadText } from "./site/bench/thread-text.ts";
import { formulas } from "./site/shell/formulas.ts";
import { frame, presentPages } from "./site/shell/frame.ts";
import { digitFiles, mnistFiles } from "./site/shell/mnist-files.ts";
import { offline } from "./site/shell/offline.ts";
import { reference } from "./tools/reference-plugin.ts";
import { isolation, sources } from "./tools/sources.mjs";

const root = import.meta.dirname;
const site = join(root, "site");

// Vite's own pattern ends in a dot for files without an ending, which Windows drops.
// Classes keep their names, which messages tell.
const keepNames = { function: false, class: true };
const output = {
  assetFileNames: "assets/[name]-[hash][extname]",
  minify: { compress: { keepNames }, mangle: { keepNames }, codegen: true },
} as const;

/** Where the pages were before they were the site's. */
const MOVED: Readonly<Record<string, string>> = {
  "/examples/train/": "/train/",
  "/bench/page/": "/bench/",
};

/** Leads from the addresses of before, and tells where the pages are. */
function frontDoor(): Plugin {
  return {
    name: "front-door",
    configureServer(server) {
      server.middlewares.use((request, response, next) => {
        const place = MOVED[request.url ?? ""];
        if (!place) return next();
        response.writeHead(302, { Location: place }).end();
      });
      const print = server.printUrls;
      server.printUrls = () => {
        print();
        const url = server.resolvedUrls?.local[0];
        for (const { title, slug } of presentPages().slice(1)) {
          server.config.logger.info(`  ➜  ${title}: ${url}${slug}/`);
        }
      };
    },
  };
}

// The site: `npm run dev` serves it, `npm run site` writes it to build/site.
export default defineConfig({
  root: site,
  base: "./",
  appType: "mpa",
  // Servers that run at the same time do not clear away what another has made ready.
  cacheDir: join(
    root,
    `node_modules/.vite/${process.env.npm_lifecycle_event?.replace(/\W/g, "-") ?? "pages"}`,
  ),
  resolve: { alias: sources },
  plugins: [mnistFiles(), digitFiles(), formulas(), frame(), reference(), offline(), frontDoor()],
  define: { BENCH_VERSIONS: JSON.stringify(readVersions()) },
  optimizeDeps: {
    entries: ["**/index.html", "**/{job,worker,*-job,main,home}.ts"],
    exclude: ["webgpu", "onnxruntime-web"],
  },
  server: {
    headers: isolation,
    fs: { allow: [root] },
    watch: { ignored: ["**/build/**", "**/dist/**", "**/runs/**"] },
  },
  preview: { headers: isolation },
  worker: {
    format: "es",
    plugins: () => [digitFiles(), threadText()],
    rolldownOptions: { output },
  },
  build: {
    target: "es2022",
    cssTarget: ["chrome123", "firefox120", "safari17.5"],
    minify: false, // by `output` above
    outDir: join(root, "build/site"),
    emptyOutDir: true,
    chunkSizeWarningLimit: 4096,
    reportCompressedSize: false,
    rolldownOptions: {
      input: presentPages().map(({ slug }) => join(site, slug, "index.html")),
      output,
    },
  },
});
