// What only developers need: what a wrong name or value may have been meant as, what to use in its
// place, warnings, and values for a console. Builds for production have no-advice.ts in its place;
// what is refused, and by which rule, is the same in both: see docs/decisions/0007-advice-for-developers.md.
import { VERSION } from "./copies.ts";
import { DTYPES, type DType, is, type NumericArray } from "./dtype.ts";
import { numberHeld } from "./halves.ts";
import { kindOf } from "./kind.ts";
import { describeValue } from "./quote.ts";

/** Advice that names what an unknown name may stand for, `. Did you mean "axis"?`, or nothing. */
export function didYouMean(given: string, names: readonly string[]): string {
  const meant = nearestNames(given, names).map((name) => JSON.stringify(name));
  return meant.length > 0 ? `. Did you mean ${meant.join(" and ")}?` : "";
}

/** Advice to write a bare value as an option, where one of its kind is known. */
export function asOption(value: unknown, known: Readonly<Record<string, unknown>>): string {
  const items: readonly unknown[] = Array.isArray(value) ? value : [value];
  const kind = typeof items[0];
  const name = Object.keys(known).find((key) => known[key] === kind);
  if (!name || items.length > 8 || items.some((item) => typeof item !== kind)) return "";
  const text = items.map(describeValue).join(", ");
  return `. Did you mean { ${name}: ${Array.isArray(value) ? `[${text}]` : text} }?`;
}

/** How to get numbers out of what is none, by kinds of values. */
const DATA: readonly (readonly [RegExp, string])[] = [
  [/Context2D$/, "Use fromPixels(context.canvas) of gradus/pictures"],
  [/^ImageData$|Canvas|Image|Video|^GPUTexture$/, "Use fromPixels(source) of gradus/pictures"],
  [/Buffer$/, "Use a typed array of its numbers, such as new Float32Array(buffer)"],
  [/^(Blob|File|Response)$/, "Await its arrayBuffer() and use a typed array of it"],
  [/^Promise$/, "Await it first"],
  [/^(Set|Map)$/, "Use [...data.values()]"],
  [/^(String|BigInt)$/, "Use Number(value)"],
  [/^Big.+Array$/, "Use Int32Array.from(data, Number)"],
  [/^Float16Array$/, "Use Float32Array.from(data)"],
  [/Array$/, "Give one typed array of all values, and a shape"],
];

/** Advice on how to get numbers out of what is none, `. Use Number(value)`, or nothing. */
export function numbersOf(data: unknown): string {
  const row = DATA.find(([kinds]) => kinds.test(kindOf(data)));
  return row ? `. ${row[1]}` : "";
}

/** What to give a compiled function in place of what it does not take, by kinds of objects. */
const ARGUMENTS: Readonly<Record<string, string>> = {
  Map: "Make it a plain object: Object.fromEntries(map)",
  Set: "Make it an array: [...set]",
  Promise: "await it",
  ArrayBuffer: "Make it a typed array",
};

/** Advice on what to give a compiled function in place of a value. */
export function inPlaceOf(value: unknown): string {
  return `. ${ARGUMENTS[kindOf(value)] ?? "Give what is in it as tensors or plain data"}`;
}

/** What to do with a buffer that others need too. */
export const TRANSFERRED = ". Copy it before postMessage or transfer";

/** How a compiled function's results are read. */
export const READ_OUTSIDE = ". Return the tensor and read it outside";

/** What a compiled function keeps in place of a typed array. */
export const KEEP_A_TENSOR = ". Keep a tensor instead";

/** How a compiled function has the elements of a typed array. */
export const TENSOR_OF_ARRAY = ", which takes them from the array of each call";

/** How fractions become whole numbers. */
export function cutBy(dtype: string): string {
  return `. Use cast(tensor(data), "${dtype}") to cut them`;
}

/** What may be meant by a right operand, where that has as many columns as the left one. */
export function transposed(b: readonly number[], k: number): string {
  return b.length >= 2 && b[b.length - 1] === k ? ". Transpose b?" : "";
}

