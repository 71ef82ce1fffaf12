import { beforeAll, describe, expect, test } from "vitest";
import { type CsvOptions, readCsv } from "../../src/csv/index.ts";
import { FormatError, GradusError, tensor } from "../../src/index.ts";
import { testDevice } from "../support/device.ts";
import { errorOf } from "../support/error-of.ts";

beforeAll(async () => {
  await testDevice();
});

const IRIS = `length,width,species
5.1,3.5,setosa
7.0,3.2,versicolor
6.3,3.3,virginica
4.9,3.0,setosa
`;

describe("readCsv", () => {
  test("columns are numbers, labels classes in the order of their texts", async () => {
    const table = readCsv(IRIS, { labels: ["species"] });
    expect(table.size).toBe(4);
    expect(table.names).toEqual(["length", "width", "species"]);
    expect([...table.columns.keys()]).toEqual(["length", "width"]);
    expect(table.columns.get("length")).toEqual(Float64Array.of(5.1, 7, 6.3, 4.9));
    expect(table.labels.get("species")).toEqual({
      classes: ["setosa", "versicolor", "virginica"],
      indices: Int32Array.of(0, 1, 2, 0),
    });
    const inputs = tensor(table.matrix(), { shape: [table.size, table.columns.size] });
    expect(await inputs.data()).toEqual(Float32Array.of(5.1, 3.5, 7, 3.2, 6.3, 3.3, 4.9, 3));
    expect(table.matrix(["width"])).toEqual(Float32Array.of(3.5, 3.2, 3.3, 3));
  });

  test("only the columns asked for are read, in that order", () => {
    const table = readCsv(IRIS, { columns: ["width", "length"] });
    expect(table.names).toEqual(["length", "width", "species"]);
    expect([...table.columns.keys()]).toEqual(["width", "length"]);
    expect(table.labels.size).toBe(0);
    expect(table.matrix()).toEqual(Float32Array.of(3.5, 5.1, 3.2, 7, 3.3, 6.3, 3, 4.9));
  });

  test.each([1, 15, 16, 40])("%d columns are found among 80, in any order", (count) => {
    const names = Array.from({ length: 80 }, (_, i) => `c${i}`);
    const text = `${names}\n${names.map((_, i) => i)}\n${names.map((_, i) => 100 + i)}`;
    const asked = names.filter((_, i) => i % 2 === 1).reverse();
    const table = readCsv(text, { columns: asked.slice(0, count), labels: ["c0", "c78"] });
    expect([...table.columns]).toEqual(
      asked
        .slice(0, count)
        .map((_, i) => [`c${79 - 2 * i}`, Float64Array.of(79 - 2 * i, 179 - 2 * i)]),
    );
    expect(table.labels.get("c78")).toEqual({
      classes: ["178", "78"],
      indices: Int32Array.of(1, 0),
    });
    const { columns } = readCsv(text, { labels: asked.slice(0, count) });
    expect([...columns.keys()]).toEqual(
      names.filter((name) => !asked.slice(0, count).includes(name)),
    );
    for (const option of ["columns", "labels"]) {
      expect(() => readCsv(text, { [option]: [...asked.slice(1, count), "c80"] })).toThrow(
        'readCsv: no column "c80"; expected one of c0, c1',
      );
    }
    expect(() => readCsv(text.replace("c79", "c3"))).toThrow('two columns called "c3"');
  });

  const letters = (i: number, from: number) => String.fromCharCode(from + (i % 7), from + (i % 11));
  test.each<[string, (i: number) => string]>([
    ["few", (i) => `c${(i * 5) % 3}`],
    ["short", (i) => ((i * 577) % 1009).toString(36)],
    ["long, and equal at first", (i) => `${"x".repeat(40 + (i % 2))}${(i * 577) % 1009}`],
    ["beginnings of each other", (i) => "a".repeat((i * 7) % 200)],
    ["of any script", (i) => letters(i, 0x4e00) + letters(i * 3, 0xd7f0) + letters(i, 0xffe0)],
  ])("classes that occur are sorted as JavaScript sorts: %s", (_, cell) => {
    const cells = Array.from({ length: 900 }, (_, i) => cell(i));
    const rows = cells.map((text, i) => `"${text}",${i % 40},"${cells[(i + 450) % 900]}"`);
    const { labels } = readCsv(`a,b,c\n${rows.join("\n")}`, { labels: ["a", "b", "c"] });
    const columns = [
      cells,
      cells.map((_, i) => `${i % 40}`),
      cells.slice(450).concat(cells.slice(0, 450)),
    ];
    for (const [j, texts] of columns.entries()) {
      const { classes = [], indices = [] } = labels.get("abc"[j]) ?? {};
      expect(classes).toEqual([...new Set(texts)].sort());
      expect(Array.from(indices, (i) => classes[i])).toEqual(texts);
    }
  });

  test("classes may be given, so that files agree", () => {
    const classes = { species: ["virginica", "versicolor", "setosa", "other"] };
    const table = readCsv(IRIS, { labels: ["species"], classes });
    expect(table.labels.get("species")?.indices).toEqual(Int32Array.of(2, 1, 0, 2));
    expect(() =>
      readCsv(IRIS, { labels: ["species"], classes: { species: ["setosa", "versicolor"] } }),
    ).toThrow('readCsv: line 4, column "species": "virginica"; expected one of setosa, versicolor');
  });

  test("quotes, other line ends, a mark and blanks are understood", () => {
    const text = '\ufeffname , value\r\n"a ""b"", c", 1e-3 \r\n\r\n"two\nlines",-.5\r\n';
    const { columns, labels } = readCsv(text, { labels: ["name"] });
    expect(columns.get("value")).toEqual(Float64Array.of(1e-3, -0.5));
    expect(labels.get("name")?.classes).toEqual(['a "b", c', "two\nlines"]);
    expect(readCsv('\ufeff"a"\n1').columns.get("a")).toEqual(Float64Array.of(1));
  });

  test.each(["\u00a0", "\u2003", "\ufeff", "\v", " \t\u3000 "])(
    "blanks are what trim takes: %j",
    (gap) => {
      const { columns, labels, size } = readCsv(
        `a${gap},${gap}b\n${gap}\n${gap}1${gap},${gap}é${gap}\n2, x${gap}y \n${gap}3,"${gap}"\n`,
        { labels: ["b"] },
      );
      expect(size).toBe(3);
      expect([...columns]).toEqual([["a", Float64Array.of(1, 2, 3)]]);
      expect(labels.get("b")?.classes).toEqual([gap, `x${gap}y`, "é"].sort());
    },
  );

  test("columns are views of one buffer, the same ones each time, and the matrix is made of them", () => {
    const table = readCsv("a,b,c\n1,x,2\n3,y,4\n", { labels: ["b"] });
    const { columns } = table;
    expect(table.columns).toBe(columns);
    expect([...columns.keys()]).toEqual(["a", "c"]);
    columns.get("c")?.fill(7);
    expect(table.matrix()).toEqual(Float32Array.of(1, 7, 3, 7));
    expect(table.matrix(["c", "a"])).toEqual(Float32Array.of(7, 1, 7, 3));
    expect(structuredClone(columns)).toEqual(columns);
  });

  test("bytes, other delimiters and files without names are read", () => {
    const bytes = new TextEncoder().encode("1;é\n2;ü");
    const options = { names: ["n", "letter"], labels: ["letter"], delimiter: ";" };
    for (const input of [bytes, bytes.buffer]) {
      const table = readCsv(input, options);
      expect(table.columns.get("n")).toEqual(Float64Array.of(1, 2));
      expect(table.labels.get("letter")?.classes).toEqual(["é", "ü"]);
    }
  });

  test("missing numbers are an error or NaN", () => {
    const text = "a,b\n1,\nNA,4";
    expect(() => readCsv(text)).toThrow('readCsv: line 3, column "a": "NA"; expected a number');
    const { columns } = readCsv(text, { missing: ["", " NA "] });
    expect(columns.get("a")).toEqual(Float64Array.of(1, Number.NaN));
    expect(columns.get("b")).toEqual(Float64Array.of(Number.NaN, 4));
  });

  test.each([
    ["a,b\n,\n", 1],
    ["a,b\n,5\n\n5,\n", 2],
    ['a\n""\n\n""', 2],
    ["a\n\n5\n \n", 1],
  ])("empty cells make a record, where several or quoted: %j", (text, size) => {
    expect(readCsv(text, { missing: [""] }).size).toBe(size);
  });

  test("what is no number is told with its line", () => {
    for (const text of ["x", "0x10", "1,5", "1e999", "Infinity", "--1", "1 2", ""]) {
      const file = `a,b\n"1","two\nlines"\n"${text}",x\n`;
      expect(() => readCsv(file, { labels: ["b"] })).toThrow(
        new FormatError(
          `readCsv: line 4, column "a": ${JSON.stringify(text)}; expected a number. Columns of ` +
            "classes belong in the option labels, texts that stand for no number in missing",
        ),
      );
    }
  });

  test("files that are no CSV are rejected with the line", () => {
    const cases: [string, string][] = [
      ["a,b\n1,2\n1,2,3\n", "line 3: 3 cells; expected as many cells in every line"],
      ["a,b\n1\n", "line 2: 1 cells; expected as many cells in every line"],
      ['a,b\n1,"2\n', "line 2: a quote in the wrong place; expected a quote at the end"],
      ['a,b\n1,"2"3\n', "line 2: a quote in the wrong place; expected two quotes for each"],
      ['a,b\n1,2"3\n', "line 2: a quote in the wrong place; expected quotes only around"],
      ["a,a\n1,2\n", 'two columns called "a"; expected each name once'],
      ['a,b\n"1"\0,2\n', "line 2: a quote in the wrong place; expected two quotes for each"],
      ["a,b\n", "no records; expected at least one"],
      ["", "no records; expected at least one"],
    ];
    for (const [text, says] of cases) {
      expect(() => readCsv(text)).toThrow(`readCsv: ${says}`);
      expect(() => readCsv(text)).toThrow(FormatError);
    }
    expect(() => readCsv(Uint8Array.of(0x61, 0xff))).toThrow("readCsv: bytes that are not UTF-8");
  });

  test.each(["\n", "\r\n", "\r"])("each line may end in its own way, the first in %j", (first) => {
    const text = `a,name${first}1,cat\n2,dog\r\n\r\n3,cat\r4,"a\r\nb"\n5,dog`;
    const { columns, labels } = readCsv(text, { labels: ["name"] });
    expect(columns.get("a")).toEqual(Float64Array.of(1, 2, 3, 4, 5));
    expect(labels.get("name")).toEqual({
      classes: ["a\r\nb", "cat", "dog"],
      indices: Int32Array.of(1, 2, 1, 0, 2),
    });
    expect(() => readCsv(`${text},6`)).toThrow("readCsv: line 8: 3 cells; expected as many");
    expect(() => readCsv(text)).toThrow('readCsv: line 2, column "name": "cat"');
  });

  test.each(["__proto__", "constructor", "toString", "hasOwnProperty"])(
    "a column may be called %s",
    (name) => {
      const text = `${name},b\nx,1\ny,2\n`;
      const table = readCsv(text, { labels: [name], classes: {} });
      expect(table.labels.get(name)).toEqual({ classes: ["x", "y"], indices: Int32Array.of(0, 1) });
      expect(readCsv(`${name}\n7`).columns.get(name)).toEqual(Float64Array.of(7));
      expect(() => readCsv("b\n1", { columns: [name] })).toThrow(`readCsv: no column "${name}"`);
      expect(() =>
        readCsv(text, { columns: ["b"], labels: ["b"], classes: { b: [name] } }),
      ).toThrow(`readCsv: line 2, column "b": "1"; expected one of ${name}`);
    },
  );

  test("names may replace those of the file, as the message about doubled ones says", () => {
    const text = "a,a\n1,2\n";
    expect(() => readCsv(text)).toThrow(
      new FormatError(
        'readCsv: two columns called "a"; expected each name once. ' +
          "Give other names by the options names and header: true",
      ),
    );
    const { columns, size } = readCsv(text, { names: ["a", "b"], header: true });
    expect(size).toBe(1);
    expect(columns.get("b")).toEqual(Float64Array.of(2));
    const advice = "If the first line holds names, give header: true";
    expect(() => readCsv(text, { names: ["a", "b"] })).toThrow(advice);
    const wrong = errorOf(() => readCsv("a,b\n1,x", { names: ["c", "d"], header: true }));
    expect(wrong.message).toContain('line 2, column "d": "x"; expected a number');
    expect(wrong.message).not.toContain(advice);
  });

  test("a delimiter may be several characters, of which cells may hold some", () => {
    const table = readCsv("a::b\nx:y::1\n:z::2", { delimiter: "::", labels: ["a"] });
    expect(table.labels.get("a")?.classes).toEqual([":z", "x:y"]);
    expect(table.columns.get("b")).toEqual(Float64Array.of(1, 2));
  });

  test.each([
    ["\n", 4],
    ["\r", 4],
    ["\r\n", 4],
    ["\n\r", 5],
    ["", 3],
  ])("lines within quotes count, ended by %j", (end, line) => {
    const text = `a,b\n"x${end}y",1\nz,bad`;
    expect(() => readCsv(text, { labels: ["a"] })).toThrow(`readCsv: line ${line}, column "b"`);
  });

  test("texts that stand for no number may be given twice", () => {
    const { columns } = readCsv("a\nNA\n1", { missing: ["NA", "", "NA"] });
    expect(columns.get("a")).toEqual(Float64Array.of(Number.NaN, 1));
  });

  test("a file with another delimiter is told to name it", () => {
    const advice = 'The option delimiter names what stands between cells: "," here';
    for (const [text, says] of [
      ["a;b\n1;2\n", 'line 2, column "a;b": "1;2"; expected a number'],
      ["a;b\n1,5;2,5\n", "line 2: 3 cells; expected as many cells in every line"],
    ]) {
      expect(() => readCsv(text)).toThrow(`readCsv: ${says}`);
      expect(() => readCsv(text)).toThrow(advice);
    }
    expect(() => readCsv("a;b\n1;2\n", { columns: ["a"] })).toThrow(
      `readCsv: no column "a"; expected one of a;b. ${advice}`,
    );
    expect(readCsv("a::b\n1::2\n", { delimiter: "::" }).size).toBe(1);
    const tabs = readCsv('a\tb\n 1 \t"2" \n', { delimiter: "\t" });
    expect(tabs.matrix()).toEqual(Float32Array.of(1, 2));
  });

  test.each<[CsvOptions, string]>([
    [{ delimiter: "" }, 'delimiter ""; expected text without quotes and line ends'],
    [{ delimiter: '"' }, 'delimiter "\\""; expected text without'],
    [{ delimiter: "a\n" }, 'delimiter "a\\n"; expected text without'],
    [{ delimiter: 3 as never }, "delimiter 3; expected text without"],
    [{ labels: "species" as never }, 'labels "species"; expected an array of strings'],
    [{ missing: "NA" as never }, 'missing "NA"; expected an array of strings'],
    [{ columns: [1] as never }, "columns [1]; expected an array of strings"],
    [{ labels: ["species", "species"] }, 'labels "species"; expected each text once'],
    [{ columns: ["width", "width"] }, 'columns "width"; expected each text once'],
    [{ names: ["a", "b", "a"] }, 'names "a"; expected each text once'],
    [{ header: false }, "header false; expected true where no names are given"],
    [{ header: 1 as never }, "header 1; expected true or false"],
    [{ classes: ["a"] as never }, 'classes ["a"]; expected an object of lists by column'],
    [
      { labels: ["species"], classes: { length: ["a"] } },
      'classes "length"; expected names of columns in labels: species',
    ],
    [
      { labels: ["species"], classes: { species: ["a", "a"] } },
      'classes of "species" "a"; expected each text once',
    ],
    [{ delimeter: ";" } as never, 'unknown option "delimeter"; expected columns, labels'],
  ])("options %j are rejected", (options, says) => {
    expect(() => readCsv(IRIS, options)).toThrow(`readCsv: ${says}`);
    expect(() => readCsv(IRIS, options)).toThrow(GradusError);
  });

  test("columns that are not there are rejected", () => {
    expect(() => readCsv(IRIS, { columns: ["weight"] })).toThrow(
      new FormatError('readCsv: no column "weight"; expected one of length, width, species'),
    );
    expect(() => readCsv(IRIS, { names: ["a", "b"] })).toThrow(
      "readCsv: 3 columns with 2 names; expected one name each",
    );
    const table = readCsv(IRIS, { labels: ["species"] });
    expect(() => table.matrix(["species"])).toThrow(
      'matrix: column "species"; expected a column of numbers: length, width',
    );
    expect(() => table.matrix(["species"])).toThrow(GradusError);
  });
});
