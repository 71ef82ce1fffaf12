// @ts-check
// Writes what the page Reference shows as JSON: the guides in docs/ and each export of the public API,
// as HTML. `node tools/reference-data.mjs FILE`.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { parseArgs } from "node:util";
import MarkdownIt from "markdown-it";
import { readReference, typedoc } from "./reference.mjs";
import { root } from "./sources.mjs";

const { ReferenceReflection, ReflectionKind } = typedoc;

/** @typedef {import("typedoc").DeclarationReflection} Declaration */
/** @typedef {import("typedoc").SignatureReflection} Signature */
/** @typedef {import("../site/reference/data.ts").Guide} Guide */
/** @typedef {import("../site/reference/data.ts").Item} Item */

const markdown = new MarkdownIt({ html: false, linkify: false });

/** Guides in the order of reading; those that are not named come behind. */
const FIRST = ["setup", "training", "embeddings", "coming-from", "reliability", "numerics"];

const { project, problems } = await readReference();
/** The place of each export, by its reflection's number. @type {Map<number, string>} */
const places = new Map();
for (const entry of project.children ?? []) {
  for (const item of entry.children ?? []) {
    if (!(item instanceof ReferenceReflection)) places.set(item.id, `${entry.name}/${item.name}`);
  }
}
const data = {
  guides: [
    ...guidesIn("docs", ""),
    ...guidesIn("docs/decisions", "decisions/").map((guide) => ({ ...guide, isDecision: true })),
  ],
  entries: (project.children ?? [])
    .filter(({ kind }) => kind === ReflectionKind.Module)
    .map((entry) => ({ name: entry.name, items: (entry.children ?? []).flatMap(itemOf) })),
};
const [file] = parseArgs({ allowPositionals: true }).positionals;
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, JSON.stringify(data));
if (problems() > 0) process.exitCode = 1;

