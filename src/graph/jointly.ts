import { Node } from "./node.ts";
import { type Attributes, inferAll, type Op, type VjpAll, type VjpContext } from "./op.ts";
import type { Tensor } from "./tensor.ts";

/** What the gradient rule of an op with several results is given beside their cotangents. */
export interface JointContext<A> extends Omit<VjpContext<A>, "y"> {
  readonly results: readonly Tensor[];
}

/**
 * Makes the gradient of an op with several results of a rule, which is given all their cotangents at
 * once: null for zeros.
 */
/* @__NO_SIDE_EFFECTS__ */
export function jointly<A extends Attributes>(
  rule: (
    cotangents: readonly (Tensor | null)[],
    context: JointContext<A>,
  ) => readonly (Tensor | null)[],
): VjpAll<A> {
  return (nodes, total, context) => {
    const [{ device, op, inputs, attributes }] = nodes;
    const types = inferAll(op as Op, inputs, attributes);
    const own = types.map((_, k) => nodes.filter(({ result }) => result === k));
    const cotangents = own.map(total);
    if (cotangents.every((g) => g === null)) return [];
    // A result that nothing asked for is made again: equal calls are one when they are computed.
    const results = types.map(({ shape, dtype }, k) => {
      const node = own[k][0] ?? new Node(device, shape, dtype, op, inputs, attributes, false, k);
      return context.valueOf(node);
    });
    return rule(cotangents, { ...context, results });
  };
}
