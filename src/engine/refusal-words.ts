import { AVERAGE_IT, inPlaceOf } from "../core/advice.ts";
import { describeValue } from "../core/check.ts";
import { DeviceError, DisposedError, GradusError, ShapeError } from "../core/errors.ts";
import { formatShape } from "../core/shape.ts";
import { partsOf } from "../core/tree.ts";
import { type Device, namesOf } from "../graph/device.ts";
import { Tensor } from "../graph/tensor.ts";
import { eachPart, type Naming, nameOf } from "./signature.ts";

type Path = readonly string[];

/** An argument that a trace could not know again. */
export function unknowable(value: unknown, path: Path, naming: Naming): GradusError {
  return new GradusError(
    `${naming.op}: ${nameOf(path, naming)} is ${describeValue(value)}; expected tensors, states, ` +
      "typed arrays, modules, optimizers, functions, or plain data with these in it" +
      inPlaceOf(value),
  );
}

/** An argument that lies in itself. */
export function holdsItself(path: Path, naming: Naming): GradusError {
  return new GradusError(`${naming.op}: ${nameOf(path, naming)} holds itself; expected no cycle`);
}

/** An error of a traced function; says so where it may come from the copy of an object. */
export function privateFields(
  error: TypeError,
  args: readonly unknown[],
  naming: Naming,
): TypeError | GradusError {
  const [name] = copiedOf(args, naming);
  if (name === undefined) return error;
  return new GradusError(
    `${naming.op}: ${error.message} (${name} is given to fn as a copy with other tensors in its ` +
      "properties); expected fn to use no private fields of it. Give it as a plain object of tensors",
    { cause: error },
  );
}

/** The objects of classes among arguments, of which a traced function is given copies. */
function copiedOf(args: readonly unknown[], naming: Naming): string[] {
  const found: string[] = [];
  eachPart(args, naming, (value, parts, path) => {
    if (parts && !partsOf(value)) found.push(nameOf(path, naming));
  });
  return found;
}

/** A call of a step that is there no longer, or of a function that was attached to it. */
export function stepDisposed(op: string): DisposedError {
  return new DisposedError(`${op}: the step was disposed; expected a live one`);
}

/** A step without a batch. */
export function noBatch(op: string): GradusError {
  return new GradusError(`${op}: no batch; expected one, or the option batchAt`);
}

/** A loss or a metric that is no tensor of one element. */
export function noScalar(op: string, name: string, value: unknown): GradusError {
  if (!(value instanceof Tensor)) {
    return new GradusError(`${op}: ${name} gave ${describeValue(value)}; expected a scalar tensor`);
  }
  return new ShapeError(
    `${op}: ${name} has shape ${formatShape(value.shape)}; expected a scalar${AVERAGE_IT}`,
  );
}

/** A result that is no tensor. */
export function noTensor(op: string, value: unknown, path: Path): GradusError {
  return new GradusError(
    `${op}: fn returned ${describeValue(value)}${placeIn(path)}; expected tensors, in arrays and plain ` +
      "objects, or nothing",
  );
}

/** A result that lies in itself. */
export function cyclicResult(op: string, path: Path): GradusError {
  return new GradusError(`${op}: the result of fn holds itself${placeIn(path)}; expected no cycle`);
}

function placeIn(path: Path): string {
  return path.length > 0 ? ` at ${path.join(".")}` : "";
}

/** Tensors and states of several devices, or of none. */
export function apart(op: string, devices: readonly Device[]): DeviceError {
  const names = namesOf(devices).join(" and ") || "no device";
  return new DeviceError(`${op}: tensors and states on ${names}; expected all on one`);
}

/** States that moved while a call waited. */
export function moved(op: string): DeviceError {
  return new DeviceError(
    `${op}: states moved to another device during the call; expected them to stay. Wait for calls ` +
      "before you move them",
  );
}

/** A compiled function inside another one. */
export function nested(op: string): GradusError {
  return new GradusError(
    `${op}: called in a function that is being compiled; expected plain functions there. ` +
      "Call the function that was compiled",
  );
}

/** Warns that arguments differ too often for their plans to be kept, and tells the last difference. */
export function warnOfPlans(
  limit: number,
  args: readonly unknown[],
  naming: Naming,
  before: string,
  key: string,
): void {
  console.warn(
    `${naming.op}: more than ${limit} plans, one for each set of arguments, so the oldest go; ` +
      `${differenceOf(args, naming, before, key)}. Give what changes from call to call as a tensor ` +
      "of one shape",
  );
}

/** Says which argument tells two keys apart, and how: `batch.rate was 0.1 and is 0.2`. */
function differenceOf(
  args: readonly unknown[],
  naming: Naming,
  before: string,
  key: string,
): string {
  const lines = key.split("\n");
  const old = before.split("\n");
  const at = lines.findIndex((line, i) => line !== old[i]);
  const ways: string[] = [];
  eachPart(args, naming, (_value, _parts, path) => ways.push(nameOf(path, naming)));
  const [was, is] = [old[at], lines[at]].map((line) => line.slice(0, 80));
  return `${ways[at]} was ${was} and is ${is}`;
}