/** @param {string} folder @param {string} prefix @returns {Guide[]} */
function guidesIn(folder, prefix) {
  const names = readdirSync(join(root, folder)).filter((name) => name.endsWith(".md"));
  const slugs = names.map((name) => name.replace(/\.md$/, ""));
  const place = (/** @type {string} */ slug) => FIRST.indexOf(slug) + 1 || FIRST.length + 1;
  slugs.sort((a, b) => place(a) - place(b) || a.localeCompare(b));
  return slugs.map((slug) => {
    const text = readFileSync(join(root, folder, `${slug}.md`), "utf8");
    const title = (text.match(/^# (.*)$/m)?.[1] ?? slug).replace(/^\d+\.? /, "");
    return { slug: prefix + slug, title, html: linked(markdown.render(text), prefix) };
  });
}

/** Turns links between guides into the page's own, and those to files elsewhere into text. */
function linked(/** @type {string} */ html, /** @type {string} */ prefix) {
  return html.replace(/<a href="([^"]*)">(.*?)<\/a>/gs, (whole, href, text) => {
    const [, path, slug] =
      /^(?:\.\/)?((?:\.\.\/)*(?:docs\/)?(?:decisions\/)?)([\w-]+)\.md(?:#.*)?$/.exec(href) ?? [];
    if (slug && !path.startsWith("../..")) {
      const isUp = path.startsWith("../");
      if (isUp && prefix === "") return text; // README, CHANGELOG and the like
      const folder =
        isUp || path.includes("docs/")
          ? path.replace(/^(?:\.\.\/)?(?:docs\/)?/, "")
          : prefix + path;
      return `<a href="#guide/${folder}${slug}">${text}</a>`;
    }
    return /^(https?:|#)/.test(href) ? whole : text;
  });
}

/** @param {Declaration} item @returns {Item[]} */
function itemOf(item) {
  if (item instanceof ReferenceReflection) {
    const target = item.getTargetReflection();
    const place = places.get(target.id);
    return place
      ? [{ name: item.name, kind: "same", place, calls: [], summary: "", html: "" }]
      : [];
  }
  const signatures = signaturesOf(item);
  const comment = signatures.find((one) => one.comment)?.comment ?? item.comment;
  return [
    {
      name: item.name,
      kind: kindOf(item),
      calls: callsOf(item, signatures),
      summary: partsText(comment?.summary),
      html: commentHtml(comment) + membersHtml(item),
    },
  ];
}

/** @param {Declaration} item @returns {Signature[]} */
function signaturesOf(item) {
  if (item.kind === ReflectionKind.Class) {
    return (
      (item.children ?? []).find(({ kind }) => kind === ReflectionKind.Constructor)?.signatures ??
      []
    );
  }
  return item.signatures ?? [];
}

/** @param {Declaration} item */
function kindOf(item) {
  if (item.kind === ReflectionKind.Class) return "class";
  if (item.kind === ReflectionKind.Function) return "function";
  if (item.kind === ReflectionKind.Variable) return "value";
  return "type";
}

/** @param {Declaration} item @param {Signature[]} signatures @returns {string[]} */
function callsOf(item, signatures) {
  if (item.kind === ReflectionKind.Class) {
    const base = item.extendedTypes?.length ? ` extends ${item.extendedTypes}` : "";
    const calls = signatures.map((one) => `new ${item.name}(${parametersText(one)})`);
    return [...calls, ...(base ? [`class ${item.name}${base}`] : [])];
  }
  if (item.kind === ReflectionKind.Function) {
    return signatures.map((one) => `${item.name}(${parametersText(one)}): ${one.type}`);
  }
  if (item.kind === ReflectionKind.Variable) return [`${item.name}: ${item.type}`];
  return [item.type ? `type ${item.name} = ${item.type}` : `interface ${item.name}`];
}

/** @param {Signature} signature */
function parametersText({ parameters = [] }) {
  return parameters
    .filter(({ name }) => name !== "surplus")
    .map(({ name, type, flags, defaultValue }) => {
      const isOptional = flags.isOptional || defaultValue !== undefined;
      return `${flags.isRest ? "..." : ""}${name}${isOptional ? "?" : ""}: ${type}`;
    })
    .join(", ");
}

/** @param {readonly import("typedoc").CommentDisplayPart[] | undefined} parts */
function partsText(parts = []) {
  return parts.map(({ text }) => text).join("");
}

/** @param {readonly import("typedoc").CommentDisplayPart[]} parts */
function partsHtml(parts) {
  const text = parts.map((part) => {
    if (part.kind !== "inline-tag") return part.text;
    const place =
      typeof part.target === "object" && part.target && "id" in part.target
        ? places.get(part.target.id)
        : undefined;
    return place ? `[${part.text}](#${place})` : `\`${part.text}\``;
  });
  return markdown.render(text.join(""));
}

/** @param {import("typedoc").Comment | undefined} comment */
function commentHtml(comment) {
  if (!comment) return "";
  const heading = (/** @type {string} */ tag) => {
    const name = tag.replace(/^@/, "");
    return name === "throws"
      ? "Throws"
      : name === "example"
        ? "Example"
        : name === "returns"
          ? "Gives"
          : name;
  };
  const blocks = comment.blockTags
    .filter(({ tag }) => tag !== "@param" && tag !== "@typeParam")
    .map(({ tag, content }) => `<h2>${heading(tag)}</h2>${partsHtml(content)}`);
  return partsHtml(comment.summary) + blocks.join("");
}

/** What belongs to an item: parameters that are told of, and members. @param {Declaration} item */
function membersHtml(item) {
  const told = signaturesOf(item)[0]?.parameters?.filter(({ comment }) => comment) ?? [];
  const rows = told.map(({ name, comment }) => row(name, partsHtml(comment?.summary ?? [])));
  const isShown = (/** @type {Declaration} */ { name, kind, flags, inheritedFrom }) =>
    !name.startsWith("[") &&
    kind !== ReflectionKind.Constructor &&
    !flags.isPrivate &&
    !flags.isProtected &&
    !inheritedFrom;
  const members = (item.children ?? []).filter(isShown).map((member) => {
    const one = member.signatures?.[0] ?? member.getSignature;
    const type = member.signatures
      ? `(${parametersText(member.signatures[0])}): ${member.signatures[0].type}`
      : `: ${member.getSignature?.type ?? member.type}`;
    const optional = member.flags.isOptional ? "?" : "";
    const comment = one?.comment ?? member.comment;
    return row(`${member.name}${optional}${type}`, comment ? partsHtml(comment.summary) : "");
  });
  const list = (/** @type {string} */ title, /** @type {string[]} */ all) =>
    all.length > 0 ? `<h2>${title}</h2><dl>${all.join("")}</dl>` : "";
  return list("Arguments", rows) + list("Members", members);
}

/** @param {string} code @param {string} html */
function row(code, html) {
  return `<div><dt><code>${markdown.utils.escapeHtml(code)}</code></dt><dd>${html}</dd></div>`;
}
