import { either } from "../core/dtype.ts";
import { FormatError, GradusError } from "../core/errors.ts";
import { quote } from "../core/quote.ts";
import { formatShape, type Shape, sameShape } from "../core/shape.ts";
import { type PyTorchForm, State } from "../graph/state.ts";
import type { Tensor } from "../graph/tensor.ts";

/** Whose names and orders of axes a file of weights has. */
export type FileOrigin = "gradus" | "pytorch";

/** What files of either say as `format` in their free text. */
export const FORMATS: Readonly<Record<FileOrigin, string>> = { gradus: "gradus", pytorch: "pt" };

/** Checks what a user gave as the origin, as the option called `option`. */
export function checkOrigin(op: string, option: string, given: unknown): void {
  if (given === undefined || Object.hasOwn(FORMATS, given as string)) return;
  const rule = either(Object.keys(FORMATS).map((name) => quote(name)));
  throw new GradusError(`${op}: ${option} ${quote(given)}; expected ${rule}`);
}

/**
 * Tells from the mark of `what`, a file or values, and from what its reader says whose it is: `undefined` where neither does.
 * @throws FormatError where it is PyTorch's and nobody says so, and where it is ours and somebody says
 * it is PyTorch's: weights would lie transposed in it.
 */
export function originOf(
  op: string,
  what: string,
  format: string | undefined,
  from: FileOrigin | undefined,
): FileOrigin | undefined {
  const marked = originOfMark(format);
  const isWrong = marked === "pytorch" ? !from : marked === "gradus" && from === "pytorch";
  if (!isWrong) return from ?? marked;
  const given = `${op}: ${what} of format ${quote(format)}${from ? ` from ${quote(from)}` : ""}`;
  throw new FormatError(`${given}; expected { from: ${quote(marked)} }`);
}

export function originOfMark(format: string | undefined): FileOrigin | undefined {
  if (format === FORMATS.pytorch) return "pytorch";
  return format?.startsWith(FORMATS.gradus) ? "gradus" : undefined;
}

/** The formats of the files that tensors were made of. */
const marks = new WeakMap<Tensor, string>();

/** Keeps for tensors that were made of a file what that says of its origin, if it does. */
export function markTensors(tensors: Iterable<Tensor>, format: string | undefined): void {
  if (format === undefined || !originOfMark(format)) return;
  for (const x of tensors) marks.set(x, format);
}

/** The format of the file that a tensor was made of, where that says whose it is. */
export function fileMarkOf(x: Tensor): string | undefined {
  return marks.get(x);
}

/** The format in which a tensor lies, where it says so: by its file, or as a layer's weight. */
export function fileFormatOf(x: Tensor): string | undefined {
  return fileMarkOf(x) ?? (axesIn("pytorch", x) && FORMATS.gradus);
}

/** Whether the axes of a tensor may lie in the order of either origin. */
export function isUnknown(x: Tensor): boolean {
  return x.rank > 1 && !(x instanceof State) && fileMarkOf(x) === undefined;
}

/** The format in which tensors lie, as far as they say so; throws a `FormatError` for two origins at once. */
export function commonFormat(op: string, tensors: Iterable<Tensor>): string | undefined {
  const found = new Map<FileOrigin, string>();
  for (const x of tensors) {
    const format = fileFormatOf(x);
    const origin = originOfMark(format);
    if (origin) found.set(origin, format as string);
  }
  const formats = [...found.values()];
  if (formats.length < 2) return formats[0];
  throw new FormatError(
    `${op}: values of formats ${formats.map(quote).join(" and ")} in one Map; expected those of one. ` +
      "Give them one after the other",
  );
}

/** How files of an origin hold a tensor, where that differs; null where they do not. */
export function formIn(origin: FileOrigin | undefined, x: Tensor): PyTorchForm | null | undefined {
  return origin === "pytorch" ? (x as State).pytorch : undefined;
}

/** The order of a tensor's axes in files of an origin, where that is another one than here. */
export function axesIn(origin: FileOrigin | undefined, x: Tensor): readonly number[] | undefined {
  return formIn(origin, x)?.axes;
}

/** Parts of our layers that PyTorch's call otherwise; what a model's own parts are called is its own affair. */
const THEIR_PARTS: Readonly<Record<string, string>> = {
  selfAttn: "self_attn",
  multiheadAttn: "multihead_attn",
  outProj: "out_proj",
  loraA: "lora_A",
  loraB: "lora_B",
};

/** The name in files of an origin of what is called `name` here. */
export function nameIn(origin: FileOrigin | undefined, name: string, x: Tensor): string {
  if (origin !== "pytorch") return name;
  const parts = name.split(".").map((part) => {
    return Object.hasOwn(THEIR_PARTS, part) ? THEIR_PARTS[part] : part;
  });
  const own = formIn(origin, x)?.name;
  return (own === undefined ? parts : [...parts.slice(0, -1), own]).join(".");
}

/** The states of which an origin's file must, or does, hold values. */
export function statesIn(
  origin: FileOrigin | undefined,
  own: ReadonlyMap<string, State>,
  values: ReadonlyMap<string, unknown>,
): ReadonlyMap<string, State> {
  const isThere = ([name, state]: readonly [string, State]) => {
    const form = formIn(origin, state);
    return form !== null && (!form?.optional || values.has(name));
  };
  return new Map([...own].filter(isThere));
}

/** Calls what an origin's file holds for states as these are called; all else as it is there. */
export function inOwnNames<T>(
  own: ReadonlyMap<string, State>,
  values: ReadonlyMap<string, T>,
  origin: FileOrigin | undefined,
): ReadonlyMap<string, T> {
  if (origin !== "pytorch") return values;
  const names = new Map([...own].map(([name, state]) => [nameIn(origin, name, state), name]));
  return new Map([...values].map(([name, value]) => [names.get(name) ?? name, value]));
}

/** The shape of a tensor whose axes are put in this order, if any. */
export function shapeIn(shape: Shape, axes: readonly number[] | undefined): Shape {
  return axes?.map((axis) => shape[axis]) ?? shape;
}

/**
 * Throws a `FormatError` for `what` that nobody marked, a file or values, where a state would take its values in the
 * order of axes of either origin, which are different values.
 */
export function checkUnambiguous(
  op: string,
  what: string,
  states: ReadonlyMap<string, State>,
): void {
  for (const [name, { shape, pytorch }] of states) {
    const long = pytorch?.axes?.filter((axis) => shape[axis] > 1) ?? [];
    const isMoved = long.some((axis, i) => i > 0 && axis < long[i - 1]);
    if (!isMoved || !sameShape(shape, shapeIn(shape, pytorch?.axes))) continue;
    const origins = Object.keys(FORMATS).map((origin) => `{ from: ${quote(origin)} }`);
    throw new FormatError(
      `${op}: ${what} without format, in which ${quote(name)} of shape ${formatShape(shape)} may be ` +
        `transposed; expected ${either(origins)}`,
    );
  }
}
