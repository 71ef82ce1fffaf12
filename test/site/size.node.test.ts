import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import { expect, inject, test } from "vitest";
import { presentPages } from "../../site/shell/frame.ts";

const { folder } = inject("site");
const files = readdirSync(join(folder, "assets"));
const sizes = new Map<string, number>();

/** The libraries that Bench measures beside Gradus come when their turn comes, and so do whole sets of data. */
const LATER = /^(tfjs|jax|ort|TopK_impl|peak)|-ubyte-/;

/** Bytes of a file of the site, scripts gzipped. */
function sizeOf(name: string): number {
  const known = sizes.get(name);
  if (known !== undefined) return known;
  const bytes = readFileSync(join(folder, "assets", name));
  const size = name.endsWith(".js") ? gzipSync(bytes).length : bytes.length;
  sizes.set(name, size);
  return size;
}

/** All files that a page names, or that scripts name which it names: those of its workers too. */
function filesOf(slug: string): string[] {
  const found = new Set<string>();
  const follow = (text: string) => {
    for (const name of files) {
      if (found.has(name) || LATER.test(name) || !text.includes(name)) continue;
      found.add(name);
      if (name.endsWith(".js")) follow(readFileSync(join(folder, "assets", name), "utf8"));
    }
  };
  follow(readFileSync(join(folder, slug, "index.html"), "utf8"));
  return [...found];
}

test.each(presentPages().map(({ slug, title }) => [title, slug]))(
  "%s has at most 400 kB of script, gzipped, and 3 MB of all else",
  (_, slug) => {
    const names = filesOf(slug);
    const sum = (isWanted: (name: string) => boolean) =>
      names.filter(isWanted).reduce((bytes, name) => bytes + sizeOf(name), 0);
    const scripts = sum((name) => name.endsWith(".js"));
    expect(scripts).toBeLessThanOrEqual(400_000);
    expect(scripts).toBeGreaterThan(5_000);
    expect(sum((name) => !name.endsWith(".js"))).toBeLessThanOrEqual(3_000_000);
    // A page that trains has its worker counted, and the kernels that this compiles.
    if (slug !== "reference") expect(names.some((name) => /^without-gpu/.test(name))).toBe(true);
  },
);
