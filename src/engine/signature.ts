import { dtypeOfArray } from "../core/array-dtype.ts";
import type { NumericArray } from "../core/dtype.ts";
import { numbering } from "../core/numbering.ts";
import { type Shape, sameShape } from "../core/shape.ts";
import { mapTree, type Parts, type Place, partsOf, walk } from "../core/tree.ts";
import { State } from "../graph/state.ts";
import { Tensor } from "../graph/tensor.ts";
import { isKnownByIdentity, traceKey } from "../graph/trace-key.ts";
import { watch } from "../graph/watch.ts";
import { Refusal } from "./refusal.ts";

/** What changes from call to call: a tensor that is no state, or a typed array. */
export type Input = Tensor | NumericArray;

/** Arguments taken apart: what changes from call to call, and what a trace may rely on. */
export interface Signature {
  /** Equal for arguments with which a trace may be used again. */
  readonly key: string;
  /** The inputs among the arguments, in order. */
  readonly inputs: readonly Input[];
}

/** How messages call a function and its parameters. */
export interface Naming {
  readonly op: string;
  readonly parameters: readonly string[];
}

/**
 * Describes arguments: tensors and typed arrays by shape and dtype; plain data by value; states,
 * functions, and objects that say so by which one they are.
 * @throws Refusal for anything else.
 */
export function signatureOf(args: readonly unknown[], naming: Naming): Signature {
  const inputs: Input[] = [];
  const lines: string[] = [];
  eachPart(args, naming, (value, parts) => {
    lines.push(parts ? formOf(value as object, parts) : describe(value));
    if (!parts && isInput(value)) inputs.push(value);
  });
  return { key: lines.join("\n") + (watch ? " under debug" : ""), inputs };
}

/** What is known of an input from its place in the arguments. */
class InputForm {
  readonly #facts;

  constructor(x: Input) {
    this.#facts = factsOf(x);
  }

  fits(x: Input): boolean {
    const [kind, home, shape] = factsOf(x);
    const [ownKind, ownHome, ownShape] = this.#facts;
    return kind === ownKind && home === ownHome && sameShape(shape, ownShape);
  }
}

/** Dtype, device and shape of a tensor; class and length of an array. */
function factsOf(x: Input): readonly [kind: unknown, home: unknown, shape: Shape] {
  return x instanceof Tensor ? [x.dtype, x.device, x.shape] : [x.constructor, x.length, []];
}

/** What is known of a part of the arguments that has parts itself. */
class WholeForm {
  readonly prototype: unknown;
  readonly names: readonly string[];
  readonly parts: readonly unknown[];

  constructor(value: object) {
    this.prototype = Object.getPrototypeOf(value);
    this.names = Object.keys(value);
    this.parts = Object.values(value).map(patternOf);
  }
}

/** Arguments with the forms of inputs in place of these, as a pattern for others. */
function patternOf(value: unknown): unknown {
  if (typeof value !== "object" || value === null || value instanceof InputForm) return value;
  return value instanceof State || isKnownByIdentity(value) ? value : new WholeForm(value);
}

/** Describes the arguments of calls of one function. */
export class Signatures {
  #key = "";
  /** That of the last arguments, where they came twice. */
  #pattern: unknown = null;

