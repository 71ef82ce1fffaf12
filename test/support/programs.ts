import { readdirSync, readFileSync } from "node:fs";

/** The pages of documentation that hold programs. */
export const pages = [
  "README.md",
  ...readdirSync("docs")
    .filter((f) => f.endsWith(".md"))
    .map((f) => `docs/${f}`),
];

/** The TypeScript programs of a page: a block that calls `init` begins one, others go on with it. */
export function programs(page: string): string[] {
  const found: string[] = [];
  for (const [, block] of readFileSync(page, "utf8").matchAll(/```ts\n(.*?)```/gs)) {
    if (/\binit\(/.test(block) || found.length === 0) found.push(block);
    else found[found.length - 1] += block;
  }
  return found;
}

/** What a program says that it prints: the end of each line from `// → `. */
export function promised(code: string): string[] {
  return [...code.matchAll(/\/\/ → (.*)/g)].map((match) => match[1]);
}

/** The program that a reader meets first; plain JavaScript. */
export const [firstProgram] = programs("README.md");
