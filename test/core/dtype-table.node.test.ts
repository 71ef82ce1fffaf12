import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { convert, DTYPE_NAMES, DTYPES, dtypesOf, either, isHalf } from "../../src/core/dtype.ts";
import { numberHeld } from "../../src/core/halves.ts";

const NAME = `["'\`](?:${DTYPE_NAMES.join("|")})["'\`]`;

/** How code may ask which dtype something is, other than of the table. */
const QUESTIONS: readonly RegExp[] = [
  new RegExp(`[!=]==?\\s*${NAME}`, "g"),
  new RegExp(`${NAME}\\s*[!=]==?`, "g"),
  new RegExp(`\\bcase\\s+${NAME}`, "g"),
  new RegExp(`\\[\\s*${NAME}\\s*(?:,\\s*${NAME}\\s*)*,?\\s*\\]`, "g"), // for includes or a Set
  new RegExp(`(?<![\\w.?]\\s*)(?:${DTYPE_NAMES.join("|")}|${NAME})\\s*:(?!:)`, "g"), // a table
  new RegExp(
    `\\b(?:${DTYPE_NAMES.join("|")})(?:,| or) (?:or )?(?:${DTYPE_NAMES.join("|")})\\b`,
    "g",
  ), // a list
  /\bdtype(?:\[|\.(?:startsWith|endsWith|match|slice|at|length|includes)\b)/g,
];

/** Questions that are wanted, and why. */
const WANTED: Readonly<Record<string, string>> = {
  "src/core/dtype.ts": "the table",
  "src/core/advice.ts": "what other libraries call our words, dtypes among them",
  "src/data/idx.ts": "types of the IDX format, of which some are no dtypes",
  "src/data/dataset.ts": "a type of the IDX format",
};

function questions(source: string): string[] {
  const code = source.replace(/\/\*[\s\S]*?\*\/|\/\/[^\n]*/g, "");
  return QUESTIONS.flatMap((question) => code.match(question) ?? []);
}

test.each([
  'if (x.dtype === "u8") return;',
  'if ("bool" !== dtype) return;',
  'switch (dtype) {\n  case "i32":\n}',
  'if (["f32", "f64"].includes(dtype)) return;',
  'const ALL = new Set(["u8"]);',
  "const BYTES: Record<DType, number> = { f32: 4 };",
  'const NAMES = { "f32": "float" };',
  'if (dtype[0] === "f") return;',
  'throw new DTypeError("x: dtype u8; expected f32 or f64");',
  'if (dtype.startsWith("u")) return;',
])("a question is found: %s", (source) => {
  expect(questions(source).length).toBeGreaterThan(0);
});

test.each([
  'tensor(0, { dtype: "u32" });',
  'const { dtype = "f32" } = options;',
  'cast(labels, "i32");',
  'is(dtype, "bool") ? "f32" : cast(x, "i32");',
  "`fn better(a: f32, b: f32) -> bool { return a > b; }`;",
  '// a table: { f32: 4 }\nconst y = x as "bool" | "float";',
])("no question is found: %s", (source) => {
  expect(questions(source)).toEqual([]);
});

test("nothing in src/ asks which dtype it has but the table of dtypes", () => {
  const root = join(import.meta.dirname, "../..");
  const found = readdirSync(join(root, "src"), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith(".ts"))
    .map((entry) => join(entry.parentPath, entry.name))
    .map((path) => [path.slice(root.length + 1), questions(readFileSync(path, "utf8"))] as const)
    .filter(([, all]) => all.length > 0);
  // What is wanted no longer does not stay in the list.
  expect(Object.fromEntries(found)).toEqual(
    Object.fromEntries(Object.keys(WANTED).map((path) => [path, expect.anything()])),
  );
});

test("kernel files name no type of elements but what the table makes of them, Acc", () => {
  const folder = join(import.meta.dirname, "../../shaders");
  const files = readdirSync(folder).filter((name) => name.endsWith(".wgsl"));
  const named = files.filter((name) => {
    const code = readFileSync(join(folder, name), "utf8").replace(/\/\/[^\n]*/g, "");
    return /\b(?:f32|f16|vec[234]f|mat\dx\df|T)\b/.test(code);
  });
  expect(files.length).toBeGreaterThan(10);
  expect(named).toEqual([]);
});

test("the facts of a dtype agree with each other", () => {
  for (const dtype of DTYPE_NAMES) {
    const { array, min, max, epsilon, perWord, accumulate } = DTYPES[dtype];
    const held = (value: number) => numberHeld(array.of(convert(value, dtype))[0], dtype);
    expect([dtype, held(1), held(-0) === 0]).toEqual([dtype, 1, true]);
    // The ends of what is held as bits are those of its bits.
    const ends = isHalf(dtype) ? [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY] : [min, max];
    for (const value of ends) expect(held(value)).toBe(value);
    for (const beyond of [-1e300, 1e300]) {
      const element = convert(beyond, dtype);
      expect(element >= min && element <= max && held(held(beyond)) === held(beyond)).toBe(true);
    }
    // ε is the step at 1, so that half of it is lost.
    expect(held(1 + epsilon)).toBe(Math.min(max, 1 + epsilon));
    expect(held(1 + epsilon / 2)).toBe(1);
    expect(array.BYTES_PER_ELEMENT * perWord).toBeLessThanOrEqual(8);
    expect(DTYPES[accumulate].accumulate).toBe(accumulate);
  }
});

test("dtypes are listed as a sentence does, floats first", () => {
  expect(either(dtypesOf("any"))).toBe("f32, f64, i32, u32 or bool");
  expect(either(dtypesOf("index"))).toBe("i32 or u32");
  expect(either(dtypesOf("byte"))).toBe("u8");
  expect(either([])).toBe("");
});
