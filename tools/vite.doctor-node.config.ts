import { mergeConfig } from "vite";
import bench from "./vite.bench-node.config.ts";

// The doctor for Node as one file that needs no package.
export default mergeConfig(bench, {
  build: { ssr: "doctor/node/main.ts", outDir: "build/doctor-node" },
});
