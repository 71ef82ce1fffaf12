import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { siteOf } from "../../src/debug/sites.ts";

const library = join(import.meta.dirname, "../../src");

const v8 = (name: string, at: string) => (name ? `    at ${name} (${at})` : `    at ${at}`);
const firefox = (name: string, at: string) => `${name}@${at}`;

/** An error with the stack of a call, in the way in which an engine writes it. */
function errorWith(write: typeof v8, calls: readonly [string, string][]): Error {
  const error = new Error("here");
  const lines = calls.map(([name, at]) => write(name, at.replace("LIB", library)));
  error.stack = [...(write === v8 ? ["Site: here"] : []), ...lines].join("\n");
  return error;
}

const inside: [string, string][] = [
  ["callSite", "LIB/debug/sites.ts:9:16"],
  ["apply", "LIB/graph/tensor.ts:249:10"],
];

for (const [engine, write] of [["V8", v8], ["Firefox", firefox]] as const) // biome-ignore format: a list
  describe(`a stack of ${engine}`, () => {
    const rows: [string, [string, string][], string | null, string][] = [
      ["the line that called", [["relu", "LIB/ops/a.ts:1:2"], ["run", "/app/net.ts:5:9"], ["", "/app/main.ts:1:1"]], "/app/net.ts:5:9", "relu"],
      ["a line without a function", [["Net.call", "LIB/nn/module.ts:1:2"], ["", "http://host/@fs/main.js?t=1:12:3"]], "http://host/@fs/main.js?t=1:12:3", "Net.call"],
      ["a path with blanks", [["<anonymous>", "LIB/ops/a.ts:1:2"], ["run", "/my app/net.ts:5:9"]], "/my app/net.ts:5:9", ""],
      ["no line outside of the library", [["relu", "LIB/ops/a.ts:1:2"]], null, ""],
    ]; // biome-ignore format: a table
    for (const [title, calls, location, called] of rows) {
      test(`gives ${title}`, () => {
        const error = errorWith(write, [...inside, ...calls]);
        expect(siteOf(error)).toEqual({ location, called });
        if (location === null) expect(error.stack).toContain("/ops/a.ts");
        else expect(error.stack).not.toContain("/ops/a.ts");
      });
    }
  });

test("a stack that is not there gives nothing", () => {
  const error = new Error("here");
  error.stack = undefined;
  expect(siteOf(error)).toEqual({ location: null, called: "" });
});
