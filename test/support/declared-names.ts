/** Finds names that src/ gives to more than one thing. */

interface Declaration {
  readonly file: string;
  readonly isType: boolean;
  readonly isExported: boolean;
}

const DECLARATION =
  /^(export )?(?:declare |abstract |async )*(class|interface|type|enum|function\*?|const|let) (\w+)/gm;

/**
 * Gives one line for each name that is declared in several of `files` (path → text): names of types
 * once at all, other names once where one of them is exported.
 */
export function sharedNames(files: ReadonlyMap<string, string>): string[] {
  const found = new Map<string, Declaration[]>();
  for (const [file, text] of files) {
    const code = text.replace(/\/\*[\s\S]*?\*\//g, "");
    for (const [, exported, kind, name] of code.matchAll(DECLARATION)) {
      const isType = !/^(function|const|let)/.test(kind);
      const others = (found.get(name) ?? []).filter((other) => other.file !== file);
      found.set(name, [...others, { file, isType, isExported: exported !== undefined }]);
    }
  }
  return [...found]
    .filter(([, all]) => all.length > 1 && all.some((one) => one.isType || one.isExported))
    .map(([name, all]) => `${name}: ${all.map(({ file }) => file).join(", ")}`);
}
