// @ts-check
// Reads the public API, every entry of package.json with its docstrings, by TypeDoc.
import { readFileSync } from "node:fs";
import { register } from "node:module";
import { join } from "node:path";
import { root } from "./sources.mjs";

// TypeDoc calls the compiler, whose API is no longer in TypeScript 7.
const older = `export const resolve = (name, context, next) =>
  next(name === "typescript" ? "typescript-6" : name, context);`;
register(`data:text/javascript,${encodeURIComponent(older)}`);
export const typedoc = await import("typedoc");
const { Application, Context, ReflectionKind } = typedoc;

// Most ops are constants of a function's type; TypeDoc takes those for functions that say so.
const { getComment } = Context.prototype;
Context.prototype.getComment = function (symbol, kind) {
  const comment = getComment.call(this, symbol, kind);
  if (kind === ReflectionKind.Variable) comment?.modifierTags.add("@function");
  return comment;
};

/** Types that the API names and that are the engine's own, with the files they are declared in. */
const OWN = {
  "callbacks/checkpoint.ts": ["SavedRun"],
  "callbacks/early-stopping.ts": ["BestSoFar"],
  "data/idx.ts": ["ARRAYS"],
  "engine/plan.ts": ["PlanOptions"],
  "engine/program.ts": ["Program"],
  "fluent/index.ts": ["Free", "Ops", "Method"],
  "graph/device.ts": ["Storage", "StateJournal"],
  "graph/node.ts": ["Node"],
  "graph/state.ts": ["Followers"],
  "graph/trace-key.ts": ["KnownByIdentity"],
  "io/safetensors-dtype.ts": ["SAFETENSORS_ARRAYS"],
  "optim/adam.ts": ["Decayed"],
  "optim/adaptive-moments.ts": ["StepMoments"],
};

/** @type {import("typedoc").ReflectionKind.KindString[]} */
const EXPORTS = ["Class", "Interface", "TypeAlias", "Function", "Variable"];

/** The entries that can be imported, by name, each with its source. */
export const entries = new Map(
  Object.entries(JSON.parse(readFileSync(join(root, "package.json"), "utf8")).exports)
    .filter(([name]) => /^\.(\/\w+)?$/.test(name))
    .map(([name, { types }]) => [
      `gradus${name.slice(1)}`,
      types.replace("./dist/types/", "src/").replace(".d.ts", ".ts"),
    ]),
);

/**
 * Reads all entries; a warning is an error, which `problems` counts.
 * @param {Partial<import("typedoc").TypeDocOptions>} [options]
 */
export async function readReference(options) {
  const app = await Application.bootstrap({
    name: "Gradus",
    entryPoints: [...entries.values()].map((file) => join(root, file)),
    tsconfig: join(root, "tsconfig.build.json"),
    readme: join(root, "README.md"),
    logLevel: "Warn",
    skipErrorChecking: true, // by TypeScript 7 long before
    disableSources: true,
    excludeInternal: true,
    excludePrivate: true,
    sort: ["alphabetical"],
    sortEntryPoints: false,
    validation: { notExported: true, invalidLink: true, rewrittenLink: true, notDocumented: true },
    requiredToBeDocumented: [...EXPORTS, "Method", "GetSignature"],
    intentionallyNotExported: Object.entries(OWN).flatMap(([file, names]) =>
      names.map((name) => `src/${file}:${name}`),
    ),
    ...options,
  });
  const project = await app.convert();
  if (!project) throw new Error("docs: the sources cannot be read; expected types that check");
  for (const entry of project.children ?? []) {
    entry.name = entry.name === "index" ? "gradus" : `gradus/${entry.name}`;
  }
  for (const one of project.getReflectionsByKind(ReflectionKind.Class)) {
    const members = one.isDeclaration() ? (one.children ?? []) : [];
    // Each op stands at its function; as methods of three classes they would bury the others.
    const ops = members.filter((member) =>
      project.getSymbolIdFromReflection(member)?.fileName?.endsWith("src/ops/index.ts"),
    );
    for (const op of ops) project.removeReflection(op);
  }
  return { app, project, problems: () => app.logger.errorCount + app.logger.warningCount };
}