/** What is meant by a class among layers. */
export function instanceOf(layer: unknown): string {
  return typeof layer === "function" ? `. Did you mean new ${layer.name}()?` : "";
}

/** What a compiled function uses in place of random numbers without a seed. */
export const UNSEEDED =
  ", which draw anew from a step counter. Give a seed where the same numbers are meant";

/** Where an optimizer's parameters come from. */
export const PARAMETERS = ", as model.parameters() and model.namedParameters() give";

/** Why a model may have no parameters. */
export const NO_PARAMETERS =
  ". Modules list what lies in public fields, arrays, objects, Maps and Sets and is not frozen; " +
  "private #fields cannot be searched";

/** What an optimizer's option `clip` may be. */
export const CLIP = ", such as (g) => clipByGlobalNorm(g, 1).gradients";

/** How a module takes more inputs. */
export const FORWARD = ". Name further ones in forward, without default values";

/** How values come back that went with a device. */
export const MAKE_AGAIN = ". Make them again, or assign what a checkpoint holds";

/** How two states get two names. */
export const DOTS = ". Use keys without dots";

/** How a value becomes a scalar of which gradients are taken. */
export const SUM_IT = ". Reduce it, say with sum";

/** How a loss becomes a scalar. */
export const AVERAGE_IT = ". Reduce it, say with mean";

/** How a value becomes a tensor. */
export const MAKE_TENSOR = ". Use tensor(value)";

/** How a scalar multiplies. */
export const SCALARS = ". Use mul for scalars";

/** Which device has what others lack. */
export const ON_CPU = ". Use the cpu device, which has it";

/** How one waits for a device that is made again. */
export const AWAIT_IT = ". Await device.recovering, then try again";

/** What a run that fell behind its device does. */
export const GO_ON = ". Go on from a checkpoint";

/** How a number becomes a schedule. */
export function constantAdvice(value: unknown): string {
  return typeof value === "number" ? `. Did you mean constantRate(${value})?` : "";
}

/** That there may be several targets. */
export const SEVERAL_TARGETS = ". Did you mean [x]?";

/** Whose gradients are meant. */
export const OWN_GRADIENTS = ". Its gradients are taken here";

/** How a program has a device of its own. */
export const SECOND_DEVICE =
  ". For a second device use init({ …, isolated: true }), and setDefaultDevice to make it the " +
  "default one";

/** How there is room again. */
export const DISPOSE = ". Dispose tensors";

/** Where everything is to be had. */
export const USE_CPU = ". Use the cpu device";

/** What to do when a device is gone. */
export const INIT_AGAIN = ". Call init() again and restore the weights";

/** What to do when the browser does not answer. */
export const NO_ANSWER =
  ". Restart the browser, use the cpu device, or wait longer by the option timeout";

/** Why a gradient's target may be out of reach. */
export function unreached(isState: boolean): string {
  return isState
    ? ". Is it of the model that was called?"
    : ". A graph without a Parameter is dropped once evaluated: take gradients first";
}

/** Warns of a model whose states lie where nobody finds them: they would not be saved. */
export function warnOfNoState(op: string, model: string): void {
  console.warn(
    `gradus: ${op}: model ${model} has no parameters or other states; expected them in public ` +
      "fields, arrays, objects, Maps or Sets. Private #fields cannot be searched",
  );
}

/** How many values a console shows of a tensor. */
const FIRST = 6;

/** The first values of a tensor as a console shows them, ` [1, 2]`, where there are some. */
export function firstValues(values: NumericArray | null | undefined, dtype: DType): string {
  if (!values) return "";
  const { digits } = DTYPES[dtype];
  const shortened = (x: number) => {
    if (is(dtype, "bool")) return x ? "true" : "false";
    return String(digits < 16 ? Number(x.toPrecision(digits)) : x);
  };
  const first = Array.from(values.subarray(0, FIRST), (x) => shortened(numberHeld(x, dtype)));
  return ` [${[...first, ...(values.length > FIRST ? ["…"] : [])].join(", ")}]`;
}

