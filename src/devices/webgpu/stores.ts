import { DTYPES, type DType, is } from "../../core/dtype.ts";
import { sizeOf } from "../../core/shape.ts";
import { resultOf } from "../../engine/fusion.ts";
import type { Accessor } from "../../forms/kernel.ts";
import type { PointwiseForm } from "../../forms/pointwise.ts";
import { Position } from "../../forms/position.ts";
import { accumulator, converted, wgslType } from "../../forms/wgsl.ts";
import { beyond, declare, LANES, leave, parameterNames, shifted } from "./accessors.ts";
import type { PartExpressions } from "./expressions.ts";
import { FunctionBody } from "./function-body.ts";

/** A value that a kernel stores: its memory and expression, and its place if not the element's. */
interface Result {
  readonly key: number;
  readonly dtype: DType;
  readonly value: string;
  readonly place?: string;
  readonly size: number;
}

/** Whether all that is stored may be stored by fours. */
function storesFours(part: PartExpressions): boolean {
  const [{ wide, extents }] = part.job.stage.results;
  const isWhole = wide === extents.length - 1 && extents[wide] % 4 === 0;
  const isWide = (step: number) =>
    is(part.steps[step].dtype, "number") && !part.schedule.scattered.has(step);
  return isWhole && part.job.group.outputs.every(isWide);
}

/** Writes how each result is stored: not at all where nobody needs it. */
export function writeStores(part: PartExpressions): void {
  const { group, stage } = part.job;
  for (const [k, accessor] of stage.results.entries()) {
    part.result = k;
    part.made = group.anchors.filter((i) => resultOf(part.steps[i]) === k);
    const { dtype = stage.type } = accessor;
    writeStore(part, accessor, part.made.length > 1 ? "Values" : accumulator(dtype));
  }
}

function writeStore(part: PartExpressions, accessor: Accessor, type: string): void {
  const name = `store_${accessor.name}`;
  const body = new FunctionBody();
  if (part.made.length > 0) {
    const at = Position.at(body, accessor.extents, parameterNames(accessor));
    storeResults(part, at, body, "v", beyond(accessor));
  }
  part.define(`fn ${name}(${declare(accessor)}, v: ${type})`, undefined, body);
  if (accessor.wide === undefined) return;
  const four = writeStoreOfFours(part, accessor, accessor.wide, name);
  part.define(`fn ${name}4(${declare(accessor)}, v: vec4<${type}>)`, undefined, four);
}

function writeStoreOfFours(
  part: PartExpressions,
  accessor: Accessor,
  wide: number,
  name: string,
): FunctionBody {
  const { extents } = accessor;
  const body = new FunctionBody();
  const position = (lane: number) => {
    const places = shifted(accessor, wide, lane).map((place) => body.bind(place));
    return Position.at(body, extents, places);
  };
  if (storesFours(part)) {
    const lanes = LANES.map((lane) =>
      resultsAt(part, position(lane), `v[${lane}]`).map(({ value }) => body.bind(value)),
    );
    const at = position(0).linear;
    leave(body, beyond(accessor));
    part.job.group.outputs.forEach((step, r) => {
      const { dtype } = part.steps[step];
      const values = lanes.map((values) => values[r]);
      const key = part.key(step);
      const buffer = part.bindings.write(key, dtype);
      if (part.bindings.isWide(key)) {
        const place = part.bindings.placed(key, `${at} >> 2u`, true);
        body.line(`${buffer}[${place}] = vec4<${DTYPES[dtype].word}>(${values});`);
      } else {
        for (const lane of LANES) {
          body.line(`${part.indexed(buffer, key, `${at} + ${lane}u`)} = ${values[lane]};`);
        }
      }
    });
  } else {
    for (const lane of LANES) {
      body.line(`${name}(${shifted(accessor, wide, lane).join(", ")}, v[${lane}]);`);
    }
  }
  return body;
}

/** What the stage stores for the element at `at`. */
function resultsAt(part: PartExpressions, at: Position<string>, v: string | null): Result[] {
  const { group } = part.job;
  const isMade = (step: number) => part.schedule.resultAt(group.anchors, step) === part.result;
  return group.outputs.filter(isMade).map((step) => {
    const { dtype, inputs, op } = part.steps[step];
    const isScattered = part.schedule.scattered.has(step);
    const source = isScattered ? inputs[op?.scatter as number] : step;
    const to = at.reshape(part.steps[source].shape);
    const element = part.element(source, to, v);
    return {
      key: part.key(step),
      dtype,
      value: converted(element, wgslType(dtype), DTYPES[dtype].word),
      place: isScattered ? placeOf(part, step, to, v) : undefined,
      size: sizeOf(part.steps[step].shape),
    };
  });
}

/** Where in its result a step that writes in place puts its value's element at `at`. */
function placeOf(
  part: PartExpressions,
  step: number,
  at: Position<string>,
  v: string | null,
): string | undefined {
  const form = part.steps[step].op?.form as PointwiseForm<unknown>;
  const place = form.place?.(part.context(step, at, v));
  return place && at.body.bind(place);
}

/** Stores what the stage stores for the element at `at`. */
function storeResults(
  part: PartExpressions,
  at: Position<string>,
  body: FunctionBody,
  v: string | null,
  beyond = "",
): void {
  // All is read before anything is written, for a result may replace what another is made of.
  const results = resultsAt(part, at, v).map((result) => ({
    ...result,
    value: body.bind(result.value),
  }));
  leave(body, beyond);
  for (const { key, dtype, value, place, size } of results) {
    const name = part.bindings.write(key, dtype);
    const store = `${part.indexed(name, key, place ?? at.linear)} = ${value};`;
    body.line(place ? `if (${place} < ${size}u) { ${store} }` : store);
  }
}

/** The function of a group without a kernel file. */
export function writeElements(part: PartExpressions): void {
  const [first] = part.job.group.outputs;
  const body = new FunctionBody();
  if (DTYPES[part.steps[first].dtype].perWord > 1) writeWord(part, first, body);
  else storeResults(part, Position.linear(body, part.domain, "i"), body, null);
  part.define("fn write_y(i: u32)", undefined, body);
}

/** Stores one result whose elements share words, the first one lowest. */
function writeWord(part: PartExpressions, step: number, word: FunctionBody): void {
  const { dtype } = part.steps[step];
  const { perWord, wgsl } = DTYPES[dtype];
  const bits = 32 / perWord;
  const body = new FunctionBody();
  const element = part.element(step, Position.linear(body, part.domain, "i"), null);
  part.define(`fn part_y(i: u32) -> ${wgsl}`, element, body);
  const last = sizeOf(part.domain) - 1;
  const parts = LANES.slice(0, perWord).map((lane) => {
    const value = `part_y(min(${perWord}u * i + ${lane}u, ${last}u))`;
    const own = DTYPES[dtype].min < 0 ? `(${value} & ${2 ** bits - 1})` : value; // without its sign
    return `(${own} << ${bits * lane}u)`;
  });
  word.line(`${part.bindings.write(part.key(step), dtype)}[i] = ${parts.join(" | ")};`);
}

/** Says which buffers are stored as four-wide vectors, and which by single elements. */
export function markStores(part: PartExpressions): void {
  const isByFours = storesFours(part);
  for (const key of part.job.writes) part.bindings.mark(key, isByFours);
}
