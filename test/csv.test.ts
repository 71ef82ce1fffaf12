import { beforeAll, describe, expect, test } from "vitest";
import { readCsv } from "../src/csv/index.ts";
import { FormatError, GradusError, tensor } from "../src/index.ts";
import { testDevice } from "./support/device.ts";

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
    expect([...table.columns.keys()]).toEqual(["width", "length"]);
    expect(table.labels.size).toBe(0);
    expect(table.matrix()).toEqual(Float32Array.of(3.5, 5.1, 3.2, 7, 3.3, 6.3, 3, 4.9));
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
    const { columns } = readCsv(text, { missing: ["", "NA"] });
    expect(columns.get("a")).toEqual(Float64Array.of(1, Number.NaN));
    expect(columns.get("b")).toEqual(Float64Array.of(Number.NaN, 4));
  });

  test("what is no number is told with its line", () => {
    for (const text of ["x", "0x10", "1,5", "1e999", "Infinity", "--1", "1 2", ""]) {
      const file = `a,b\n"1","two\nlines"\n"${text}",x\n`;
      expect(() => readCsv(file, { labels: ["b"] })).toThrow(
        new FormatError(`readCsv: line 4, column "a": ${JSON.stringify(text)}; expected a number`),
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
      ["a,b\n", "no records; expected at least one"],
      ["", "no records; expected at least one"],
    ];
    for (const [text, says] of cases) {
      expect(() => readCsv(text)).toThrow(`readCsv: ${says}`);
      expect(() => readCsv(text)).toThrow(FormatError);
    }
    expect(() => readCsv(Uint8Array.of(0x61, 0xff))).toThrow("readCsv: bytes that are not UTF-8");
  });

  test("columns that are not there are rejected", () => {
    expect(() => readCsv(IRIS, { columns: ["weight"] })).toThrow(
      'readCsv: no column "weight"; expected one of length, width, species',
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
