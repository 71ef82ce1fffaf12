import { allocate, type NumericArray } from "../../src/core/dtype.ts";
import { sizeOf } from "../../src/core/shape.ts";
import { contiguous, type Strided } from "../../src/core/strided.ts";
import { mapStrided } from "../../src/core/strided-loops.ts";
import type { Program, Step } from "../../src/engine/program.ts";
import { moveStrided } from "../../src/forms/strided-map.ts";

/** Computes every step of a program alone, in a fresh array: what any plan must agree with. */
export function opByOp(program: Program, sources: readonly NumericArray[]): NumericArray[] {
  const values: Strided[] = [];
  program.steps.forEach((step, i) => {
    const source = sources[program.sources.indexOf(i)];
    const inputs = step.inputs.map((input) => values[input]);
    const types = step.inputs.map((input) => program.steps[input]);
    values[i] = contiguous(source ?? compute(step, inputs, types), step.shape);
  });
  return values.map(({ data }) => data);
}

function compute(step: Step, inputs: readonly Strided[], types: readonly Step[]): NumericArray {
  const { op, attributes, shape, dtype, result = 0 } = step;
  const data = allocate(dtype, sizeOf(shape));
  const y = contiguous(data, shape);
  if (op?.form.kind === "map") moveStrided(op.form, types, attributes, y, inputs);
  else if (op?.scalar) mapStrided(op.scalar(types, attributes), shape, inputs, data);
  else if (op?.cpuAll) {
    const results: Strided[] = [];
    results[result] = y;
    op.cpuAll(results, inputs, attributes);
  } else op?.cpu?.(y, inputs, attributes);
  return data;
}
