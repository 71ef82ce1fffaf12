// Leaves out of `npm run mutants` what no test in Node can notice: what only WebGPU reads, and a
// `true` that says that an option is known, where the type takes no `false`.
const READ_BY_GPU = new Set(["form", "formula"]);

/** Whether a property belongs to the table of options in a call of `checkOptions`. */
function namesOption({ parentPath: table }) {
  return table.parentPath.isCallExpression() && table.parent.callee.name === "checkOptions";
}

const ignorer = {
  shouldIgnore(path) {
    if (path.isObjectProperty() && READ_BY_GPU.has(path.node.key.name))
      return "read by WebGPU only";
    const isTrue = path.isBooleanLiteral({ value: true }) && path.parentPath.isObjectProperty();
    if (isTrue && namesOption(path.parentPath)) return "false does not type-check";
  },
};

export const strykerPlugins = [{ kind: "Ignore", name: "gpu", value: ignorer }];
