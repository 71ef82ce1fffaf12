import { getOrInsert } from "../../core/get-or-insert.ts";
import { total } from "../../engine/stats.ts";
import { BRACKETED, typedWord } from "../../forms/number.ts";
import {
  type Assembled,
  assemble,
  callOf,
  dispatcher,
  type PartCall,
  type PartText,
} from "./assemble.ts";
import type { PhasesEntry } from "./phases.ts";

/** A part of a kernel that may be done several times, each time by another row of a table. */
export interface RepeatedPart extends PartText {
  /** Rows that have equally many workgroups, in order. */
  readonly runs: readonly RowRun[];
  /** The numbers of all rows, each of whole vectors; nothing where there is one row. */
  readonly table: readonly string[];
}

/** Rows one behind the other, and the workgroups of each. */
interface RowRun {
  readonly rows: number;
  readonly share: number;
}

/** More runs than these are made fewer: some rows get workgroups that have nothing to do. */
const MOST_RUNS = 16;

/** How many elements a part has that computes nothing but elements: only a guard is made of it. */
const SIZE = /^const SIZE = (\d+u);\n/m;

/**
 * Joins the parts of a kernel as `assemble` does, equal ones to one that is done once for each row of
 * a table, and tells the words of the table.
 * @param given the parts of each phase, of which all but one need an `entry` of their own.
 */
export function assembleRepeated(
  shared: string,
  given: readonly (readonly PartText[])[],
  entry?: PhasesEntry,
): Assembled & { readonly table: readonly string[]; readonly workgroups: number } {
  const phases = given.map((all) =>
    partsByCode(all).map((some) => repeated(some.map((i) => all[i]))),
  );
  const parts = phases.flat();
  const table = parts.flatMap((part) => part.table);
  const workgroups = entry ? 1 : total(parts.map((part) => part.workgroups));
  let vector = 0;
  const first = parts.map((part) => {
    vector += part.table.length / 4;
    return vector - part.table.length / 4;
  });
  const call: PartCall = (k, own) => rowCall(parts[k], k, own, first[k]);
  const ofRows = table.length > 0 ? dispatcher(parts, call) : undefined;
  return { ...assemble(shared, parts, entry?.(phases, call) ?? ofRows), table, workgroups };
}

/** The places of parts whose code is equal but for numbers and how many elements they have. */
export function partsByCode(parts: readonly PartText[]): number[][] {
  const equal = new Map<string, number[]>();
  for (const [i, { head, files }] of parts.entries()) {
    const own = isElements(parts[i]) ? head.replace(SIZE, "") : head;
    const key = [own.replace(BRACKETED, "⟨⟩"), ...files.map(({ name }) => name)].join();
    getOrInsert(equal, key, () => []).push(i);
  }
  return [...equal.values()];
}

function isElements({ files }: PartText): boolean {
  return files.length === 1 && files[0].name.endsWith("/elementwise.wgsl");
}

/** Puts one part in the place of equal ones. It finds its numbers from the vector `table_row` on. */
export function repeated(parts: readonly PartText[]): RepeatedPart {
  const [only] = parts;
  if (parts.length === 1) {
    return { ...only, runs: [{ rows: 1, share: only.workgroups }], table: [] };
  }
  const rows = inRuns(parts);
  const [first] = rows;
  const columns: (readonly string[])[] = [];
  const indexOf = new Map<string, number>();
  /** Writes a number that has a value for each row. */
  const written = (values: readonly string[]): string | null => {
    if (values.every((value) => value === values[0])) return null;
    const column = getOrInsert(indexOf, values.join(), () => columns.push(values) - 1);
    return typedWord(values[0], `numbers[table_row + ${column >> 2}u][${column & 3}]`);
  };
  const own = rows.map(({ head }) => [...head.matchAll(BRACKETED)].map(([, value]) => value));
  let next = 0;
  let head = first.head.replace(BRACKETED, (literal) => {
    const i = next++;
    return written(own.map((numbers) => numbers[i])) ?? literal;
  });
  const sizes = isElements(first) ? rows.map((row) => (SIZE.exec(row.head) ?? [])[1]) : [""];
  const size = written(sizes);
  if (size) head = head.replace(SIZE, "");
  const runs = new Map<number, number>();
  for (const { workgroups } of rows) runs.set(workgroups, (runs.get(workgroups) ?? 0) + 1);
  return {
    ...first,
    head: `var<private> table_row: u32;\n${head}`,
    files: first.files.map(({ name, source }) => {
      return { name, source: size ? source.replace(/\bSIZE\b/g, size) : source };
    }),
    runs: [...runs].map(([share, rows]) => ({ rows, share })),
    workgroups: total(rows.map(({ workgroups }) => workgroups)),
    table: rows.flatMap((_, i) => wholeRow(columns.map((values) => values[i]))),
  };
}

/**
 * Orders parts by their workgroups. Only those of elements differ in these, and may have more: powers
 * of two, if there are too many kinds.
 */
function inRuns(parts: readonly PartText[]): PartText[] {
  const shares = new Set(parts.map(({ workgroups }) => workgroups));
  const raised = (n: number) => (shares.size > MOST_RUNS ? 2 ** Math.ceil(Math.log2(n)) : n);
  return parts
    .map((part) => ({ ...part, workgroups: raised(part.workgroups) }))
    .sort((a, b) => a.workgroups - b.workgroups);
}

/** A row of a table: at least one vector of four words. */
function wholeRow(numbers: readonly string[]): string[] {
  const words = 4 * Math.max(1, Math.ceil(numbers.length / 4));
  return Array.from({ length: words }, (_, i) => numbers[i] ?? "0u");
}

/** Statements that find the row of a workgroup, and have the part do its share. */
function rowCall({ runs, table, workgroups }: RepeatedPart, k: number, own: string, from: number) {
  if (table.length === 0) return callOf(k, own, `${workgroups}u`);
  const width = table.length / 4 / total(runs.map(({ rows }) => rows));
  let [begin, first] = [0, 0];
  const choices = runs.map(({ rows, share }, i) => {
    const run = `run = vec3u(${begin}u, ${first}u, ${share}u);`;
    const choice = i === 0 ? `var ${run}` : `if (own >= ${begin}u) { ${run} }`;
    begin += rows * share;
    first += rows;
    return choice;
  });
  return [
    `let own = ${own};`,
    ...choices, // the first workgroup, the first row, the workgroups of each row
    "let row = (own - run.x) / run.z;",
    `table_row_${k} = ${from}u + (run.y + row) * ${width}u;`,
    callOf(k, "own - run.x - row * run.z", "run.z"),
  ].join("\n    ");
}
