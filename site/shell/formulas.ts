import temml from "temml";
import type { Plugin } from "vite";

/** Formulas in TeX become MathML when the site is built: no page loads what does that. */
export function formulas(): Plugin {
  return {
    name: "site-formulas",
    transform: {
      filter: { id: /\.tex$/ },
      handler: (source) => `export default ${JSON.stringify(named(source))};`,
    },
    transformIndexHtml: {
      order: "pre",
      handler: (html) =>
        html
          .replace(/\\\[([\s\S]+?)\\\]/g, (_, tex) => mathML(tex, true))
          .replace(/\\\(([\s\S]+?)\\\)/g, (_, tex) => mathML(tex, false)),
    },
  };
}

/** A file of lines `name = TeX`, as MathML by name. */
function named(source: string): Record<string, string> {
  const lines = source.split("\n").filter((line) => line.trim());
  return Object.fromEntries(
    lines.map((line) => {
      const [, name, tex] = /^(\w+) = (.+)$/.exec(line) ?? [];
      if (!name) throw new Error(`formulas: ${line}; expected name = TeX`);
      return [name, mathML(tex, true)];
    }),
  );
}

function mathML(tex: string, displayMode: boolean): string {
  return temml.renderToString(tex.trim(), { displayMode, throwOnError: true });
}
