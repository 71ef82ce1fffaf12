import { DTYPES, type DType, is, type NumericArray } from "../../src/core/dtype.ts";
import { sizeOf } from "../../src/core/shape.ts";
import type { TensorType } from "../../src/core/tensor-type.ts";
import { FunctionWriter, I32, V128 } from "../../src/devices/cpu/compiled/assembler.ts";
import { addFunctions, LaneWriter } from "../../src/devices/cpu/compiled/lane-scalars.ts";
import { assembleModule } from "../../src/devices/cpu/compiled/module.ts";
import { moreFunctions } from "../../src/devices/cpu/compiled/more-functions.ts";
import { orderKeys } from "../../src/devices/cpu/compiled/order-keys.ts";
import * as simd from "../../src/devices/cpu/compiled/simd.ts";
import { type Vector, VectorBody } from "../../src/devices/cpu/compiled/vector-body.ts";
import type { Step } from "../../src/engine/program.ts";
import { write } from "../../src/forms/indices.ts";
import { writeMoved } from "../../src/forms/map.ts";
import type { ElementContext } from "../../src/forms/pointwise.ts";
import { Position } from "../../src/forms/position.ts";
import type { Scalars } from "../../src/forms/scalars.ts";
import type { Attributes } from "../../src/graph/op.ts";

addFunctions(moreFunctions);
addFunctions(orderKeys);

const SPLAT = 0x11;
const LOAD_LANE = 0x56;
const STORE = 0x0b;
const [SHIFT_LEFT, SHIFT_RIGHT] = [0x74, 0x76];
const ADD = 0x6a;
const NOT_EQUAL = 0x47;
const EXTRACT = 0x1b;

/** Bytes of memory for each array. */
const SPACE = 1 << 18;

/** What a module does for one step: gives its values from those of its inputs. */
export type VectorStep = (inputs: readonly NumericArray[]) => NumericArray;

/** Operations under whose names `seen` hears of the calls. */
function watched(m: Scalars<Vector>, seen: (name: string) => void): Scalars<Vector> {
  return {
    ...m,
    call: (name, ...values) => {
      seen(name);
      return m.call(name, ...values);
    },
  };
}

/**
 * Compiles one step, element by element from row-major numbers: inputs are read at whatever place the
 * form asks for. Elements of all dtypes take 32 bits here, bools as masks.
 */
export function vectorStep(
  step: Step,
  types: readonly TensorType[],
  isFused: boolean,
  seen: (name: string) => void = () => {},
): VectorStep {
  const f = new FunctionWriter([I32], []);
  const body = new VectorBody(f, isFused);
  const lanes = new LaneWriter(body);
  const at = f.local(I32);
  const numbers = f.local(V128);
  const load = (input: number, to: Position<Vector>): Vector =>
    body.once(`load ${input} ${to.key}`, () => {
      const gather = ([places]: readonly number[]) => {
        f.i32(0).simd(SPLAT);
        for (let lane = 0; lane < 4; lane++) {
          const loaded = f.local(V128);
          f.set(loaded).get(places).simd(EXTRACT, lane).i32(2).emit(SHIFT_LEFT).get(loaded);
          f.vectorMemory(LOAD_LANE, 2, (input + 1) * SPACE, lane);
        }
      };
      // What lies outside is loaded too, and lanes behind the end: from somewhere else.
      const last = body.whole(sizeOf(types[input].shape) - 1);
      return body.leaf(gather, [body.op(simd.i32x4_min_u, write(body, to.place), last)]);
    });
  const context: ElementContext<Attributes, Vector> = {
    at: Position.linear(body, step.shape, body.local(numbers)),
    result: step.result ?? 0,
    load,
    scalars: (dtype) => watched(lanes.scalars(dtype), seen),
    inputs: types,
    y: step,
    attributes: step.attributes,
  };
  const y = elementOf(step, context);
  body.prepare([y]);
  f.repeat(() => {
    f.get(at).i32(2).emit(SHIFT_RIGHT).simd(SPLAT);
    const steps = Uint8Array.from([0, 1, 2, 3].flatMap((lane) => [lane, 0, 0, 0]));
    f.simd(simd.v128_const, ...steps)
      .simd(simd.i32x4_add)
      .set(numbers);
    const [local] = body.emit([y]);
    f.get(at).get(local).vectorMemory(STORE, 4, 0);
    f.get(at).i32(16).emit(ADD).tee(at).get(0).emit(NOT_EQUAL);
  });
  const size = sizeOf(step.shape);
  const memory = new WebAssembly.Memory({ initial: ((types.length + 1) * SPACE) >> 16 });
  const module = new WebAssembly.Module(assembleModule([], [f], [["run", 0]]));
  const { exports } = new WebAssembly.Instance(module, { e: { m: memory } });
  const { run } = exports as { run(bytes: number): void };
  return (inputs) => {
    inputs.forEach((values, i) => {
      words(memory, (i + 1) * SPACE, values.length, types[i].dtype).set(values);
      if (is(types[i].dtype, "bool")) {
        const masks = new Int32Array(memory.buffer, (i + 1) * SPACE, values.length);
        masks.forEach((value, k) => {
          masks[k] = -value;
        });
      }
    });
    run(16 * Math.ceil(size / 4));
    const values = DTYPES[step.dtype].array.from(words(memory, 0, size, step.dtype));
    return is(step.dtype, "bool") ? values.map((value) => value & 1) : values;
  };
}

function elementOf(step: Step, context: ElementContext<Attributes, Vector>): Vector {
  const form = step.op?.form;
  if (form?.kind === "map") return writeMoved(form, context, context.load) as Vector;
  if (form?.kind === "pointwise") return form.element(context);
  throw new Error(`${step.op?.name} is a kernel`);
}

/** Views words of memory as the dtype's elements. */
function words(memory: WebAssembly.Memory, start: number, length: number, dtype: DType) {
  const { array } = DTYPES[dtype];
  const view = array.BYTES_PER_ELEMENT === 4 ? array : Int32Array;
  return new view(memory.buffer, start, length) as Exclude<NumericArray, Float64Array>;
}
