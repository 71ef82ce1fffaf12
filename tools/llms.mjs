// @ts-check
// Writes llms.txt, the library on one page for assistants that write code: how a program begins, what
// differs from other libraries, and each export with its signature and the first sentence of its
// docstring.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { typedoc } from "./reference.mjs";
import { root } from "./sources.mjs";

const { ReferenceReflection, ReflectionKind, ReflectionType } = typedoc;

/** @typedef {import("typedoc").DeclarationReflection} Declaration */

// TypeDoc calls these `Object` and `Function` in a line of text.
Object.assign(ReflectionType.prototype, {
  /** @this {import("typedoc").ReflectionType} */
  getTypeString() {
    return shapeText(this.declaration);
  },
});

/** What has no summary: its members' names, or where else it is, say it. */
const UNSAID = ReflectionKind.Interface | ReflectionKind.Reference;

/** Characters that a summary has at least when it is cut, and when it is cut within a clause. */
const [SHORT, LONG] = [20, 64];

/**
 * Writes the page.
 * @param {import("typedoc").ProjectReflection} project
 */
export function llmsText(project) {
  const readme = page("README.md");
  const entries = (project.children ?? []).filter(({ kind }) => kind === ReflectionKind.Module);
  return [
    "# Gradus",
    `> ${oneLine(paragraph(readme, "# Gradus"))}`,
    oneLine(`\`npm install gradus\`, and where Node is to use a GPU also \`webgpu\`. A program that
      runs as it stands, in browsers and in Node:`),
    /** @type {RegExpMatchArray} */ (readme.match(/```ts\n.*?```/s))[0],
    "Layers, losses, optimizers and the training loop:",
    /** @type {RegExpMatchArray} */ (readme.match(/```ts\n[^`]*"gradus\/nn".*?```/s))[0],
    "## What differs from PyTorch, NumPy and TensorFlow.js",
    bullets(section(page("docs/coming-from.md"), "## What differs")),
    "## Pages",
    bullets(section(readme, "## More"))
      .replace(/^(?!- \[docs\/).*\n?/gm, "")
      .trim(),
    "## Exports",
    oneLine(`Below, a parameter without a type is a tensor, and so is a result that is not named; an
      option without one is a number. Axes that are not named are all of them where an op
      reduces, and mostly the last where it works along one. Of an object that is read only the names of its members stand here.`),
    ...entries.map(entryText),
    "",
  ].join("\n\n");
}

/** @param {string} name */
function page(name) {
  return readFileSync(join(root, name), "utf8");
}

/** What stands under a heading. @param {string} text @param {string} heading */
function section(text, heading) {
  const [, rest] = text.split(`${heading}\n`);
  return rest.split(/\n#/)[0].trim();
}

/** @param {string} text @param {string} heading */
function paragraph(text, heading) {
  return section(text, heading).split("\n\n")[0];
}

/** A list with each point in one line. @param {string} text */
function bullets(text) {
  return text.replace(/\n {2,}/g, " ");
}

/** @param {string} text */
function oneLine(text) {
  return text.replace(/\s+/g, " ").trim();
}

/** @param {Declaration} entry */
function entryText(entry) {
  const lines = (entry.children ?? []).map((item) => {
    const text = item.kindOf(UNSAID) ? "" : summary(item);
    return `${short(itemText(item))}${text && ` // ${text}`}`;
  });
  return `### ${entry.name}\n\n\`\`\`ts\n${lines.join("\n")}\n\`\`\``;
}

/** What a second export of a name stands for. @param {Declaration} item */
function targetOf(item) {
  return item instanceof ReferenceReflection ? item.getTargetReflection() : undefined;
}

/** Leaves out of types what a caller need not know. @param {string} text */
function short(text) {
  const same = oneLine(text).replace(/number \| Tensor\b/g, "Tensor | number");
  return same.replace(/\breadonly |<ArrayBuffer(Like)?>|(, any){2}(?=>)/g, "");
}

/** @param {Declaration} item */
function itemText(item) {
  switch (item.kind) {
    case ReflectionKind.Reference:
      return `${item.name} // as in ${targetOf(item)?.parent?.name}`;
    case ReflectionKind.Function:
      return (item.signatures ?? []).map((one) => item.name + callText(one)).join("; ");
    case ReflectionKind.Variable:
      return item.name + typed(item.type);
    case ReflectionKind.TypeAlias:
      return `type ${item.name} = ${item.type}`;
    case ReflectionKind.Class:
      return `class ${item.name}${classText(item)}`;
    default: {
      const shape = isOptions(item) ? shapeText(item) : namesText(item);
      return `${item.name}${baseText(item)} ${shape}`;
    }
  }
}

/** Whether a program writes such an object, rather than reads it. @param {Declaration} item */
function isOptions({ kind, name }) {
  return kind === ReflectionKind.Interface && name.endsWith("Options");
}

/** @param {import("typedoc").SignatureReflection} signature */
function callText({ parameters, type, typeParameters = [] }) {
  const text = parametersText(parameters);
  const plain = typeParameters.reduce((all, { name, type }) => constrained(all, name, type), text);
  return `(${plain})${typed(type)}`;
}

/**
 * Writes what a type parameter extends in its place, and in that of an alias which is given it.
 * @param {string} text
 * @param {string} name
 * @param {unknown} [type]
 */
function constrained(text, name, type) {
  const isOwn = new RegExp(`(: )(?:\\w+<${name}>|${name})(?=,|$)`, "g");
  return type ? text.replace(isOwn, `$1${type}`) : text;
}

/** @param {readonly import("typedoc").ParameterReflection[]} [parameters] */
function parametersText(parameters = []) {
  return parameters
    .filter(({ name }) => name !== "surplus")
    .map(({ name, type, flags, defaultValue }) => {
      const known = name === "__namedParameters" ? "options" : name;
      const mark = flags.isOptional || defaultValue !== undefined ? "?" : "";
      return `${flags.isRest ? "..." : ""}${known}${mark}${typed(type)}`;
    })
    .join(", ");
}

/** A type behind what has it; a tensor's is understood. @param {unknown} type */
function typed(type) {
  return `${type}` === "Tensor" ? "" : `: ${type}`;
}

/** @param {Declaration} item */
function baseText({ extendedTypes }) {
  return extendedTypes?.length ? ` extends ${extendedTypes.join(", ")}` : "";
}

/** How an object is made, and its members. @param {Declaration} item */
function classText(item) {
  const made = item.children?.find(({ kind }) => kind === ReflectionKind.Constructor);
  const isThrown = item.name.endsWith("Error");
  const call =
    made?.signatures && !isThrown ? `(${parametersText(made.signatures[0].parameters)})` : "";
  return `${call}${baseText(item)} ${namesText(item)}`.replace(" {  }", "");
}

/** @param {Declaration} item */
function ownMembers({ children = [] }) {
  return children.filter(
    ({ name, kind, flags, inheritedFrom, overwrites }) =>
      kind !== ReflectionKind.Constructor &&
      !(inheritedFrom || overwrites || flags.isProtected) &&
      /^\w/.test(name),
  );
}

/** @param {Declaration} item */
function namesText(item) {
  const names = ownMembers(item).map(({ name, flags, signatures }) => {
    return `${name}${flags.isOptional ? "?" : ""}${signatures ? "()" : ""}`;
  });
  return `{ ${names.join(", ")} }`;
}

/** What has properties, or can be called. @param {Declaration} item @returns {string} */
function shapeText(item) {
  const { signatures = [], indexSignatures = [] } = item;
  if (signatures.length > 0) {
    const calls = signatures.map((one) => `(${parametersText(one.parameters)}) => ${one.type}`);
    return calls.join(" & ");
  }
  const parts = ownMembers(item).map(
    ({ name, type, flags, getSignature, signatures: [call] = [] }) => {
      const mark = flags.isOptional ? "?" : "";
      const kind = `${type ?? getSignature?.type}`;
      return name + mark + (call ? callText(call) : kind === "number" ? "" : `: ${kind}`);
    },
  );
  const others = indexSignatures.map((one) => `[${parametersText(one.parameters)}]: ${one.type}`);
  return `{ ${[...parts, ...others].join("; ")} }`;
}

/**
 * The first sentence of a docstring without sources and comparisons, as far as a pause.
 * @param {Declaration} item
 */
function summary(item) {
  const { comment } = item.comment ? item : (item.signatures?.[0] ?? item);
  const text = oneLine((comment?.summary ?? []).map((part) => part.text).join(""));
  const [sentence] = text.replace(/ \([^()]*\d{4}[^()]*\)/g, "").split(/\.(?=\s+[A-Z`]|$)/);
  const plain = sentence
    .replace(/^Computes (the )?/, "")
    .replace(/, as [^,;:]+ does?(, |$)/g, "")
    .replace(/, (all when none is given|the last when left out)(, )?/g, " ");
  return cut(cut(plain, /[;:]( |$)/g, SHORT), /, /g, LONG).trim();
}

/**
 * Cuts a text that is longer than `limit` at the first pause beyond that stands in no brackets.
 * @param {string} text @param {RegExp} pause @param {number} limit
 */
function cut(text, pause, limit) {
  const ends = [...text.matchAll(pause)].map(({ index }) => text.slice(0, index));
  const whole = ends.filter((part) => {
    const count = (/** @type {RegExp} */ one) => part.match(one)?.length ?? 0;
    return part.length > SHORT && count(/[([]/g) === count(/[)\]]/g) && count(/`/g) % 2 === 0;
  });
  return text.length > limit ? (whole[0] ?? text) : text;
}
