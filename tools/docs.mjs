// @ts-check
// Writes the reference of the API into build/docs, with the README as its front page, and llms.txt
// beside it. A warning fails it: a dead link, an export without a docstring, a type that is missing.
import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { llmsText } from "./llms.mjs";
import { readReference } from "./reference.mjs";
import { root } from "./sources.mjs";

const out = join(root, "build/docs");
const { app, project, problems } = await readReference({
  projectDocuments: [join(root, "docs/*.md")],
  highlightLanguages: ["ts", "js", "sh", "html", "json", "wgsl"],
  ignoredHighlightLanguages: ["wat"],
  out,
});
app.validate(project);
await app.generateOutputs(project);
writeFileSync(join(out, "llms.txt"), llmsText(project));
if (problems() > 0) process.exitCode = 1;
else console.log("docs: build/docs/index.html and build/docs/llms.txt");
