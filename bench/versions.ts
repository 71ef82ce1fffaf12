import { existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const PACKAGES = [
  "@tensorflow/tfjs-core",
  "@tensorflow/tfjs-backend-webgpu",
  "@tensorflow/tfjs-backend-wasm",
  "@tensorflow/tfjs-backend-cpu",
  "@jax-js/jax",
  "onnxruntime-web",
];

/** Reads the versions of Gradus and of the installed peers, for the bundlers to write in. */
export function readVersions(): Record<string, string> {
  const root = new URL("../", import.meta.url);
  const version = (path: string): string => {
    const file = fileURLToPath(new URL(path, root));
    if (!existsSync(file)) return "not installed";
    return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version;
  };
  const peers = PACKAGES.map((name) => [name, version(`node_modules/${name}/package.json`)]);
  return { gradus: version("package.json"), ...Object.fromEntries(peers) };
}
