import { DTYPES, is } from "../../core/dtype.ts";
import { writeQuarter } from "../../forms/indices.ts";
import type { Load } from "../../forms/kernel.ts";
import { writeMoved } from "../../forms/map.ts";
import { Position } from "../../forms/position.ts";
import { accumulator, converted, wgslType } from "../../forms/wgsl.ts";
import { calls, declare, guarded, parameterNames } from "./accessors.ts";
import type { PartExpressions } from "./expressions.ts";
import { FunctionBody } from "./function-body.ts";

/** Writes how an input's elements are loaded. */
export function writeLoad(part: PartExpressions, accessor: Load, input: number): void {
  const { extents, name, wide } = accessor;
  const body = new FunctionBody();
  const at = Position.at(body, extents, parameterNames(accessor));
  const { job } = part;
  const type = accumulator(part.steps[part.inputStep(input)].dtype);
  const elements = job.stage.loaded.map((field, op) => {
    const i = part.inputStep(input, op);
    const { dtype, shape } = part.steps[i];
    const value = part.element(i, at.reshape(shape), null);
    return guarded(accessor, type, converted(value, wgslType(dtype), type), field);
  });
  const isOne = elements.length === 1;
  const head = `fn load_${name}(${declare(accessor)}) -> ${isOne ? type : "Acc"}`;
  part.define(head, isOne ? elements[0] : `Acc(${elements})`, body);
  if (wide !== undefined) writeFours(part, accessor, input, type, wide);
}

/** Four neighbours along one parameter: one vector where the buffer allows it, else four loads. */
function writeFours(
  part: PartExpressions,
  accessor: Load,
  input: number,
  type: string,
  wide: number,
): void {
  const { block, name, rows } = accessor;
  const four = `load_${name}4`;
  const isVector = writeVector(part, accessor, input, four, wide, type);
  if (!isVector) {
    const head = `fn ${four}(${declare(accessor)}) -> vec4<${type}>`;
    part.define(head, `vec4<${type}>(${calls(`load_${name}`, accessor, wide)})`);
  }
  if (block === undefined) return;
  // 4 × 4 neighbours as rows of four, loaded along the parameter along which memory runs.
  const across = !isVector && writeVector(part, accessor, input, `${four}_across`, block, type);
  const write = rows ?? calls;
  const matrix = across
    ? `transpose(mat4x4(${write(`${four}_across`, accessor, wide)}))`
    : `mat4x4(${write(four, accessor, block)})`;
  const lane = rows ? ", lane: u32" : "";
  part.define(`fn ${four}x4(${declare(accessor)}${lane}) -> mat4x4<${type}>`, matrix);
}

/**
 * Four neighbours in memory, if a parameter advances along such; what lies outside counts as
 * outside altogether.
 */
function writeVector(
  part: PartExpressions,
  load: Load,
  input: number,
  name: string,
  along: number,
  type: string,
): boolean {
  const body = new FunctionBody();
  const four = vectorOf(part, load, input, along, body, (step, place) => {
    const { dtype } = part.steps[step];
    const { word, wgsl } = DTYPES[dtype];
    const key = part.key(step);
    if (!part.bindings.isWide(key)) return null;
    const name = part.bindings.read(key, dtype);
    const words = body.bind(`${name}[${part.bindings.placed(key, place, true)}]`);
    return converted(words, `vec4<${word}>`, `vec4<${wgsl}>`);
  });
  if (four === null) return false;
  const vector = `vec4<${type}>`;
  const { dtype } = part.steps[part.inputStep(input)];
  const value = converted(four, `vec4<${wgslType(dtype)}>`, vector);
  const head = `fn ${name}(${declare(load)}) -> ${vector}`;
  part.define(head, guarded(load, vector, value), body);
  return true;
}

/**
 * The expression of four neighbours along a parameter, made of vectors in memory that `read`
 * gives, by the number of the vector; null where neighbours do not lie in whole vectors.
 */
function vectorOf(
  part: PartExpressions,
  load: Load,
  input: number,
  along: number,
  body: FunctionBody,
  read: (step: number, place: string) => string | null,
): string | null {
  const { extents } = load;
  if (extents[along] % 4 !== 0) return null;
  const visit = (i: number, at: Position<string>): string | null => {
    const step = part.steps[i];
    const form = step.op?.form;
    if (!part.schedule.stored.has(i)) {
      const load = (input: number, to: Position<string>) => visit(step.inputs[input], to);
      const vector = (value: string) => `vec4<${wgslType(step.dtype)}>(${value})`;
      return form?.kind === "map"
        ? writeMoved(form, part.context(i, at, null), load, vector)
        : null;
    }
    const place = is(step.dtype, "number") ? writeQuarter(body, at.place) : null;
    return place && read(i, place);
  };
  const at = Position.four(body, extents, parameterNames(load), along);
  const i = part.inputStep(input);
  return visit(i, at.reshape(part.steps[i].shape));
}

/** Says which buffers are loaded as four-wide vectors where their neighbours lie in such. */
export function markVectors(part: PartExpressions): void {
  part.job.stage.loads.forEach((load, input) => {
    for (const along of [load.wide, load.block]) {
      if (along === undefined) continue;
      const found: number[] = [];
      const read = (step: number) => `${found.push(step)}u`;
      if (vectorOf(part, load, input, along, new FunctionBody(), read) === null) continue;
      for (const step of found) part.bindings.mark(part.key(step), true);
    }
  });
}
