import { MAKE_TENSOR } from "../core/advice.ts";
import { checkSurplus } from "../core/check.ts";
import { is, type Trait } from "../core/dtype.ts";
import { DTypeError } from "../core/errors.ts";
import { broadcastShapes, sameShape } from "../core/shape.ts";
import type { TensorType } from "../core/tensor-type.ts";
import type { Steps } from "../forms/float-value.ts";
import type { LoopName } from "../forms/loops.ts";
import { applyFormula, type Formula } from "../forms/scalars.ts";
import type { ShaderFile } from "../forms/wgsl.ts";
import { defineOp, NO_ATTRIBUTES, type OpDefinition } from "../graph/op.ts";
import { apply, Tensor } from "../graph/tensor.ts";
import { stretch } from "./broadcast.ts";
import { checkDomain } from "./domain.ts";
import { numberLike } from "./scalar.ts";

/** An elementwise op as a row: its scalar function twice, and its gradient in public ops. */
export interface Row {
  readonly name: string;
  readonly domain: Trait;
  /** The result's dtype where it is not the inputs'. */
  readonly result?: "bool";
  /** The specification of one element. */
  readonly js: (...values: number[]) => number;
  /** The specification for whole numbers, where it differs. */
  readonly integer?: (...values: number[]) => number;
  /** The CPU device's loop that does `js` for float32, which saves calling it. */
  readonly loop?: LoopName;
  /** The same for devices that compile it: one operation, a formula of several, or of many steps. */
  readonly formula: Formula | Steps;
  /** Files of functions that it calls in WGSL. */
  readonly libraries?: readonly ShaderFile[];
  /** The value of the second input (and of the first, when it commutes) that changes nothing. */
  readonly neutral?: number;
  readonly commutes?: boolean;
  /** Arithmetic per element, in multiplications; 1 when left out. */
  readonly cost?: number;
  /** Cotangents of the inputs, null for zeros; null when that holds for all inputs. */
  readonly vjp: ((g: Tensor, y: Tensor, ...x: Tensor[]) => readonly (Tensor | null)[]) | null;
}

/** Makes an op of a row; its inputs have one shape and one dtype. */
/* @__NO_SIDE_EFFECTS__ */
export function elementwise(row: Row): OpDefinition<Record<string, never>> {
  const { name, domain, result, js, integer = js, formula, libraries, neutral, vjp } = row;
  return defineOp<Record<string, never>>({
    ...row,
    infer: ([x]: readonly TensorType[]) => {
      checkDomain(name, x.dtype, domain);
      return result ? { shape: x.shape, dtype: result } : x;
    },
    scalar: ([{ dtype }]) => (is(dtype, "integer") ? integer : js),
    linear: true,
    form: {
      kind: "pointwise",
      libraries,
      element:
        (formula as Partial<Steps>).element ??
        (({ at, load, inputs, scalars }) =>
          applyFormula(
            formula as Formula,
            scalars(inputs[0].dtype),
            inputs.map((_, i) => load(i, at)),
          )),
    },
    passes: neutral === undefined ? undefined : ([a, b]) => passedOn(row, a, b),
    vjp: vjp && ((g, { inputs, y }) => vjp(g, y, ...inputs)),
  });
}

/** Which input a row's result equals when the other is its neutral element. */
function passedOn({ neutral, commutes }: Row, a: number | null, b: number | null): number | null {
  // x − (−0) is 0 for x = −0, so zeros of another sign are not the same.
  if (Object.is(b, neutral)) return 0;
  return commutes && Object.is(a, neutral) ? 1 : null;
}

/** One tensor. */
export type UnaryFunction = (x: Tensor, ...surplus: never[]) => Tensor;

/** A function of one tensor made of a row. */
/* @__NO_SIDE_EFFECTS__ */
export function unary(row: Row): UnaryFunction {
  const op = elementwise(row);
  const call = `${row.name}(x)`;
  const named: Record<string, UnaryFunction> = {
    [row.name]: (x, ...surplus) => {
      checkSurplus(call, surplus);
      return apply(op, [x], NO_ATTRIBUTES);
    },
  };
  return named[row.name]; // so that stack traces and tables of layers show its name
}

/** What stands beside an operand: a tensor, where that is surely a number. */
export type OtherOperand<A> = [A] extends [number] ? Tensor : Tensor | number;

/** Two tensors, or a tensor and a number, that broadcast; two numbers do not compile. */
export type BinaryFunction = <A extends Tensor | number>(
  a: A,
  b: OtherOperand<A>,
  ...surplus: never[]
) => Tensor;

/** A function of two tensors, or a tensor and a number, that broadcast. */
/* @__NO_SIDE_EFFECTS__ */
export function binary(row: Row): BinaryFunction {
  const op = elementwise(row);
  const call = `${row.name}(a, b)`;
  return (a, b, ...surplus) => {
    checkSurplus(call, surplus);
    return apply(op, broadcastInputs(row.name, a, b), NO_ATTRIBUTES);
  };
}

/** Brings two operands to one device, dtype and shape: a number takes those of the tensor. */
export function broadcastInputs(op: string, a: Tensor | number, b: Tensor | number): Tensor[] {
  const like = a instanceof Tensor ? a : b;
  if (!(like instanceof Tensor)) {
    throw new DTypeError(`${op}: only numbers; expected at least one tensor${MAKE_TENSOR}`);
  }
  const x = a instanceof Tensor ? a : numberLike(op, like, a);
  const y = b instanceof Tensor ? b : numberLike(op, like, b);
  checkSameDType(op, x, y);
  if (sameShape(x.shape, y.shape)) return [x, y];
  const shape = broadcastShapes(op, x.shape, y.shape);
  return [stretch(x, shape), stretch(y, shape)];
}

/** Throws a `DTypeError` unless two tensors have one dtype. */
export function checkSameDType(op: string, { dtype }: Tensor, other: Tensor): void {
  if (other.dtype === dtype) return;
  throw new DTypeError(
    `${op}: dtypes ${dtype} and ${other.dtype} differ; expected one dtype. cast one of them`,
  );
}
