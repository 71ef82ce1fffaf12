import { checkEach, checkNotNegative, checkOptions, describeValue } from "../core/check.ts";
import { DTYPES } from "../core/dtype.ts";
import { KernelError } from "../core/errors.ts";
import { broadcastShapes, type Shape } from "../core/shape.ts";
import { MARK_BEFORE, MARK_BEHIND, type ShaderFile, wgslType } from "../forms/wgsl.ts";
import { defineOp, NO_ATTRIBUTES } from "../graph/op.ts";
import { apply, checkTensors, type Tensor } from "../graph/tensor.ts";
import { stretch } from "./broadcast.ts";
import {
  type CustomInput,
  type CustomParts,
  checkCall,
  checkCustom,
  checkedVjp,
  type ForEachInput,
  isFunction,
  resultDType,
  runCpu,
} from "./custom-inputs.ts";

/** An op of one's own whose elements are made of one element of each input. */
export interface CustomPointwise<Inputs extends readonly string[]> extends CustomParts<Inputs> {
  /**
   * An expression of the inputs' names, or functions of which one has the op's name: `x / (1.0 + abs(x))`.
   */
  wgsl: string;
  /** The same of one element each: numbers, 0 and 1 for bools. */
  cpu: (...values: ForEachInput<Inputs, number>) => number | boolean;
  /** Arithmetic per element, in multiplications; 8 when left out. What costs more than 4 is stored for several readers. */
  cost?: number;
}

/** Calls a function of a library, of which formulas know nothing. */
type CallAny = (name: string, ...values: never[]) => never;

/** How many ops there are: names in WGSL must differ. */
let made = 0;

/** Makes the function of a pointwise op. */
export function customPointwise(definition: CustomPointwise<readonly string[]>) {
  const known = { name: true, inputs: true, wgsl: true, cpu: true } as const;
  const more = { result: true, file: true, vjp: true, cost: true } as const;
  checkOptions("customOp", definition, { ...known, ...more });
  const declared = checkCustom(definition);
  const { name, cpu, result = "f32", cost = 8 } = definition;
  checkEach(`customOp: ${name}`, { cpu }, isFunction, "a function");
  checkNotNegative(`customOp: ${name}`, { cost });
  const call = `${name}_own${made++}`; // parts of a kernel end in numbers
  const libraries = [libraryOf(definition, declared, call)];
  const op = defineOp<Record<string, never>>({
    name,
    infer: (inputs) => ({ shape: inputs[0].shape, dtype: resultDType(result, inputs) }),
    scalar:
      () =>
      (...values) =>
        elementOf(name, () => cpu(...values)),
    linear: true,
    cost,
    throws: true, // the user's function may
    form: {
      kind: "pointwise",
      libraries,
      element: ({ at, load, scalars, y }) => {
        const values = declared.map((_, i) => load(i, at)) as never[];
        return (scalars(y.dtype).call as CallAny)(call, ...values);
      },
    },
    vjp: checkedVjp(definition, declared),
  });
  return (...given: unknown[]): Tensor => {
    const inputs = checkCall(name, declared, given);
    checkTensors(name, inputs);
    const shape = inputs.reduce<Shape>((all, x) => broadcastShapes(name, all, x.shape), []);
    return apply(
      op,
      inputs.map((x) => stretch(x, shape)),
      NO_ATTRIBUTES,
    );
  };
}

/** What the user's function gives for an element. */
function elementOf(name: string, cpu: () => number | boolean): number {
  const value: unknown = runCpu(name, cpu);
  if (typeof value === "number" || typeof value === "boolean") return Number(value);
  throw new KernelError(`${name}: cpu gave ${describeValue(value)}; expected a number`);
}

/** The text as functions whose names no other op has. Messages find its lines by the marks around. */
function libraryOf(
  { name, wgsl, result = "f32", file = `${name}.wgsl` }: CustomPointwise<readonly string[]>,
  declared: readonly CustomInput[],
  call: string,
): ShaderFile {
  const own = new Set(
    [...wgsl.matchAll(/^\s*(?:fn|const|struct|alias)\s+(\w+)/gm)].map((m) => m[1]),
  );
  const ending = call.slice(name.length);
  const words = new RegExp(`\\b(${[...own].join("|")})\\b`, "g");
  const parameters = declared.map((input) => `${input.name}: ${wgslType(input.dtype)}`).join(", ");
  const [before, text, after] = own.has(name)
    ? ["", wgsl.replace(words, `$1${ending}`), ""]
    : [`fn ${call}(${parameters}) -> ${DTYPES[result].wgsl} { return (`, wgsl, "); }"];
  const source = `${MARK_BEFORE}${file}\n${before}\n${text}\n${MARK_BEHIND}${file}\n${after}\n`;
  return { name: file, source };
}
