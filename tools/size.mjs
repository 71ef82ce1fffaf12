// @ts-check
// Tells how large an app becomes: bundles and minifies it against dist/, compresses it with gzip.
// `node tools/size.mjs [entry …]`; without an entry it takes the two-layer trainer, which has a
// limit. Run tools/build.mjs first.
import { existsSync, readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { build } from "vite";
import { root } from "./sources.mjs";

/**
 * Bytes that the two-layer trainer may take, minified and compressed. The aim is 40 kB; what is there
 * takes 55,908: 14.1 kB of them WebGPU (5.2 kB write kernels, 6 kB run them and know what failed, 2 kB
 * are plans), 9.5 kB programs, schedules, replays and the order of calls, 6 kB ops, 5.1 kB graphs, gradients and states,
 * 4.6 kB checks, dtypes and shapes, 2.4 kB shaders, 4 kB forms and the choice of kernels, 4.6 kB
 * layers, the loss, the optimizer and the step. 3 kB of all are texts of messages, 0.6 kB the plain
 * forms of ops, which only the CPU runs. None of it is for a trainer alone, so less would be other
 * messages, specifications apart from their ops, or promises that are not kept. 0.3 kB let a loss's kernel make
 * its logits, a dispatch less in each step; what finds such rows is loaded beside.
 */
export const SIZE_LIMIT = 54.75 * 1024;

/**
 * Bytes that the script of the CPU's compiled engine may take, which pages with a GPU do not load. What is there takes
 * 20,400: 6 kB plans, their memory and modules, 6 kB values of elements and where they lie, 2.5 kB
 * products, 2.5 kB rows, 1 kB functions of floats, and 2.4 kB what all of these have in common. Code that
 * few apps want is 12,200 more, in four scripts that are loaded beside it where an app has what wants
 * them: 4.4 kB functions of elements and random numbers, 3.4 kB kernels (sorting, searching, running
 * totals, moments), 1.9 kB places and sums by indices, 2.5 kB products of windows.
 */
export const ENGINE_LIMIT = 20 * 1024;

/**
 * Bundles one entry file; gives the bytes that a page with WebGPU loads, minified and compressed, and
 * the compressed bytes of each script that it may load on demand.
 * @param {string} entry
 * @returns {Promise<{ minified: number; gzip: number; onDemand: Record<string, number> }>}
 */
export async function measure(entry) {
  const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  const alias = Object.entries(exports)
    .filter(([, target]) => target.default)
    .map(([name, target]) => ({
      find: new RegExp(`^gradus${name.slice(1)}$`),
      replacement: join(root, target.default),
    }));
  const built = await build({
    root,
    configFile: false,
    logLevel: "error",
    resolve: { alias },
    build: {
      write: false,
      target: "es2022",
      modulePreload: false,
      rolldownOptions: { input: resolve(entry), output: HELPERS_APART },
    },
  });
  const { output } = /** @type {import("vite").Rolldown.RolldownOutput} */ (built);
  const chunks = output.filter((file) => file.type === "chunk");
  const atOnce = loadedAtOnce(chunks);
  /** @param {(code: string) => number} size */
  const count = (size) => atOnce.reduce((sum, { code }) => sum + size(code), 0);
  const later = chunks.filter((file) => file.isDynamicEntry && !atOnce.includes(file));
  return {
    minified: count((code) => Buffer.byteLength(code)),
    gzip: count(gzipLength),
    onDemand: Object.fromEntries(later.map(({ name, code }) => [name, gzipLength(code)])),
  };
}

/** Puts Vite's helpers for preloading into a script of their own, for they are no part of the package. */
export const HELPERS_APART = {
  codeSplitting: { groups: [{ name: "vite-helpers", test: /vite\/preload-helper/ }] },
};

/**
 * What a page with a GPU does not wait for: what stands in for one or brings its work back, loaded
 * when all is started; the kernels of adapters on which workgroup memory does not pay, what lets
 * many tensors share buffers, what prints, explains, measures and watches; and what is not ours.
 */
const ELSEWHERE =
  /^(without-gpu|matmul-direct|matmul-tiles|product-rows|sharing|tools|vite-helpers)$/;

/**
 * The scripts that a page with WebGPU loads: the entry, the device, and what both import.
 * @param {readonly import("vite").Rolldown.OutputChunk[]} output
 */
export function loadedAtOnce(output) {
  const chunks = new Map(output.map((file) => [file.fileName, file]));
  const loaded = new Set(output.filter((file) => file.isEntry));
  for (const chunk of loaded) {
    const named = [...chunk.imports, ...chunk.dynamicImports].map((name) => chunks.get(name));
    for (const next of named) if (next && !ELSEWHERE.test(next.name)) loaded.add(next);
  }
  return [...loaded];
}

/** @param {string} code */
function gzipLength(code) {
  return gzipSync(code).length;
}

/** @param {readonly string[]} entries */
async function main(entries) {
  if (!existsSync(join(root, "dist/index.js"))) {
    console.error("size: there is no dist/; expected a built package. Run npm run build");
    return 1;
  }
  const trainer = join(root, "test/fixtures/package-app/main.ts");
  let code = 0;
  for (const entry of entries.length > 0 ? entries : [trainer]) {
    const { minified, gzip, onDemand } = await measure(entry);
    const engine = onDemand["compiled-engine"] ?? 0;
    const isOver = resolve(entry) === trainer && gzip > SIZE_LIMIT;
    if (isOver || engine > ENGINE_LIMIT) code = 1;
    const limit = resolve(entry) === trainer ? `, limit ${SIZE_LIMIT}` : "";
    if (engine > ENGINE_LIMIT) console.error(`compiled-engine: over its limit, ${ENGINE_LIMIT}`);
    const parts = Object.entries(onDemand).map(([name, bytes]) => `${name} ${bytes}`);
    console.log(
      `${entry}: ${minified} bytes minified, ${gzip} compressed${limit}; ` +
        `on demand ${parts.join(", ") || "nothing"}`,
    );
  }
  return code;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  process.exitCode = await main(process.argv.slice(2));
}
