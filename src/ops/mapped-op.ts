import { type Shape, sizeOf } from "../core/shape.ts";
import type { Strided } from "../core/strided.ts";
import type { TensorType } from "../core/tensor-type.ts";
import { along, type MapForm } from "../forms/map.ts";
import type { ElementContext, PointwiseForm } from "../forms/pointwise.ts";
import { Position } from "../forms/position.ts";
import { type Attributes, defineOp, inferAll, type Op } from "../graph/op.ts";

/** The type of what lies at one place on the first axis. */
export function partType({ shape, dtype }: TensorType): TensorType {
  return { shape: shape.slice(1), dtype };
}

/**
 * Makes an op that does what a pointwise op or a map does for each place on the first axis, which all
 * its inputs and its result have.
 * @param vjp its gradient rule.
 */
export function mappedOp(
  op: Op,
  form: MapForm<Attributes> | PointwiseForm<Attributes>,
  vjp: Op["vjp"],
): Op {
  const { name, reads, cost, linear, throws, passes, stopsGradient, scalar, cpu } = op;
  return defineOp<Attributes>({
    name,
    reads,
    cost,
    linear,
    throws,
    passes,
    stopsGradient,
    infer: (inputs, attributes) => {
      const [{ shape, dtype }] = inferAll(op, inputs.map(partType), attributes);
      return { shape: [inputs[0].shape[0], ...shape], dtype };
    },
    scalar: scalar && ((inputs, attributes) => scalar(inputs.map(partType), attributes)),
    cpu:
      cpu &&
      ((y, inputs, attributes) => {
        for (let i = 0; i < y.shape[0]; i++) {
          cpu(
            writtenPart(y, i),
            inputs.map((x) => readPart(x, i)),
            attributes,
          );
        }
      }),
    form: form.kind === "map" ? mappedMaps(form) : mappedElements(form),
    vjp,
  });
}

/** What of an input lies at a place on the first axis. */
function readPart({ data, shape, strides, offset }: Strided, i: number): Strided {
  const [step, ...rest] = strides;
  return { data, shape: shape.slice(1), strides: rest, offset: offset + i * step };
}

/** What of a contiguous result lies there, as an array of its own. */
function writtenPart(y: Strided, i: number): Strided {
  const shape = y.shape.slice(1);
  const size = sizeOf(shape);
  return { ...readPart(y, 0), data: y.data.subarray(i * size, (i + 1) * size) };
}

/** The maps with an axis in front, along which nothing moves. */
function mappedMaps(form: MapForm<Attributes>): MapForm<Attributes> {
  return {
    ...form,
    maps: (inputs, attributes, y) =>
      form.maps(inputs.map(partType), attributes, partType(y)).map((map) => {
        if (map === "rowMajor") return map;
        const moved = map.map((axisMap) => {
          const terms = axisMap.terms.map(([axis, step]) => [axis + 1, step] as const);
          return { ...axisMap, terms };
        });
        return [along(0), ...moved];
      }),
  };
}

/** The elements of each place, written as if there were nothing beside it. */
function mappedElements(form: PointwiseForm<Attributes>): PointwiseForm<Attributes> {
  const { libraries, allows } = form;
  return {
    kind: "pointwise",
    libraries,
    element: (context) => form.element(partContext(context)),
    allows: allows && ((context) => allows(partContext(context))),
  };
}

function partContext<V>(context: ElementContext<Attributes, V>): ElementContext<Attributes, V> {
  const { inputs, y, load } = context;
  const { body, indices } = context.at.reshape(y.shape);
  const [first, ...rest] = indices;
  const whole = (shape: Shape) => [y.shape[0], ...shape];
  return {
    ...context,
    at: Position.at(body, y.shape.slice(1), rest),
    inputs: inputs.map(partType),
    y: partType(y),
    load: (input, at) => load(input, Position.at(body, whole(at.shape), [first, ...at.indices])),
  };
}
