import { UNMOVED } from "../forms/map.ts";
import { type Attributes, defineOp, type OpDefinition } from "./op.ts";

/** An op whose value is its first input's, with a gradient of its own, or at which gradients stop. */
/* @__NO_SIDE_EFFECTS__ */
export function passThrough(
  name: string,
  vjp: OpDefinition<Attributes>["vjp"],
  stopsGradient = false,
): OpDefinition<Attributes> {
  return defineOp<Attributes>({
    name,
    reads: 1,
    cost: 0,
    linear: true,
    form: UNMOVED,
    passes: () => 0,
    vjp,
    stopsGradient,
  });
}

/** y = x, under a node of its own. */
export const identity: OpDefinition<Attributes> = passThrough("identity", (g) => [g]);
