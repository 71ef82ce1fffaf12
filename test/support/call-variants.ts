import { broadcastTo, slice, type Tensor, transpose } from "../../src/index.ts";
import type { Call, Input } from "./op-case.ts";

/** A call of other shapes, and what they are called. */
export interface Variant {
  readonly name: string;
  readonly call: Call;
}

/** The same call of inputs with other sizes, where `to` gives one for each. */
function resized(call: Call, to: (n: number) => number): Call {
  const inputs = call.inputs.map((input) => ({ ...input, shape: input.shape.map(to) }));
  return { ...call, inputs, scale: 40 * (call.scale ?? 1) };
}

/** The same call of views of inputs that lie elsewhere. */
function viewed(
  call: Call,
  shape: (own: readonly number[]) => readonly number[],
  view: (x: Tensor, own: readonly number[]) => Tensor,
): Call {
  const hasAxis = ({ shape }: Input) => shape.length > 0;
  return {
    ...call,
    inputs: call.inputs.map((x) => (hasAxis(x) ? { ...x, shape: shape(x.shape) } : x)),
    run: (...x) =>
      call.run(
        ...x.map((own, i) => (hasAxis(call.inputs[i]) ? view(own, call.inputs[i].shape) : own)),
      ),
  };
}

const withLast = (own: readonly number[], to: (n: number) => number) =>
  own.with(-1, to(own.at(-1) ?? 1));

/**
 * Calls like one, of which an op may refuse some: each size 0, all 1, all a multiple of no tile; and
 * inputs that are turned, cut out or repeated.
 */
export function variantsOf(call: Call): Variant[] {
  const sizes = [...new Set(call.inputs.flatMap(({ shape }) => shape))].filter((n) => n > 1);
  return [
    ...sizes.map((size) => ({
      name: `0 for ${size}`,
      call: resized(call, (n) => (n === size ? 0 : n)),
    })),
    { name: "1 everywhere", call: resized(call, (n) => Math.min(n, 1)) },
    { name: "33 for each", call: resized(call, (n) => (n > 1 ? 33 : n)) },
    {
      name: "turned",
      call: viewed(
        call,
        (own) => own.toReversed(),
        (x) => transpose(x),
      ),
    },
    {
      name: "cut out",
      call: viewed(
        call,
        (own) => withLast(own, (n) => 2 * n + 1),
        (x, own) => slice(x, [...own.slice(1).map(() => ({})), { start: 1, step: 2 }]),
      ),
    },
    {
      name: "repeated",
      call: {
        ...viewed(call, (own) => withLast(own, (n) => Math.min(n, 1)), broadcastTo),
        scale: call.equalScale ?? call.scale,
      },
    },
  ];
}
