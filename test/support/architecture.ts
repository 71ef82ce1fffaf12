/** Checks which folder imports which, that imports make no cycles and that no shader lies idle. */
import { dirname, join } from "node:path/posix";

const base = ["core", "forms", "graph"];
const parts = ["nn", "losses", "optim", "metrics", "data", "csv", "text", "io"];

/** What each folder of src/ may import besides itself: what stands above it in the design. */
const layers: Record<string, readonly string[]> = {
  core: [],
  forms: ["core"],
  graph: ["core", "forms"],
  kernels: ["core", "forms", "shaders"],
  engine: base,
  devices: [...base, "engine", "kernels"],
  ops: [...base, "kernels"],
  loops: [...base, "engine", "devices", "ops"],
  ...Object.fromEntries(parts.map((part) => [part, [...base, "ops", "loops"]])),
  audio: [...base, "ops"],
  datasets: [...base, "ops", "data", "csv"],
  webgpu: [...base, "engine", "devices"],
  pictures: [...base, "engine", "devices", "ops", "data", "webgpu"],
  heads: [...base, "ops", "nn", "losses"],
  train: [...base, "engine", "ops", ...parts],
  callbacks: [...base, "engine", "ops", ...parts, "train"],
  worker: [...base, ...parts, "train"],
  search: [...base, "engine", "ops", ...parts, "train"],
  debug: [...base, "kernels", "engine", "ops", "nn"],
};

/** Modules from outside that src/ may name: the optional peer and what Node has. */
const outside = /^(webgpu$|node:)/;

/** Types that speak of each other, file → what it may know of the types of; docs/architecture.md says why. */
const mutual: Record<string, readonly string[]> = {
  "src/graph/op.ts": ["src/graph/node.ts", "src/graph/row-gradients.ts", "src/graph/tensor.ts"],
  "src/graph/row-gradients.ts": ["src/graph/state.ts", "src/graph/tensor.ts"],
  "src/graph/device.ts": ["src/graph/node.ts", "src/graph/state.ts"],
  "src/graph/watch.ts": ["src/graph/node.ts", "src/graph/state.ts", "src/graph/tensor.ts"],
};

interface Import {
  /** A path from the repository's root, or a bare module name. */
  target: string;
  typeOnly: boolean;
  /** Loaded when something of it is first asked for, so that it takes part in no cycle. */
  onDemand?: boolean;
}

/** Gives one line for each breach in `files` (path from the root → text); none if all is well. */
export function checkArchitecture(files: ReadonlyMap<string, string>): string[] {
  const imports = new Map<string, Import[]>();
  for (const [path, text] of files) {
    if (path.startsWith("src/")) imports.set(path, importsOf(path, text));
  }
  return [...layerBreaches(imports), ...cycles(imports), ...unusedShaders(files.keys(), imports)];
}

function importsOf(path: string, text: string): Import[] {
  const code = text.replace(/\/\*[\s\S]*?\*\/|^\s*\/\/.*$/gm, "");
  const from = /^\s*(?:import|export)\s+(type\s)?[\w\s{},*$]*?from\s*["']([^"'\n]+)["']/gm;
  const found = [...code.matchAll(from)].map((m) => resolve(path, m[2], m[1] !== undefined));
  const bare = [...code.matchAll(/^\s*import\s*["']([^"'\n]+)["']/gm)];
  const onDemand = [...code.matchAll(/\bimport\(\s*["']([^"']+)["']/g)];
  return [
    ...found,
    ...bare.map((m) => resolve(path, m[1], false)),
    ...onDemand.map((m) => ({ ...resolve(path, m[1], true), onDemand: true })),
  ];
}

function resolve(path: string, specifier: string, typeOnly: boolean): Import {
  const file = specifier.replace(/\?.*$/, "");
  return { target: file.startsWith(".") ? join(dirname(path), file) : file, typeOnly };
}

/**
 * The folder that a layer rule speaks of; undefined for files that lie in src/ itself and for the
 * `index.ts` of a folder, which lists what the package exports by that name.
 */
function layerOf(path: string): string | undefined {
  if (path.endsWith("/index.ts")) return undefined;
  if (path.startsWith("shaders/")) return "shaders";
  return /^src\/([^/]+)\//.exec(path)?.[1];
}

function layerBreaches(imports: ReadonlyMap<string, Import[]>): string[] {
  const breaches: string[] = [];
  for (const [path, targets] of imports) {
    const layer = layerOf(path);
    if (layer !== undefined && !(layer in layers)) {
      breaches.push(`${path}: folder ${layer} has no place in the layers`);
      continue;
    }
    for (const { target } of targets) {
      if (!mayImport(layer, target)) breaches.push(`${path}: imports ${target}`);
    }
  }
  return breaches;
}

/** What every folder may load on demand. */
const TOOLS = "src/tools.ts";

function mayImport(layer: string | undefined, target: string): boolean {
  if (target === TOOLS) return layer === "core" || layer === undefined;
  if (!/^(src|shaders)\//.test(target)) return outside.test(target);
  if (layer === undefined) return true;
  const other = layerOf(target);
  return other !== undefined && (other === layer || layers[layer].includes(other));
}

/** Finds cycles of imports, of types too, by depth-first search, each told once as `a → b → a`. */
function cycles(imports: ReadonlyMap<string, Import[]>): string[] {
  const found: string[] = [];
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): void => {
    const start = trail.indexOf(path);
    if (start >= 0) found.push(`cycle: ${[...trail.slice(start), path].join(" → ")}`);
    if (start >= 0 || done.has(path)) return;
    trail.push(path);
    for (const { target, typeOnly, onDemand } of imports.get(path) ?? []) {
      const isWanted = typeOnly && mutual[path]?.includes(target);
      if (!onDemand && !isWanted) visit(target);
    }
    trail.pop();
    done.add(path);
  };
  for (const path of imports.keys()) visit(path);
  return found;
}

function unusedShaders(paths: Iterable<string>, imports: ReadonlyMap<string, Import[]>): string[] {
  const used = new Set([...imports.values()].flat().map(({ target }) => target));
  return [...paths]
    .filter((path) => path.startsWith("shaders/") && !used.has(path))
    .map((path) => `${path}: no file in src/ imports it`);
}
