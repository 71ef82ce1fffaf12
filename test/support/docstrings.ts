import { readdirSync, readFileSync } from "node:fs";
import { transformSync } from "esbuild";

/** An example of a docstring. */
export interface Example {
  /** Its file below src/, and its number there from 1 where it has several. */
  readonly name: string;
  readonly code: string;
}

/** Lists the `@example`s of all files below src/. */
export function examples(): Example[] {
  const files = readdirSync("src", { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts"))
    .map((file) => file.replaceAll("\\", "/"))
    .sort();
  return files.flatMap((file) => {
    const codes = codesOf(readFileSync(`src/${file}`, "utf8"));
    return codes.map((code, i) => ({
      name: codes.length > 1 ? `${file} ${i + 1}` : file,
      code,
    }));
  });
}

function codesOf(source: string): string[] {
  const comments = [...source.matchAll(/\/\*\*(.*?)\*\//gs)].map(([, text]) =>
    text.replace(/^ *\* ?/gm, ""),
  );
  return comments.flatMap((text) =>
    text
      .split(/@example/)
      .slice(1)
      .map((part) => part.split(/\n@\w/)[0].trim()),
  );
}

/** A value that a line gives, such as `await dx.toArray(); // [2, 4]`. */
const PROMISE = /^(await .*);\s*\/\/ (about )?(\[.*\]|-?[\d.]+)$/gm;

/** The lines of an example that say what they give. */
export function promisesOf(code: string): string[] {
  return code.match(PROMISE) ?? [];
}

/** Reports a value and what was promised of it. */
export type Check = (value: unknown, promised: unknown, isRough: boolean) => void;

/**
 * Runs an example as JavaScript. Names that it does not declare come from `world`, whose values are
 * made when they are asked for.
 */
export async function runExample(
  code: string,
  world: Readonly<Record<string, () => unknown>>,
  check: Check,
): Promise<void> {
  const checked = code.replace(
    PROMISE,
    (_, value, rough, promised) => `check(${value}, ${promised}, ${Boolean(rough)});`,
  );
  const body = `return (async () => { ${checked}\n })();`;
  const { code: script } = transformSync(`function run() { ${body} }`, {
    loader: "ts",
    target: "es2022",
  });
  const made = new Map<string, unknown>([["check", check]]);
  const scope = new Proxy(made, {
    has: (_, name) => typeof name === "string" && (made.has(name) || Object.hasOwn(world, name)),
    get: (_, name) => {
      if (typeof name !== "string") return undefined;
      if (!made.has(name)) made.set(name, world[name]());
      return made.get(name);
    },
  });
  await new Function("scope", `with (scope) { ${script}\n return run(); }`)(scope);
}
