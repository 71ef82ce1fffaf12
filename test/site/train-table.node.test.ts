import { expect, test } from "vitest";
import { CHOICES, type Chosen, fittingLoss } from "../../site/train/choices.ts";
import { completing, differenceOf } from "../../site/train/form.ts";
import { csvExamples } from "../../site/train/table.ts";

const INITIAL = Object.fromEntries(
  Object.entries(CHOICES).map(([name, { initial }]) => [name, initial]),
) as unknown as Chosen;

const lines = (...all: string[]) => all.join("\n");
const numbered = (count: number, row: (i: number) => string) =>
  Array.from({ length: count }, (_, i) => row(i));

test("names with commas, quotes and line ends are read as one", () => {
  const table = csvExamples(
    lines('\ufeff"price, EUR","a ""b""\nc",kind', "1,2,x", "3,5,y", "5,2,x"),
  );
  expect(table.columns).toEqual(["price, EUR", 'a "b"\nc']);
  expect(table.classes).toEqual(["x", "y"]);
  expect(table.kind).toBe("plane");
  expect([...table.t]).toEqual([0, 1, 0]);
  expect(table.x[0]).toBeCloseTo(-2 / (2 * Math.sqrt(8 / 3)), 6);
});

test("many different numbers in the last column are values", () => {
  const table = csvExamples(lines("a,b", ...numbered(40, (i) => `${i},${i * i}`)));
  expect(table.classes).toBeNull();
  expect(table.kind).toBe("curve");
  expect(fittingLoss("crossEntropy", table.classes !== null)).toBe("meanSquaredError");
  expect(fittingLoss("huber", true)).toBe("crossEntropy");
  expect(fittingLoss("huber", false)).toBe("huber");
});

test.each([
  ["", "The file is empty; expected a line of names and rows of values below it."],
  ["a,b\n\n", "The file has one line; expected a line of names and rows of values below it."],
  [
    lines("a", "1", "2"),
    "The file has one column; expected two or more with commas between them: the last one is learnt from the others.",
  ],
  [
    lines("a;b", "1;2", "2;3"),
    "The file has one column; expected two or more with commas between them: the last one is learnt from the others.",
  ],
  [lines("a,b", "1,x"), "The file has one row of values; expected two or more."],
  [
    lines("a,b", "1,x", "2,x"),
    'All rows have "x" in the last column; expected two classes or more, or different numbers.',
  ],
  [
    lines("a,b", "1,x", "2"),
    "The file cannot be read: line 3: 1 cells; expected as many cells in every line as in the first, 2.",
  ],
  [
    lines("a,b,c", "1,x,y", "2,3,z"),
    'The file cannot be read: line 2, column "b": "x"; expected a number. Only the last column may hold words, and no cell may be empty.',
  ],
  [
    lines("a,b", ...numbered(30, (i) => `${i},word ${i}`)),
    "The last column has 30 different values, and not only numbers; expected numbers, or at most 20 classes.",
  ],
  [
    lines("a,a,b", "1,2,x", "2,3,y"),
    'The file cannot be read: two columns called "a"; expected each name once.',
  ],
])("says in plain words what is wrong with %j", (csv, told) => {
  expect(() => csvExamples(csv)).toThrow(new Error(told));
});

test("a loss that does not fit the data gives way to one that does", () => {
  const none = new Set<string>();
  expect(completing({ ...INITIAL, loss: "huber" }, none).loss).toBe("crossEntropy");
  expect(completing({ ...INITIAL, data: "curve", loss: "hinge" }, none).loss).toBe(
    "meanSquaredError",
  );
  expect(completing({ ...INITIAL, data: "curve", loss: "huber" }, none).loss).toBe("huber");
  expect(completing({ ...INITIAL, data: "csv", loss: "huber" }, none).loss).toBe("huber");
  const brought = completing({ ...INITIAL, data: "curve", rate: 3 }, new Set(["data"]));
  expect(brought).toMatchObject({ layers: "32, 32", loss: "meanSquaredError", rate: 0.01 });
});

test("a kept run is named by what differs, also where it had none of it", () => {
  const digits = { ...INITIAL, data: "digits", layers: "64" } as const;
  expect(differenceOf(digits, { ...digits, convolutions: "8, 16" })).toBe("no convolutions");
  expect(differenceOf({ ...digits, convolutions: "8, 16" }, digits)).toBe("convolutions 8, 16");
  expect(differenceOf({ ...INITIAL, layers: "" }, INITIAL)).toBe("no hidden layers");
  expect(differenceOf(INITIAL, digits)).toBe("data spirals, layers 24, 24");
  expect(differenceOf(INITIAL, { ...INITIAL, rate: 1 })).toBe("Before"); // a run takes it on
});
