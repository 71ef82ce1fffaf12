import { describeValue } from "../core/check.ts";
import { ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { checkArguments, type Tensor } from "../graph/tensor.ts";
import { reshape } from "./reshape.ts";
import { type Range, slice } from "./slice.ts";

/** What a text says of one axis: a place, part of it, all the axes that are left, or a new one. */
type Item = number | Range | "..." | "None";

/** start:end or start:end:step, of which each may be left out. */
const RANGE_TEXT = /^([+-]?\d+)?\s*:\s*([+-]?\d+)?\s*(?::\s*([+-]?\d+)?)?$/;

/**
 * Takes part of a tensor by a text, as NumPy and PyTorch do between brackets: for each axis an
 * integer, which takes that place and drops the axis, or `start:end:step`, of which each may be
 * left out and which is clipped where the axis ends; `...` stands for all axes that are not named,
 * once, and `None` makes a new axis of size 1. Axes behind the last stay whole. No elements are
 * copied.
 * @param index such a text, or one integer.
 * @throws ShapeError for what is none of these, for more than there are axes, an integer that is no
 * place on its axis, and a step of 0.
 * @example
 * const m = tensor([[1, 2, 3], [4, 5, 6]]);
 * await at(m, "1").toArray(); // [4, 5, 6]
 * await at(m, ":, ::-2").toArray(); // [[3, 1], [6, 4]]
 * at(m, "..., None, -1").shape; // [2, 1]
 */
export function at(x: Tensor, index: string | number, ...surplus: never[]): Tensor {
  checkArguments("at(x, index)", [x], surplus);
  if (typeof index !== "string" && !Number.isInteger(index)) {
    throw new ShapeError(
      `at: index ${describeValue(index)}; expected a text such as "1:, ::2, -1", or an integer`,
    );
  }
  const items = itemsFor(`${index}`, x);
  const ofAxes = items.filter((item) => item !== "None") as (number | Range)[];
  const part = slice(
    x,
    ofAxes.map((item, axis) => (typeof item === "number" ? rangeOfPlace(item, axis, x) : item)),
  );
  const sizes = [...part.shape];
  const shape = items.flatMap((item) => {
    if (item === "None") return [1];
    const n = sizes.shift() as number;
    return typeof item === "number" ? [] : [n];
  });
  return reshape(part, shape);
}

/** What a text says of each axis of x, and of new ones. */
function itemsFor(text: string, { shape, rank }: Tensor): Item[] {
  const items = itemsOf(text);
  const named = items.filter((item) => item !== "..." && item !== "None").length;
  if (named > rank) {
    throw new ShapeError(
      `at: ${named} axes in "${text}" for ${formatShape(shape)}; expected at most ${rank}`,
    );
  }
  const whole = new Array<Item>(rank - named).fill({});
  if (!items.includes("...")) return [...items, ...whole];
  return items.flatMap((item) => (item === "..." ? whole : [item]));
}

function itemsOf(text: string): Item[] {
  const parts = text.split(",").map((part) => part.trim());
  if (parts.at(-1) === "") parts.pop(); // one comma behind the last, or nothing at all
  const items = parts.map((part) => itemOf(part, text));
  if (items.filter((item) => item === "...").length > 1) {
    throw new ShapeError(`at: "${text}" has several "..."; expected one at most`);
  }
  return items;
}

function itemOf(part: string, text: string): Item {
  if (part === "..." || part === "None") return part;
  if (/^[+-]?\d+$/.test(part)) return Number(part);
  const range = RANGE_TEXT.exec(part);
  if (!range) {
    throw new ShapeError(
      `at: "${part}" in "${text}"; expected an integer, start:end:step, ... or None`,
    );
  }
  const [start, end, step] = range.slice(1).map((n) => (n === undefined ? undefined : Number(n)));
  if (step === 0) throw new ShapeError(`at: "${part}" in "${text}"; expected a step that is not 0`);
  return { start, end, step };
}

function rangeOfPlace(index: number, axis: number, { shape }: Tensor): Range {
  const n = shape[axis];
  const place = index < 0 ? index + n : index;
  if (place >= 0 && place < n) return { start: place, end: place + 1 };
  throw new ShapeError(
    `at: index ${index} on axis ${axis} of ${formatShape(shape)}; expected an integer in ` +
      `[${-n}, ${n - 1}]`,
  );
}