/** Under this name the page holds a value for each copy of the library that was started. */
const COPIES = Symbol.for("gradus.copies");

/** What stands for this copy among others, also where two modules of one version are loaded. */
const self = { version: VERSION };

/**
 * Enters this copy of the library in the page's list, and warns once where it is not the first:
 * tensors, layers and devices of one copy are strangers to the other.
 */
export function announceCopy(): void {
  const page = globalThis as { [COPIES]?: { version: string }[] };
  page[COPIES] ??= [];
  const copies = page[COPIES];
  if (copies.includes(self)) return;
  copies.push(self);
  if (copies.length === 1) return;
  const versions = copies.map(({ version }) => version).join(" and ");
  console.warn(
    `gradus: ${copies.length} copies of the library are loaded (${versions}), and tensors of one ` +
      "do not fit the other; expected one. Let your bundler or import map resolve gradus once",
  );
}

/** The names that another library's name stands for, else the one most like it, if one is. */
function nearestNames(given: string, names: readonly string[]): string[] {
  const wanted = plainName(given.slice(0, 80));
  const meant = meantBy(wanted, names);
  if (meant.length > 0) return meant;
  const distances = names.map((name) => ({
    name,
    distance: editDistance(wanted, plainName(name)),
  }));
  const [best] = distances.sort((a, b) => a.distance - b.distance);
  return best && best.distance <= Math.max(1, wanted.length / 3) ? [best.name] : [];
}

/**
 * How many letters must be put in, left out, replaced or swapped with the next to make one text of
 * another. Source: Damerau 1964, "A technique for computer detection and correction of spelling
 * errors", in the form in which no letter changes twice.
 */
function editDistance(a: string, b: string): number {
  const rows = [Array.from({ length: b.length + 1 }, (_, j) => j)];
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const replaced = rows[i - 1][j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1);
      row.push(Math.min(replaced, rows[i - 1][j] + 1, row[j - 1] + 1));
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1];
      if (swapped) row[j] = Math.min(row[j], rows[i - 2][j - 2] + 1);
    }
    rows.push(row);
  }
  return rows[a.length][b.length];
}

/**
 * What PyTorch, NumPy, TensorFlow.js, Keras and optax call our options, in small letters and
 * without `_`, by our names. What differs in a letter or two from ours needs no row.
 */
const SYNONYMS: Readonly<Record<string, string>> = {
  axis: "axes dim dims dimension",
  batchSize: "bs minibatch",
  beta1: "betas",
  beta2: "betas",
  bias: "usebias",
  bool: "boolean",
  classWeights: "weight",
  clip: "clipnorm clipvalue maxnorm maxgradnorm",
  device: "backend",
  dropLast: "dropremainder",
  dtype: "type",
  end: "stop",
  epsilon: "eps",
  factor: "gamma",
  f16: "float16 half",
  f32: "float32 float",
  f64: "float64 double",
  high: "max maxval",
  i32: "int32 int",
  learningRate: "lr stepsize eta rate",
  loader: "data dataset dataloader traindataloader",
  low: "min minval",
  mean: "loc mu",
  optimizer: "opt optim",
  reduction: "reduce",
  rho: "decay",
  seed: "randomseed randomstate",
  start: "begin",
  std: "stddev scale sigma",
  step: "stride",
  u32: "uint32",
  u8: "uint8",
  validationData: "validation valdata valdataset valloader",
  weightDecay: "wd l2",
  weightInit: "kernelinitializer initializer",
};

/** A name in small letters, without what separates its words. */
function plainName(name: string): string {
  return name.toLowerCase().replace(/[^a-z0-9]/g, "");
}

/** Those of our names that other libraries call by a plain name. */
function meantBy(plain: string, names: readonly string[]): string[] {
  const called = (name: string) => (Object.hasOwn(SYNONYMS, name) ? SYNONYMS[name] : "");
  return names.filter((name) => called(name).split(" ").includes(plain));
}
