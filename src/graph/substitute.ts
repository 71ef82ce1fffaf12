import { identity } from "./identity.ts";
import { Node } from "./node.ts";
import type { State } from "./state.ts";
import type { Tensor } from "./tensor.ts";
import { traceAssignment, traceFunction } from "./tracing.ts";

/**
 * Runs a function that builds a graph while states stand for other tensors, of any shapes, and
 * returns its result. Afterwards the states are as before, whatever the function assigned.
 * @throws GradusError for a read inside.
 */
export function substitute<T>(pairs: readonly (readonly [State, Tensor])[], fn: () => T): T {
  return traceFunction<State, T>(() => {
    for (const [state, value] of pairs) {
      const { device, shape, dtype } = value;
      state.device.catchUp(state.node, true);
      // A node of its own, for the value's may belong to another state.
      traceAssignment(state, new Node(device, shape, dtype, identity, [value.use()], {}, true));
    }
    return fn();
  }).result;
}
