// Leaves out of `npm run mutants` what only WebGPU reads, since the tests in Node cannot notice it.
const READ_BY_GPU = new Set(["gpu", "wgsl"]);

const ignorer = {
  shouldIgnore(path) {
    if (path.isObjectProperty() && READ_BY_GPU.has(path.node.key.name))
      return "read by WebGPU only";
  },
};

export const strykerPlugins = [{ kind: "Ignore", name: "gpu", value: ignorer }];
