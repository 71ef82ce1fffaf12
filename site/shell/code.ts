import { make } from "./dom.ts";

/** The lines of a file between `// #region name` and its `// #endregion`, without their indent. */
export function region(source: string, name: string): string {
  const lines = source.split("\n");
  const from = lines.findIndex((line) => line.trim() === `// #region ${name}`);
  const length = lines.slice(from + 1).findIndex((line) => line.trim() === "// #endregion");
  if (from < 0 || length < 0) throw new Error(`page: no region ${name}; expected one in the file`);
  const found = lines.slice(from + 1, from + 1 + length);
  const indents = found.filter((line) => line.trim()).map((line) => line.search(/\S/));
  const indent = Math.min(...indents);
  return found
    .map((line) => line.slice(indent))
    .join("\n")
    .trim();
}

const KEYWORDS =
  "as async await break case catch class const continue default do else export extends finally for from function if import in instanceof interface let new null of return static this throw true false try type typeof undefined using while yield";
const TOKENS = new RegExp(
  [
    /(?<c>\/\/[^\n]*|\/\*[\s\S]*?\*\/)/,
    /(?<s>"(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|`(?:[^`\\]|\\.)*`)/,
    /(?<n>\b\d[\d_]*(?:\.\d+)?(?:e[+-]?\d+)?\b)/,
    new RegExp(`(?<k>\\b(?:${KEYWORDS.replaceAll(" ", "|")})\\b)`),
  ]
    .map(({ source }) => source)
    .join("|"),
  "g",
);

/** Text as code, its comments, strings, numbers and keywords in colours. */
export function highlight(text: string): DocumentFragment {
  const fragment = document.createDocumentFragment();
  let at = 0;
  for (const match of text.matchAll(TOKENS)) {
    const kind = Object.entries(match.groups ?? {}).find(([, found]) => found !== undefined)?.[0];
    fragment.append(text.slice(at, match.index));
    fragment.append(make("span", { className: kind }, match[0]));
    at = match.index + match[0].length;
  }
  fragment.append(text.slice(at));
  return fragment;
}

/**
 * Shows code with a button that copies it: `showCode(element("code"), region(source, "model"))`, where
 * `source` is the very file that runs, imported with `?raw`. What is `plain`, such as output, has no colours.
 */
export function showCode(host: HTMLElement, text: string, label = "Code", plain = false): void {
  const copy = make("button", { type: "button" }, "Copy");
  copy.addEventListener("click", async () => {
    await navigator.clipboard.writeText(text).catch(() => {});
    copy.textContent = "Copied";
    setTimeout(() => {
      copy.textContent = "Copy";
    }, 1500);
  });
  const pre = make("pre", { tabIndex: 0 }, make("code", {}, plain ? text : highlight(text)));
  pre.setAttribute("role", "region");
  pre.setAttribute("aria-label", label);
  host.classList.add("code");
  host.replaceChildren(pre, copy);
}