  /** As `signatureOf` does; arguments that are like the last ones need not be taken apart. */
  of(args: readonly unknown[], naming: Naming): Signature {
    const inputs: Input[] = [];
    if (!watch && isLike(args, this.#pattern, inputs)) return { key: this.#key, inputs };
    const signature = signatureOf(args, naming);
    const isSame = signature.key === this.#key;
    this.#pattern = isSame && patternOf(replaceInputs(args, naming, (x) => new InputForm(x)));
    this.#key = signature.key;
    return signature;
  }
}

/** Whether arguments surely have the same signature as those of a pattern; lists their inputs. */
function isLike(value: unknown, pattern: unknown, inputs: Input[]): boolean {
  if (pattern instanceof InputForm) {
    if (!isInput(value)) return false;
    inputs.push(value);
    return pattern.fits(value);
  }
  if (typeof value !== "object" || value === null || value instanceof State) {
    return Object.is(value, pattern);
  }
  // What is known by identity may be another one inside.
  if (!(pattern instanceof WholeForm) || isKnownByIdentity(value)) return false;
  if (Object.getPrototypeOf(value) !== pattern.prototype) return false;
  const { names, parts } = pattern;
  const own = Object.keys(value);
  if (own.length !== names.length) return false;
  for (let i = 0; i < own.length; i++) {
    const name = own[i];
    if (name !== names[i]) return false;
    if (!isLike((value as Record<string, unknown>)[name], parts[i], inputs)) return false;
  }
  return true;
}

/** Tells of each part of arguments, and of its own parts, a whole before its parts. */
export function eachPart(
  args: readonly unknown[],
  naming: Naming,
  tell: (value: unknown, parts: Parts | null, path: readonly string[]) => void,
): void {
  const open = opener(naming);
  walk(
    args,
    (value, place) => {
      const parts = open(value, place);
      tell(value, parts, place.path);
      return parts;
    },
    () => {},
  );
}

/** Rebuilds arguments with others in place of their inputs, in `signatureOf`'s order. */
export function replaceInputs<Args extends readonly unknown[]>(
  args: Args,
  naming: Naming,
  next: (input: Input) => unknown,
): Args {
  return mapTree(args, opener(naming), (value) => (isInput(value) ? next(value) : value));
}

/** Says whether a part of arguments changes from call to call. */
export function isInput(value: unknown): value is Input {
  return value instanceof Tensor ? !(value instanceof State) : ArrayBuffer.isView(value);
}

/** Takes arguments apart, and throws for what a trace could not know again. */
function opener(naming: Naming): (value: unknown, place: Place) => Parts | null {
  return (value, { path, isCycle }) => {
    if (typeof value === "symbol") throw refuseUnknowable(value, path, naming);
    if (typeof value !== "object" || value === null || value instanceof Tensor) return null;
    if (ArrayBuffer.isView(value)) {
      dtypeOfArray(`${naming.op}: ${nameOf(path, naming)}`, value);
      return null;
    }
    if (isKnownByIdentity(value)) return null;
    if (isCycle) throw new Refusal((by) => by.holdsItself(path, naming));
    const plain = partsOf(value);
    if (plain) return plain;
    if (!holdsTensors(value)) throw refuseUnknowable(value, path, naming);
    return Object.entries(value);
  };
}

function refuseUnknowable(value: unknown, path: readonly string[], naming: Naming): Refusal {
  return new Refusal((by) => by.unknowable(value, path, naming));
}

/** Whether an object of a class has tensors or typed arrays in its properties, or in lists there. */
function holdsTensors(value: object): boolean {
  let isFound = false;
  const open = (part: unknown, { path, isCycle }: Place): Parts | null => {
    if (path.length === 0) return Object.entries(value);
    return isFound || isCycle || part instanceof Tensor ? null : partsOf(part);
  };
  walk(value, open, (part) => {
    isFound ||= part instanceof Tensor || ArrayBuffer.isView(part);
  });
  return isFound;
}

const numberOf = /* @__PURE__ */ numbering();

/** The way to a part of the arguments, for messages: `argument 1.images`. */
export function nameOf([first, ...rest]: readonly string[], { parameters }: Naming): string {
  if (first === undefined) return "the arguments";
  const way = [parameters[Number(first)] ?? `argument ${first}`, ...rest];
  return way.filter((name) => name !== "").join(".");
}

/** Writes what a trace relies on in a leaf as a line of text. */
function describe(value: unknown): string {
  if (value instanceof State) return `state #${numberOf(value)}`;
  if (value instanceof Tensor) {
    return `${value.dtype}[${value.shape}] on device #${numberOf(value.device)}`;
  }
  if (ArrayBuffer.isView(value)) {
    return `array ${dtypeOfArray("compile", value)}[${(value as NumericArray).length}]`;
  }
  if (typeof value === "string") return JSON.stringify(value);
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return `function #${numberOf(value)}`;
  if (typeof value !== "object" || value === null) return Object.is(value, -0) ? "-0" : `${value}`;
  const key = isKnownByIdentity(value) ? value[traceKey]() : "";
  return `object #${numberOf(value)}${JSON.stringify(key)}`;
}

/** Writes the form of what has parts as a line of text. */
function formOf(value: object, parts: Parts): string {
  if (Array.isArray(value)) return `array of ${parts.length}`;
  const names = parts.map(([name]) => JSON.stringify(name));
  return `#${numberOf(Object.getPrototypeOf(value) ?? Object.prototype)}{${names}}`;
}
